"""The benchmark: its arithmetic against published curves, and its runner on a tiny image."""

from __future__ import annotations

import csv
import importlib.util
import json
import math
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

pytest.importorskip("scipy", reason="the extra `bench` is not installed")
pytest.importorskip("matplotlib", reason="the extra `bench` is not installed")

from latentcodec.bench.bdrate import Curve, NotComparable, bd_rate
from latentcodec.bench.codecs import CODECS, PillowCodec
from latentcodec.bench.metrics import bits_per_pixel, psnr_db
from latentcodec.bench.report import collect, compare, summary, table
from latentcodec.bench.run import Row, measure, read_rows

ROOT = Path(__file__).resolve().parent.parent
PUBLISHED = json.loads((ROOT / "benchmarks/reference/kodak_rd.json").read_text(encoding="utf-8"))
JPEG = next(codec for codec in CODECS if codec.name == "jpeg420")


def published(name: str) -> Curve:
    return Curve.from_points(PUBLISHED[name]["bpp"], PUBLISHED[name]["psnr"])


@pytest.mark.parametrize(
    ("name", "percent"),
    [
        ("WebP", -36.2),
        ("bmshj2018-hyperprior", -55.0),
        ("mbt2018-mean", -58.0),
        ("AV1", -62.4),
        ("VVC (VTM 9.1)", -67.6),
    ],
)
def test_bd_rate_of_published_curves(name: str, percent: float) -> None:
    assert bd_rate(published("JPEG"), published(name)).percent == pytest.approx(percent, abs=0.5)


def test_bd_rate_of_identical_curves_is_zero() -> None:
    result = bd_rate(published("JPEG"), published("JPEG"))
    assert result.percent == pytest.approx(0.0, abs=1e-9)
    assert (result.low_db, result.high_db) == (
        pytest.approx(min(PUBLISHED["JPEG"]["psnr"])),
        pytest.approx(max(PUBLISHED["JPEG"]["psnr"])),
    )


def test_half_the_rate_is_minus_fifty_percent() -> None:
    anchor = published("JPEG")
    half = Curve(bpp=anchor.bpp / 2, psnr_db=anchor.psnr_db)
    assert bd_rate(anchor, half).percent == pytest.approx(-50.0)
    assert bd_rate(half, anchor).percent == pytest.approx(100.0)


@pytest.mark.parametrize(("start_db", "accepted"), [(34.01, False), (33.99, True), (40.0, False)])
def test_refuses_less_than_one_db_of_overlap(start_db: float, accepted: bool) -> None:
    anchor = Curve.from_points([0.5, 1.0, 2.0], [30.0, 33.0, 35.0])
    test = Curve.from_points([0.5, 1.0, 2.0], [start_db, start_db + 2, start_db + 4])
    if accepted:
        assert bd_rate(anchor, test).high_db == 35.0
    else:
        with pytest.raises(NotComparable, match="overlap by 0"):
            bd_rate(anchor, test)


def test_refuses_a_curve_of_one_point() -> None:
    with pytest.raises(NotComparable, match="2 points"):
        bd_rate(published("JPEG"), Curve.from_points([1.0], [33.0]))


def test_curve_drops_what_does_not_rise() -> None:
    curve = Curve.from_points(
        [2.0, 0.5, 1.0, 1.0, 1.5, 3.0], [35.0, 30.0, 31.0, 32.0, 32.0, math.inf]
    )
    assert curve.bpp.tolist() == [0.5, 1.0, 2.0]
    assert curve.psnr_db.tolist() == [30.0, 32.0, 35.0]


def test_curve_refuses_a_rate_of_zero() -> None:
    with pytest.raises(ValueError, match="above 0 bpp"):
        Curve.from_points([0.0, 1.0], [30.0, 31.0])


def test_psnr_of_known_arrays() -> None:
    black = np.zeros((4, 5, 3), dtype=np.uint8)
    one_channel = black.copy()
    one_channel[..., 1] = 3
    assert psnr_db(black, np.full_like(black, 255)) == pytest.approx(0.0)
    assert psnr_db(np.full_like(black, 1), black) == pytest.approx(48.1308, abs=1e-4)
    assert psnr_db(black, one_channel) == pytest.approx(10 * math.log10(255**2 / 3))
    assert psnr_db(black, black) == math.inf


def test_psnr_refuses_unlike_arrays() -> None:
    black = np.zeros((4, 5, 3), dtype=np.uint8)
    with pytest.raises(ValueError, match="decoded image is"):
        psnr_db(black, black[:3])
    with pytest.raises(ValueError, match="uint8"):
        psnr_db(black, black.astype(np.float32))


def test_bits_per_pixel() -> None:
    assert bits_per_pixel(size_bytes=96, width_px=32, height_px=12) == 2.0
    with pytest.raises(ValueError, match="no pixels"):
        bits_per_pixel(10, 0, 5)


@pytest.fixture
def image_folder(tmp_path: Path) -> Path:
    """A folder with one smooth, slightly noisy RGB image of 48x32 px."""
    folder = tmp_path / "images"
    folder.mkdir()
    rows, columns = np.mgrid[0:32, 0:48]
    smooth = np.stack([4 * columns, 6 * rows, 2 * (rows + columns)], axis=-1)
    noise = np.random.default_rng(1).integers(0, 20, smooth.shape)
    Image.fromarray((smooth + noise).astype(np.uint8)).save(folder / "tiny.png")
    return folder


def test_csv_has_the_sizes_of_real_files(image_folder: Path, tmp_path: Path) -> None:
    assert isinstance(JPEG, PillowCodec)
    codec = replace(JPEG, settings=(30, 80))
    csv_path = tmp_path / "rd.csv"
    seen: list[tuple[str, int, int]] = []
    paths = [image_folder / "tiny.png"]
    rows = measure([codec], paths, csv_path, False, lambda *progress: seen.append(progress))

    assert seen == [("jpeg420", 1, 2), ("jpeg420", 2, 2)]
    assert read_rows(csv_path) == rows
    with csv_path.open(encoding="utf-8", newline="") as stream:
        records = list(csv.DictReader(stream))
    assert [record["setting"] for record in records] == ["30", "80"]
    image = Image.open(image_folder / "tiny.png")
    for record in records:
        path = tmp_path / "again.jpg"
        image.save(
            path,
            quality=int(record["setting"]),
            subsampling="4:2:0",
            optimize=True,
            progressive=True,
        )
        assert int(record["bytes"]) == path.stat().st_size
        assert float(record["bpp"]) == pytest.approx(8 * path.stat().st_size / (48 * 32))
        decoded = np.asarray(Image.open(path).convert("RGB"))
        assert float(record["psnr"]) == pytest.approx(psnr_db(np.asarray(image), decoded))


def test_resume_reuses_finished_rows_only(image_folder: Path, tmp_path: Path) -> None:
    assert isinstance(JPEG, PillowCodec)
    codec = replace(JPEG, settings=(30, 80))
    csv_path, paths = tmp_path / "rd.csv", [image_folder / "tiny.png"]
    first, second = measure([codec], paths, csv_path, False, lambda codec, done, total: None)
    # A run that was killed while it wrote the second row; the first is marked to be known again.
    marked = replace(first, encode_s=77.0)
    text = csv_path.read_text(encoding="utf-8").replace(f",{first.encode_s},", ",77.0,")
    csv_path.write_text(text[:-9], encoding="utf-8")

    resumed = measure([codec], paths, csv_path, True, lambda codec, done, total: None)
    assert resumed[0] == marked
    assert resumed[1].bytes == second.bytes
    assert read_rows(csv_path) == resumed
    assert (
        measure([codec], paths, csv_path, False, lambda codec, done, total: None)[0].encode_s
        != 77.0
    )


def test_refuses_a_table_with_other_columns(tmp_path: Path) -> None:
    (tmp_path / "rd.csv").write_text("codec,bytes\njpeg420,12\n", encoding="utf-8")
    with pytest.raises(ValueError, match="other columns"):
        read_rows(tmp_path / "rd.csv")


def rows_of(codec: str, factors: dict[str, float], shift_db: float = 0.0) -> list[Row]:
    """Rows of a codec that needs `factor` times the rate of a made-up reference, by image."""
    settings = next(entry.settings for entry in CODECS if entry.name == codec)
    return [
        Row(codec, setting, image, 8, 8, 1, factor * 1.1**step, 25 + step + shift_db, 0.1, 0.2)
        for image, factor in factors.items()
        for step, setting in enumerate(settings)
    ]


def test_report_counts_wins_and_averages_both_ways() -> None:
    rows = rows_of("jpeg420", {"a": 1.0, "b": 1.0, "c": 1.0})
    rows += rows_of("lat", {"a": 0.5, "b": 0.5, "c": 1.25})
    results = collect(CODECS, rows)
    assert list(results) == ["lat", "jpeg420"]

    against = compare(results["jpeg420"], results["lat"])
    assert not isinstance(against.of_mean_curve, str)
    assert against.of_mean_curve.percent == pytest.approx(-25.0)
    assert against.mean_percent == pytest.approx((-50 - 50 + 25) / 3)
    assert against.wins == 2
    figures = summary(results)
    assert figures["lat_against"]["jpeg420"]["wins"] == 2
    assert "on 2 of 3 images (0 not comparable)" in table(results)[-1]


def test_report_refuses_with_a_reason() -> None:
    rows = rows_of("jpeg420", {"a": 1.0}) + rows_of("lat", {"a": 0.5}, shift_db=30.0)
    results = collect(CODECS, rows)
    text = "\n".join(table(results))
    assert "latentcodec, mean curve: the curves overlap by 0.00 dB, and 1 dB is needed." in text
    assert "on 0 of 1 images (1 not comparable)" in text
    del results["jpeg420"]
    assert "no BD-rate, because jpeg420 was not measured" in "\n".join(table(results))


def kodak_script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("kodak_script", ROOT / "benchmarks/kodak.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_script_writes_its_three_files(image_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = ["--images", str(image_folder), "--out", str(out), "--codecs", "webp,jpeg420"]
    run = CliRunner().invoke(kodak_script().main, [*arguments, "--limit", "1"])
    assert run.exit_code == 0, run.output
    assert "JPEG 4:2:0" in run.stdout
    assert "webp: 15 of 15" in run.stderr
    facts = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    assert facts["images"] == {"folder": "images", "count": 1}
    assert facts["versions"]["webp"].startswith("Pillow ")
    assert str(tmp_path) not in (out / "summary.json").read_text(encoding="utf-8")
    assert len(read_rows(out / "rd.csv")) == 30
    assert Image.open(out / "rd.png").format == "PNG"


def test_script_says_what_is_wrong(tmp_path: Path) -> None:
    main = kodak_script().main
    empty = CliRunner().invoke(main, ["--images", str(tmp_path), "--out", str(tmp_path / "out")])
    assert empty.exit_code == 1
    assert "has no images" in empty.output
    unknown = CliRunner().invoke(main, ["--images", str(tmp_path), "--codecs", "jpeg420,gif"])
    assert unknown.exit_code == 2
    assert "'gif' is none of lat,jpeg420" in unknown.output


def test_script_skips_what_pillow_lacks(
    image_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("PIL.features.check", lambda feature: feature != "avif")
    out = tmp_path / "out"
    arguments = ["--images", str(image_folder), "--out", str(out), "--codecs", "jpeg420,avif"]
    run = CliRunner().invoke(kodak_script().main, arguments)
    assert run.exit_code == 0, run.output
    assert "avif is skipped: Pillow" in run.stderr
    assert (
        "AVIF" in json.loads((out / "summary.json").read_text(encoding="utf-8"))["skipped"]["avif"]
    )
