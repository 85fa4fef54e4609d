"""Bootstrap intervals of BD-rates, pictures won, and warnings where intervals overlap."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

pytest.importorskip("scipy", reason="the extra `bench` is not installed")

from scipy import stats

from latentcodec.bench import bootstrap
from latentcodec.bench.against import overlap_warnings, statistics_tables
from latentcodec.bench.bdrate import BdRate, Curve, bd_rate
from latentcodec.bench.bootstrap import Interval, interval_of_mean, weights
from latentcodec.bench.codecs import find
from latentcodec.bench.metrics import PSNR, SSIMULACRA2
from latentcodec.bench.results import POOLED, CodecResult, collect, compare
from latentcodec.bench.summary import as_json, as_markdown, notes
from tests.bench.test_curves import rows_of

pytestmark = pytest.mark.slow

IMAGES = [f"image {place:02}" for place in range(24)]
EVEN = dict.fromkeys(IMAGES, 1.0)


def results_of(**factors: dict[str, float]) -> dict[str, CodecResult]:
    """Codecs that need so many times the rate of the anchor, by image."""
    rows = rows_of("jpeg", EVEN)
    for name, by_image in factors.items():
        rows += rows_of(name, by_image)
    return collect([find(name) for name in ("jpeg", *factors)], rows, [])


def spread_factors(middle: float, width: float) -> dict[str, float]:
    """Factors around `middle`, `width` apart at most, by image."""
    return dict(zip(IMAGES, np.linspace(middle - width / 2, middle + width / 2, 24), strict=True))


def test_interval_of_a_mean_is_that_of_scipy() -> None:
    values = np.random.default_rng(7).normal(-40.0, 6.0, size=24)
    found = interval_of_mean(list(values))
    assert found is not None
    other = stats.bootstrap((values,), np.mean, method="percentile", rng=np.random.default_rng(3))
    assert found.low == pytest.approx(other.confidence_interval.low, abs=0.4)
    assert found.high == pytest.approx(other.confidence_interval.high, abs=0.4)
    assert found == interval_of_mean(list(values)), "the same in every run"
    assert interval_of_mean(list(values[: bootstrap.MIN_IMAGES - 1])) is None


def test_resamples_are_drawn_with_replacement() -> None:
    drawn = weights(24) * 24
    assert drawn.shape == (bootstrap.RESAMPLES, 24)
    assert (drawn == drawn.round()).all() and (drawn.sum(axis=1) == pytest.approx(24))
    # The share of images that a resample leaves out is 1/e.
    assert np.mean(drawn == 0) == pytest.approx(math.exp(-1), abs=0.02)


def test_a_codec_that_is_the_same_on_every_image_has_no_spread() -> None:
    results = results_of(lat=dict.fromkeys(IMAGES, 0.5))
    for metric in (PSNR, SSIMULACRA2):
        found = compare(results["jpeg"], results["lat"], metric).interval
        assert found is not None
        assert [found.low, found.high] == pytest.approx([-50.0, -50.0])


def test_interval_of_the_mean_curve_is_over_resampled_images() -> None:
    results = results_of(lat=spread_factors(0.6, 0.4))
    against = compare(results["jpeg"], results["lat"], PSNR)
    assert isinstance(against.rate, BdRate) and against.interval and against.mean_interval
    assert against.interval.low < against.rate.percent < against.interval.high
    assert against.mean_percent is not None
    assert against.mean_interval.contains(against.mean_percent)
    # By hand: rates of the mean curves of images drawn one after the other.
    generator, percents = np.random.default_rng(11), []
    grids = [results[name].grid for name in ("jpeg", "lat")]
    for _ in range(400):
        draw = generator.integers(24, size=24)
        curves = [
            Curve.from_points(grid["bpp"][draw].mean(axis=0), grid["psnr"][draw].mean(axis=0))
            for grid in grids
        ]
        percents.append(bd_rate(curves[0], curves[1]).percent)
    low, high = np.percentile(percents, [2.5, 97.5])
    assert against.interval.low == pytest.approx(low, abs=0.7)
    assert against.interval.high == pytest.approx(high, abs=0.7)


def test_pooled_psnr_is_resampled_by_its_errors() -> None:
    results = results_of()
    assert results["jpeg"].resampled[POOLED.column][0].quality == pytest.approx(
        20 * math.log10(255)
    ), "rows of an error of 1"


def test_few_images_have_no_interval() -> None:
    rows = rows_of("jpeg", {"a": 1.0, "b": 1.0}) + rows_of("lat", {"a": 0.5, "b": 0.7})
    results = collect([find("lat"), find("jpeg")], rows, [])
    assert compare(results["jpeg"], results["lat"], PSNR).interval is None
    assert overlap_warnings(results) == []


def test_overlap_of_intervals() -> None:
    assert Interval(-3.0, 1.0).overlaps(Interval(1.0, 2.0))
    assert not Interval(-3.0, 1.0).overlaps(Interval(1.1, 2.0))
    assert not Interval(1.1, 2.0).overlaps(Interval(-3.0, 1.0))
    assert Interval(-3.0, 1.0).contains(0.0) and not Interval(-3.0, -1.0).contains(0.0)


def test_tables_say_who_wins_and_warn_of_overlaps() -> None:
    near = spread_factors(0.62, 0.4)
    shuffled = dict(zip(IMAGES, reversed(near.values()), strict=True))
    results = results_of(
        lat=near, webp=spread_factors(0.9, 0.1), avif=dict.fromkeys(IMAGES, 0.4), heic=shuffled
    )
    _, against = statistics_tables(results)
    cells = {row[0].split(",")[0].split(" ")[0]: row[1] for row in against.rows}
    assert cells["WebP"].endswith(", 24 of 24, ours")
    assert cells["AVIF"].endswith(", 0 of 24, **the other**")
    assert cells["HEIC"].endswith(", 12 of 24, open")
    warnings = [line for line in notes(results) if line.startswith("Warning")]
    assert len(warnings) == 1
    assert "latentcodec and of HEIC" in warnings[0] and "PSNR, PSNR-Y, MS-SSIM" in warnings[0]
    facts = {"images": {"folder": "f", "count": 24}, "versions": {}, "times": "", "date": ""}
    text = as_markdown(results, {**facts, "machine": "", "commit": "", "command": ""})
    assert warnings[0] in text and "**the other**" in text
    found = as_json(results)["lat_against"]["avif"]["psnr"]
    assert found["wins"] == 0
    low, high = found["bd_rate_interval_percent"]
    assert 0 < low < found["bd_rate_of_mean_curve_percent"] < high


def test_an_exact_copy_is_infinite_where_it_was_drawn_alone() -> None:
    rows = rows_of("jpeg", EVEN)
    last = max(row.setting for row in rows)
    rows = [
        dataclasses.replace(row, psnr=math.inf)
        if (row.image, row.setting) == (IMAGES[0], last)
        else row
        for row in rows
    ]
    result = collect([find("jpeg")], rows, [])["jpeg"]
    points = {len(curve.bpp) for curve in result.resampled["psnr"]}
    whole = len(result.resampled["psnr_y"][0].bpp)
    assert points == {whole, whole - 1}
    drawn = np.array([len(curve.bpp) < whole for curve in result.resampled["psnr"]])
    assert (drawn == (weights(24)[:, 0] > 0)).all()
