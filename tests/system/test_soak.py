"""Threads and processes at once: a short run of `make soak`."""

from __future__ import annotations

import sys

import pytest

from tests import soak


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_threads_share_a_model_and_nothing_grows() -> None:
    tallies = soak.soak(0, processes=2, threads=8, least=240)
    for tally in tallies:
        assert tally.results >= 240
        assert tally.wrong == 0
        assert tally.growth < soak.MOST_GROWTH, tally


def test_a_wrong_result_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    turns = iter(range(10**9))
    monkeypatch.setattr(soak, "cases", lambda: [lambda: next(turns) % 2 == 0])
    tally = soak.work(0, threads=1, least=50)
    assert 0 < tally.wrong < tally.results
