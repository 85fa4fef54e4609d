"""`python -m tests.fuzz.guided TARGET [libFuzzer options]`: a target, its inputs led by coverage.

Needs atheris, which has wheels for few versions of Python: it is no dependency of the tests. All
decisions of a target come from its generator; here that draws from libFuzzer's bytes, so that what
libFuzzer learns to change is a choice of the target, behind checksums that fit.
"""

from __future__ import annotations

import contextlib
import random
import sys
import warnings

import atheris

with atheris.instrument_imports(include=["latentcodec"]):
    from latentcodec.errors import LatError
    from tests.fuzz.targets import TARGETS


class Led(random.Random):
    """A generator that draws from bytes, and zeros when they are used up."""

    def __init__(self, data: bytes) -> None:
        super().__init__(0)
        self._data = atheris.FuzzedDataProvider(data)

    def random(self) -> float:
        return self.getrandbits(24) / (1 << 24)

    def getrandbits(self, k: int) -> int:
        drawn = self._data.ConsumeBytes(-(-k // 8))
        return int.from_bytes(drawn, "little") & ((1 << k) - 1)


def main() -> None:
    warnings.simplefilter("ignore")
    one = TARGETS[sys.argv[1]]()

    def take(data: bytes) -> None:
        with contextlib.suppress(LatError):
            one(Led(data))

    atheris.Setup([sys.argv[0], *sys.argv[2:]], take)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
