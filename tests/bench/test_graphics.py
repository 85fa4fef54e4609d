"""The sets of graphics: the same pixels from the same seed, and nothing in common between two."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from PIL import Image

from latentcodec.training.data import Photographs
from tests.paths import KODAK, ROOT

pytestmark = pytest.mark.slow

matplotlib = pytest.importorskip("matplotlib", reason="the extra `bench` is not installed")
pytest.importorskip("pygments", reason="the extra `dev` is not installed")

GRAPHICS = ROOT / "benchmarks" / "data" / "graphics"
DRAWN = ("plot", "text", "flat", "drawing")  # by Python alone


@pytest.fixture(scope="module")
def script() -> Iterator[ModuleType]:
    """benchmarks/graphics.py"""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "benchmarks")
        import graphics

        yield graphics
    for name in [
        name for name in sys.modules if name.split(".")[0] in ("graphics", "graphics_set")
    ]:
        del sys.modules[name]


@pytest.fixture(scope="module")
def sources(script: ModuleType) -> dict[str, Any]:
    """What each side of the split draws from."""
    try:
        return {name: script.Sources.of(split) for name, split in script.SPLITS.items()}
    except script.TooFewFonts as error:
        pytest.skip(str(error))


def call(script: ModuleType, *arguments: object) -> Result:
    return CliRunner().invoke(script.main, [str(argument) for argument in arguments])


@pytest.mark.parametrize("kind", DRAWN)
def test_a_picture_is_a_function_of_its_seed(
    script: ModuleType, sources: dict[str, Any], kind: str
) -> None:
    def draw(split: str, seed: int, number: int) -> Image.Image:
        image: Image.Image = script.GraphicsSet(sources[split], seed).draw(kind, number)[0]
        return image

    first = draw("training", 1, 0)
    assert first.mode == "RGB" and min(first.size) >= 640 and max(first.size) <= 1440
    assert np.ptp(np.asarray(first)) > 0
    assert first == draw("training", 1, 0)
    for other in (draw("training", 2, 0), draw("benchmark", 1, 0), draw("training", 1, 1)):
        assert first != other


def test_nothing_is_on_both_sides(sources: dict[str, Any]) -> None:
    from graphics_set import split as split_module

    sides = sources["training"], sources["benchmark"]
    for material in (
        lambda side: {font.family.split()[0] for font in side.fonts.latin},
        lambda side: {font.path for font in side.fonts.scripts + side.fonts.icons},
        lambda side: set(side.corpus.pages),
        lambda side: set(side.corpus.sources),
    ):
        training, benchmark = map(material, sides)
        assert training and training.isdisjoint(benchmark)
    names = {
        "plot_style": (matplotlib.style.available, split_module._PLOT_STYLES),
        "colour_map": (list(matplotlib.colormaps), split_module._COLOUR_MAPS),
    }
    for what, (known, held_out) in names.items():
        # A name that matplotlib has no more would hold out nothing.
        assert held_out <= set(known)
        for side, expected in zip(sides, (set(known) - held_out, held_out), strict=True):
            assert {name for name in known if getattr(side.split, f"has_{what}")(name)} == expected


def test_a_set_is_what_the_training_reads(
    script: ModuleType, sources: dict[str, Any], tmp_path: Path
) -> None:
    del sources  # only that there are fonts
    out = tmp_path / "set"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", "")  # without Chromium
        made = call(script, "make", "training", "--out", out, "--count", 4, "--photos", KODAK)
    assert made.exit_code == 0, made.output
    assert made.stderr.count("\n") == 1
    assert made.stderr.startswith("page and screen pictures are left out: ")
    rows = json.loads((out / "index.json").read_text())
    assert {row["file"] for row in rows} == {path.name for path in out.glob("*.png")}
    assert len(rows) == 4 and {row["source"] for row in rows} == {"graphics"}
    assert len((out / "labels.csv").read_text().splitlines()) == 5
    loaded = Photographs.load([out], 640, torch.device("cpu"))
    assert len(loaded.images) == 4
    refused = call(script, "make", "training", "--out", out)
    assert refused.exit_code == 1 and refused.stderr == f"Error: {out} is not empty\n"


def test_mixtures_name_their_photograph(script: ModuleType, sources: dict[str, Any]) -> None:
    from graphics_set.photographs import Photograph

    photo = Photograph("a.png", (KODAK / "kodim23.png").read_bytes(), "CC0")
    drawn = script.GraphicsSet(sources["training"], 1, [], [photo])
    assert drawn.missing == {"page", "screen"}
    image, row = drawn.draw("mixture", 0)
    assert row == {"photograph": "a.png", "licence": "CC0"}
    assert image == drawn.draw("mixture", 0)[0]


def test_pages_are_drawn_alike_twice(script: ModuleType, sources: dict[str, Any]) -> None:
    pytest.importorskip("selenium")
    try:
        with script.browsers() as started:
            drawn = script.GraphicsSet(sources["benchmark"], 1, started)
            for kind in ("screen", "page"):
                image = drawn.draw(kind, 0)[0]
                assert min(image.size) >= 640 and image == drawn.draw(kind, 0)[0]
    except script.NoBrowser as error:
        pytest.skip(str(error))


def test_too_few_fonts_are_told(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from matplotlib import font_manager

    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: [])
    made = call(script, "make", "training", "--out", tmp_path / "set")
    assert made.exit_code == 1
    assert made.stderr.startswith("Error: the training set needs 4 typefaces")
    assert not (tmp_path / "set").exists()


def test_the_table_of_a_tiny_set(script: ModuleType, tmp_path: Path) -> None:
    tiny, out = tmp_path / "tiny", tmp_path / "out"
    tiny.mkdir()
    for path in sorted(GRAPHICS.glob("screen-*.png"))[:2]:
        with Image.open(path) as image:
            image.crop((0, 0, 256, 192)).save(tiny / path.name)
    options = ("--codecs", "lat,jpeg,webp", "--points", 3)
    result = call(script, "run", "--images", tiny, "--out", out, *options)
    assert result.exit_code == 0, result.output
    table = json.loads((out / "results.json").read_text())["codecs"]
    assert list(table) == ["lat", "jpeg", "webp"]
    webp = table["webp"]["against_jpeg"]["psnr"]["bd_rate_of_mean_curve_percent"]
    assert -90 < webp < 0
    with (out / "lossless.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["image"] for row in rows] == sorted(path.name for path in tiny.iterdir())
    assert all(0 < float(row["webp_bpp"]) < float(row["png_bpp"]) for row in rows)


def test_a_folder_without_images_is_refused(
    script: ModuleType, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "none").mkdir()
    result = call(script, "run", "--images", tmp_path / "none", "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert capfd.readouterr().err == f"Error: {tmp_path / 'none'} has no images\n"


def test_the_committed_set_is_whole() -> None:
    rows = json.loads((GRAPHICS / "index.json").read_text())
    labels = [line.split(",") for line in (GRAPHICS / "labels.csv").read_text().splitlines()[1:]]
    assert labels == sorted([row["file"], row["file"].partition("-")[0]] for row in rows)
    assert {row["file"] for row in rows} == {path.name for path in GRAPHICS.glob("*.png")}
    for row in rows:
        with Image.open(GRAPHICS / row["file"]) as image:
            assert image.mode == "RGB" and min(image.size) >= 640
            assert np.ptp(np.asarray(image), axis=(0, 1)).max() > 40
