"""BD-rates and what is made of them, against published curves and another implementation."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from unittest.mock import ANY

import pytest
from PIL import Image

from tests.paths import ROOT

pytest.importorskip("scipy", reason="the extra `bench` is not installed")

from latentcodec.bench.bdrate import Curve, NotComparable, bd_gain, bd_rate
from latentcodec.bench.codecs import find
from latentcodec.bench.complexity import plot_complexity, published_rate
from latentcodec.bench.metrics import PSNR, decibels
from latentcodec.bench.published import Multiplications, Published, read_published
from latentcodec.bench.results import against_all, collect, compare
from latentcodec.bench.rows import Row, TimeRow
from latentcodec.bench.summary import as_json, markdown_table, notes
from latentcodec.errors import LatError

REFERENCE = ROOT / "benchmarks/reference/kodak_rd.json"
PUBLISHED = json.loads(REFERENCE.read_text(encoding="utf-8"))
PAIRS = [
    ("WebP", -36.2),
    ("bmshj2018-hyperprior", -55.0),
    ("mbt2018-mean", -58.0),
    ("AV1", -62.4),
    ("VVC (VTM 9.1)", -67.6),
]

QUALITIES = [25.0 + step for step in range(10)]


def published(name: str) -> Curve:
    return Curve.from_points(PUBLISHED[name]["bpp"], PUBLISHED[name]["psnr"])


@pytest.mark.parametrize(("name", "percent"), PAIRS)
def test_bd_rate_of_published_curves(name: str, percent: float) -> None:
    assert bd_rate(published("JPEG"), published(name)).percent == pytest.approx(percent, abs=0.5)


@pytest.mark.parametrize("name", [name for name, _ in PAIRS])
@pytest.mark.parametrize("column", ["psnr", "ms_ssim"])
def test_agrees_with_the_package_bjontegaard(name: str, column: str) -> None:
    bjontegaard = pytest.importorskip("bjontegaard", reason="bjontegaard is not installed")
    lists = []
    for record in (PUBLISHED["JPEG"], PUBLISHED[name]):
        quality = record[column]
        lists += [record["bpp"], [decibels(q) for q in quality] if column != "psnr" else quality]
    options = {"method": "pchip", "require_matching_points": False, "min_overlap": 0}
    anchor, test = Curve.from_points(*lists[:2]), Curve.from_points(*lists[2:])
    assert bd_rate(anchor, test).percent == pytest.approx(
        bjontegaard.bd_rate(*lists, **options), abs=0.01
    )
    assert bd_gain(anchor, test).gain == pytest.approx(
        bjontegaard.bd_psnr(*lists, **options), abs=0.001
    )


def test_identical_curves_differ_by_nothing() -> None:
    result = bd_rate(published("JPEG"), published("JPEG"))
    assert result.percent == pytest.approx(0.0, abs=1e-9)
    assert result.low == pytest.approx(min(PUBLISHED["JPEG"]["psnr"]))
    assert result.high == pytest.approx(max(PUBLISHED["JPEG"]["psnr"]))
    gain = bd_gain(published("JPEG"), published("JPEG"))
    assert gain.gain == pytest.approx(0.0, abs=1e-9)
    assert gain.low_bpp == pytest.approx(min(PUBLISHED["JPEG"]["bpp"]))


def test_known_differences() -> None:
    anchor = published("JPEG")
    half = Curve(bpp=anchor.bpp / 2, quality=anchor.quality)
    assert bd_rate(anchor, half).percent == pytest.approx(-50.0)
    assert bd_rate(half, anchor).percent == pytest.approx(100.0)
    better = Curve(bpp=anchor.bpp, quality=anchor.quality + 1.5)
    assert bd_gain(anchor, better).gain == pytest.approx(1.5)


@pytest.mark.parametrize(("start_db", "accepted"), [(34.01, False), (33.99, True), (40.0, False)])
def test_refuses_less_than_one_db_of_overlap(start_db: float, accepted: bool) -> None:
    anchor = Curve.from_points([0.5, 1.0, 2.0], [30.0, 33.0, 35.0])
    test = Curve.from_points([0.5, 1.0, 2.0], [start_db, start_db + 2, start_db + 4])
    for difference in (bd_rate, bd_gain):
        if accepted:
            difference(anchor, test)
        else:
            with pytest.raises(NotComparable, match=r"overlap by 0\.\d+ dB, and 1 dB is needed"):
                difference(anchor, test)


def test_refuses_a_gain_without_common_rates() -> None:
    cheap = Curve.from_points([0.1, 0.2], [30.0, 35.0])
    dear = Curve.from_points([0.5, 1.0], [30.0, 35.0])
    assert bd_rate(cheap, dear).percent > 100
    with pytest.raises(NotComparable, match="share no range"):
        bd_gain(cheap, dear)


def test_refuses_a_curve_of_one_point() -> None:
    with pytest.raises(NotComparable, match="2 points"):
        bd_rate(published("JPEG"), Curve.from_points([1.0], [33.0]))


def test_curve_drops_what_does_not_rise() -> None:
    curve = Curve.from_points(
        [2.0, 0.5, 1.0, 1.0, 1.5, 3.0, 4.0], [35.0, 30.0, 31.0, 32.0, 32.0, math.inf, math.nan]
    )
    assert curve.bpp.tolist() == [0.5, 1.0, 2.0]
    assert curve.quality.tolist() == [30.0, 32.0, 35.0]


def test_curve_refuses_a_rate_of_zero() -> None:
    with pytest.raises(ValueError, match="above 0 bpp"):
        Curve.from_points([0.0, 1.0], [30.0, 31.0])


def rows_of(codec: str, factors: dict[str, float], shift: float = 0.0) -> list[Row]:
    """Rows of a codec that needs `factor` times the rate of a made-up reference, by image."""
    row = Row(codec, 0, "", "", "", 8, 8, 1, 0, 1.0, 0, 0, 0.9, 10.0, 0)
    return [
        replace(
            row,
            setting=setting,
            image=image,
            bpp=factor * 1.1**step,
            psnr=25 + step + shift,
            psnr_y=26 + step + shift,
            ms_ssim_db=10 + step + shift,
            ssimulacra2=10 + 5 * step + shift,
        )
        for image, factor in factors.items()
        for step, setting in enumerate(find(codec).settings)
    ]


def test_counts_wins_and_averages_both_ways() -> None:
    rows = rows_of("jpeg", {"a": 1.0, "b": 1.0, "c": 1.0})
    rows += rows_of("lat", {"a": 0.5, "b": 0.5, "c": 1.25})
    results = collect([find("lat"), find("jpeg"), find("webp")], rows, [])
    assert list(results) == ["lat", "jpeg"]

    against = against_all(results, "lat", PSNR)["jpeg"]
    assert not isinstance(against.rate, str)
    assert against.rate.percent == pytest.approx(-25.0)
    assert against.mean_percent == pytest.approx((-50 - 50 + 25) / 3)
    assert against.wins == 2
    assert as_json(results)["lat_against"]["jpeg"]["psnr"]["wins"] == 2
    assert notes(results)[-1].endswith("on 2 of 3 images.")
    own = markdown_table(results)[2]
    assert "| -25.0 % | 25.0 to 34.0 | -25.0 % | 3/3 |" in own
    assert markdown_table(results)[3].startswith("| JPEG 4:2:0, optimised, progressive | 0 |")


def test_pooled_psnr_is_of_the_mean_error() -> None:
    rows = [replace(row, mse=mse) for mse in (1.0, 3.0) for row in rows_of("lat", {str(mse): 1.0})]
    result = collect([find("lat")], rows, [])["lat"]
    assert result.points[0].quality["psnr_pooled"] == pytest.approx(10 * math.log10(255**2 / 2))
    assert result.points[0].quality["psnr"] == 25.0


def test_refuses_with_a_reason() -> None:
    rows = rows_of("jpeg", {"a": 1.0}) + rows_of("lat", {"a": 0.5}, shift=90.0)
    results = collect([find("lat"), find("jpeg")], rows, [])
    text = "\n".join(notes(results))
    assert "latentcodec, RGB PSNR, dB, mean curve: the curves overlap by 0.00 dB, and 1 dB" in text
    assert "SSIMULACRA2, points, mean curve: the curves overlap by 0.00 points, and 10" in text
    assert "on 0 of 1 images (1 not comparable)" in text
    assert compare(results["jpeg"], results["lat"], PSNR).mean_percent is None
    del results["jpeg"]
    assert "anchor jpeg was not measured" in "\n".join(notes(results))
    assert "| latentcodec | - |" in "\n".join(markdown_table(results))


def test_published_costs_have_their_sources() -> None:
    costs = {curve.name: curve.kmac for curve in read_published(REFERENCE) if curve.kmac}
    assert {"EVC-small", "ELIC", "HPCM-large", "C3 adaptive", "shallow-ntc 2-layer"} <= set(costs)
    for cost in costs.values():
        assert cost.source and (cost.low is None or 0 < cost.low <= cost.high)
    assert costs["EVC-small"] == Multiplications(35.338, 35.338, "decoder", ANY)


def test_published_bd_rates_are_those_of_their_curves() -> None:
    rows = rows_of("jpeg", {"a": 1.0})
    anchor = collect([find("jpeg")], rows, [])["jpeg"]
    half = Published("half", "made up", [0.5 * 1.1**n for n in range(10)], {"psnr": QUALITIES})
    assert published_rate(anchor, half) == pytest.approx(-50.0)
    far = Published("far", "made up", [0.1, 0.2], {"psnr": [90.0, 95.0]})
    assert published_rate(anchor, far) is None


def test_complexity_shows_ours_and_theirs_apart(tmp_path: Path) -> None:
    rows = rows_of("jpeg", {"a": 1.0}) + rows_of("lat", {"a": 0.5})
    times = [TimeRow(name, 1, "a", "", "", 1, 1, 0.2, 0.1, 9.0) for name in ("jpeg", "lat")]
    results = collect([find("jpeg"), find("lat")], rows, times)
    published = read_published(REFERENCE, ["EVC-small", "ELIC", "AV1"])
    plot_complexity(results, published, {"lat": 10.3}, "made up", tmp_path)
    drawn = (tmp_path / "complexity.svg").read_text(encoding="utf-8")
    assert "EVC-small (published)" in drawn and "ELIC (published, with its encoder)" in drawn
    assert "AV1" not in drawn, "it has no networks whose cost could be published"
    assert drawn.count(">latentcodec<") == 2 and "stroke-dasharray" in drawn
    with Image.open(tmp_path / "complexity.png") as image:
        assert image.width > 1000
    del results["jpeg"]
    plot_complexity(results, published, {}, "made up", tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_published_curves_have_their_sources() -> None:
    curves = read_published(REFERENCE)
    assert len(curves) > 20
    assert all(curve.source for curve in curves)
    elic = read_published(REFERENCE, ["ELIC"])[0]
    assert set(elic.quality) == {"psnr"}
    with pytest.raises(LatError, match="no curve 'PNG'"):
        read_published(REFERENCE, ["PNG"])


@pytest.mark.parametrize(
    "text",
    [
        *("not json", "[]", '{"a": {"bpp": [1]}}', '{"a": {"bpp": [1], "psnr": [1, 2]}}'),
        '{"a": {"bpp": [1], "psnr": [1], "source": "", "kmac_per_pixel": {"of": "all"}}}',
    ],
)
def test_says_what_is_no_file_of_curves(tmp_path: Path, text: str) -> None:
    path = tmp_path / "curves.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(LatError, match="not a file of published curves"):
        read_published(path)
