"""Graphics (screens, plots, text, drawings, flat art): sets of them, and the benchmark on one.

python benchmarks/graphics.py make training --out FOLDER --photos PHOTOS
python benchmarks/graphics.py run
"""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
from graphics_set.browser import NoBrowser, browsers
from graphics_set.fonts import TooFewFonts
from graphics_set.photographs import read_photographs
from graphics_set.sources import Sources
from graphics_set.split import SPLITS
from graphics_set.write import RENDERED, GraphicsSet, write_set
from PIL import Image

from latentcodec.bench.images import list_images

ROOT = Path(__file__).resolve().parent.parent
SET = ROOT / "benchmarks" / "data" / "graphics"
RESULTS = ROOT / "benchmarks" / "results" / "graphics"
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
NEW_FOLDER = click.Path(file_okay=False, path_type=Path)
# The rivals at their best, and AVIF as Pillow has it.
_CODECS = "lat,lat:psnr,jpeg,jpegli,webp,avif,avif:2,avif:psnr:444:2,jxl:9,heic,heic:psnr:444"
_LOSSLESS_WEBP: dict[str, Any] = {"lossless": True, "method": 6, "quality": 100}


@click.group()
def main() -> None:
    """Make sets of graphics, and measure codecs on one."""


@main.command()
@click.argument("split", type=click.Choice(sorted(SPLITS)))
@click.option("--out", type=NEW_FOLDER, required=True)
@click.option("--count", type=click.IntRange(min=1), default=360, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--photos", type=FOLDER, help="Photographs, or tar files of them, for mixtures.")
def make(split: str, out: Path, count: int, seed: int, photos: Path | None) -> None:
    """Write a set of PNG files and their index.json into a new folder.

    The same seed, fonts, library versions and state of this repository give the same pixels.
    """
    if out.exists() and any(out.iterdir()):
        raise click.ClickException(f"{out} is not empty")
    try:
        sources = Sources.of(SPLITS[split])
        photographs = read_photographs(photos) if photos else []
    except (TooFewFonts, OSError) as error:
        raise click.ClickException(str(error)) from None
    if not photographs:
        click.echo("There are no photographs: mixtures with them are left out.", err=True)
    try:
        with browsers() as started:
            _write(GraphicsSet(sources, seed, started, photographs), count, out)
    except NoBrowser as error:
        click.echo(f"{' and '.join(sorted(RENDERED))} pictures are left out: {error}.", err=True)
        _write(GraphicsSet(sources, seed, [], photographs), count, out)


def _write(graphics: GraphicsSet, count: int, out: Path) -> None:
    try:
        with click.progressbar(length=count, label=str(out)) as bar:
            write_set(graphics, count, out, lambda: bar.update(1))
    except OSError as error:
        raise click.ClickException(str(error)) from None


@main.command()
@click.option("--images", type=FOLDER, default=SET, show_default="the set in benchmarks/data")
@click.option("--out", type=NEW_FOLDER, default=RESULTS, show_default="benchmarks/results")
@click.option("--codecs", default=_CODECS, show_default=True)
@click.option("--points", type=click.IntRange(min=2), default=10, show_default=True)
def run(images: Path, out: Path, codecs: str, points: int) -> None:
    """Measure codecs on the benchmark's set; an interrupted run goes on.

    Beside what `latentcodec bench` writes, lossless.csv has the sizes of exact copies.
    """
    command = ("bench", str(images), "--out", str(out), "--codecs", codecs)
    quick = ("--points", str(points), "--timed-images", "0", "--sliders", "0")
    bench = subprocess.run([sys.executable, "-m", "latentcodec", *command, *quick])
    if bench.returncode:
        sys.exit(bench.returncode)  # which has said why
    rows = [_lossless(path) for path in list_images(images)]
    with (out / "lossless.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    for name in ("png_bpp", "webp_bpp"):
        mean = sum(float(row[name]) for row in rows) / len(rows)
        click.echo(f"lossless, {name.removesuffix('_bpp')}: {mean:.3f} bpp")


def _lossless(path: Path) -> dict[str, str]:
    """Bits per pixel of the exact copies that Pillow writes at its best, PNG and WebP."""
    sizes = {}
    with Image.open(path) as image:
        for name, options in (("png", {"optimize": True}), ("webp", _LOSSLESS_WEBP)):
            buffer = io.BytesIO()
            image.convert("RGB").save(buffer, name, **options)
            sizes[f"{name}_bpp"] = (
                f"{8 * len(buffer.getvalue()) / (image.width * image.height):.6f}"
            )
    return {"image": path.name, **sizes}


if __name__ == "__main__":
    main()
