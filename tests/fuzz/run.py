"""Gives a target inputs for some time and counts how they end."""

from __future__ import annotations

import collections
import dataclasses
import random
import resource
import time
import warnings

from latentcodec.errors import LatError
from tests.fuzz.integers import Target
from tests.fuzz.targets import TARGETS

# A small input may take no more of a processor than this. Time on the wall says nothing where the
# machine is busy with other things.
MOST_SECONDS = 10.0
_NAMED = 20  # defects that are printed


@dataclasses.dataclass
class Result:
    """How the inputs of a target ended: how many of each kind, and what must not be."""

    target: str
    counts: collections.Counter[str]
    seconds: float
    cpu_seconds: float
    slowest: float  # CPU seconds of one input
    grown_mb: float
    defects: list[str]

    def describe(self) -> str:
        total = sum(self.counts.values())
        kinds = ", ".join(f"{kind} {count}" for kind, count in self.counts.most_common())
        lines = [
            f"{self.target}: {total} inputs in {self.seconds:.0f} s "
            f"({self.cpu_seconds:.0f} s of CPU, {1000 * self.slowest:.0f} ms at most), "
            f"memory +{self.grown_mb:.0f} MB: {kinds}"
        ]
        return "\n".join([*lines, *self.defects[:_NAMED]])


def fuzz(target: str, seconds: float, seed: int = 0, count: int | None = None) -> Result:
    """Inputs seed, seed + 1, ... of a target, as many as there is time for, at most `count`."""
    one = TARGETS[target]()
    result = Result(target, collections.Counter(), 0, 0, 0, 0, [])
    start, peak = time.perf_counter(), 0.0
    while result.seconds < seconds and (count is None or sum(result.counts.values()) < count):
        before = time.process_time()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            kind = _ends(one, seed, result)
        took = time.process_time() - before
        if took > MOST_SECONDS:
            result.defects.append(f"  seed {seed} took {took:.1f} s of CPU")
        result.counts[kind] += 1
        result.cpu_seconds += took
        result.slowest = max(result.slowest, took)
        result.seconds = time.perf_counter() - start
        if sum(result.counts.values()) == 100:  # everything is loaded by then
            peak = _peak_mb()
        seed += 1
    result.grown_mb = _peak_mb() - peak if peak else 0
    return result


def _ends(one: Target, seed: int, result: Result) -> str:
    try:
        return one(random.Random(seed))
    except LatError as error:
        return type(error).__name__
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a panic of the coder is no Exception
        result.defects.append(f"  seed {seed}: {type(error).__name__}: {error}")
        return "DEFECT"


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
