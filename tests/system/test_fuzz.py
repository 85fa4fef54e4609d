"""A short run of every fuzzer; `make fuzz` runs them for an hour."""

from __future__ import annotations

import math
import random

import pytest

from latentcodec.errors import LatError
from tests.fuzz import run
from tests.fuzz.targets import TARGETS

COUNTS = {
    "container": 2000,
    "payload": 60,
    "metadata": 150,
    "preview": 2000,
    "integers": 6,
    "context": 20,
}


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_hostile_input_is_taken_or_refused(target: str) -> None:
    result = run.fuzz(target, math.inf, count=COUNTS[target])
    assert not result.defects, result.describe()
    assert sum(result.counts.values()) == COUNTS[target]
    assert result.grown_mb < 200


def test_defects_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is no LatError is one, even if it is no Exception, and so is what takes too long."""

    class Panic(BaseException):
        pass

    def one(chance: random.Random) -> str:
        number = chance.randrange(3)
        if number == 0:
            raise Panic("unwrap of nothing")
        if number == 1:
            raise LatError("refused")
        return "taken"

    monkeypatch.setitem(TARGETS, "metadata", lambda: one)
    result = run.fuzz("metadata", math.inf, count=60)
    assert set(result.counts) == {"DEFECT", "LatError", "taken"}
    assert len(result.defects) == result.counts["DEFECT"]
    assert "Panic: unwrap of nothing" in result.describe()
    monkeypatch.setattr(run, "MOST_SECONDS", 0.0)
    assert "took" in run.fuzz("metadata", math.inf, count=1).describe()
