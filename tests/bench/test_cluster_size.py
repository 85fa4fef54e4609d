"""benchmarks/cluster_size.py: the simulation where its result is known, and its page."""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path

import cluster_size
import numpy as np
import pytest
from click.testing import CliRunner

from tests.page_followed import text_of

NOTHING = cluster_size.Assumed(spread=0, slow_share=0, slow_factor=1, deaths=0, restart_s=0, seed=1)
HOUR_S = 3600.0


def test_workers_without_chance_are_never_idle() -> None:
    result = cluster_size.simulate(np.full(40, HOUR_S / 10), 4, NOTHING)
    assert result.hours == pytest.approx(1)
    assert result.idle == pytest.approx(0)
    assert result.twice == 0


def test_a_share_each_waits_for_the_slowest() -> None:
    slow = dataclasses.replace(NOTHING, slow_share=0.25, slow_factor=3)
    pictures = np.full(400, HOUR_S / 100)
    shares = cluster_size.parts_of(pictures, 100)
    assert len(shares) == 4
    result = cluster_size.simulate(shares, 4, slow)
    assert result.hours == pytest.approx(3)
    assert result.idle == pytest.approx(0.5)
    one_by_one = cluster_size.simulate(pictures, 4, slow)
    assert one_by_one.hours == pytest.approx(4 / (3 + 1 / 3), rel=0.02)


def test_who_dies_does_it_again() -> None:
    mortal = dataclasses.replace(NOTHING, deaths=240, restart_s=60)  # ten an hour
    pictures = np.full(1000, HOUR_S / 250)
    small, large = (
        cluster_size.simulate(cluster_size.parts_of(pictures, size), 4, mortal) for size in (1, 50)
    )
    assert 0 < small.twice < large.twice
    # A minute is missed every six, and no work is left out.
    assert small.hours > 1 + 10 / 60 / 2
    assert large.hours > small.hours


def test_drawn_times_have_the_mean_that_was_measured() -> None:
    drawn = cluster_size.drawn_times(10_000, 1.25, dataclasses.replace(NOTHING, spread=0.5))
    assert drawn.mean() == pytest.approx(1.25)
    assert 0.4 < np.log(drawn).std() < 0.6


def test_rates_are_those_of_one_core(tmp_path: Path) -> None:
    rows = [["lat", "50", "2", "0.196608", "0.0983040", "300"]]
    rows.append(["jpeg", "50", "2", "0.005", "0.003", "50"])
    with (tmp_path / "times.csv").open("w", newline="") as file:
        names = ["codec", "setting", "cores", "encode_s", "decode_s", "peak_mib"]
        csv.writer(file).writerows([names, *rows])
    found = cluster_size.measured(tmp_path / "times.csv", "lat", "50")
    assert dataclasses.astuple(found) == pytest.approx((1, 2, 300))
    assert cluster_size.cores_for(2 * HOUR_S, 1, found.encode_rate) == 2
    with pytest.raises(ValueError, match="no times of lat at quality 51"):
        cluster_size.measured(tmp_path / "times.csv", "lat", "51")


@pytest.mark.slow
def test_the_page_shows_what_it_prints() -> None:
    result = CliRunner().invoke(cluster_size.main)
    assert result.exit_code == 0, result.output
    assert f"```text\n{result.stdout.strip()}\n```" in text_of("scale.md")
