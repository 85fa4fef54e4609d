"""What each effort of the encoder gains and takes: the table of docs/effort.md.

    python benchmarks/effort.py benchmarks/data/kodak --tune psnr [--json effort.json]

BD-rates are those of the mean curves over all pictures, against effort 2 of the same weights, from
sizes of real files. Seconds are those of one encoding, a mean, with torch's threads as they are.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
from PIL import Image

import latentcodec
from latentcodec.bench.bdrate import Curve, NotComparable, bd_rate
from latentcodec.bench.metrics import bits_per_pixel, distortion
from latentcodec.runtime import model_store

_METRICS = ("psnr", "ms_ssim_db", "ssimulacra2")
_QUALITIES = (10, 30, 50, 72, 90)
_ANCHOR = 2


@dataclasses.dataclass(frozen=True)
class Row:
    """One picture at one quality and effort; seconds to encode it."""

    picture: str
    quality: float
    effort: int
    bpp: float
    seconds: float
    psnr: float
    ms_ssim_db: float
    ssimulacra2: float


def rows_of(
    path: Path, crop_px: int | None, model: str, qualities: Sequence[float], efforts: Sequence[int]
) -> list[Row]:
    """Measure one picture, or its middle."""
    image = Image.open(path).convert("RGB")
    if crop_px:
        left, top = max(image.width - crop_px, 0) // 2, max(image.height - crop_px, 0) // 2
        right, bottom = min(left + crop_px, image.width), min(top + crop_px, image.height)
        image = image.crop((left, top, right, bottom))
    found = []
    for quality in qualities:
        for effort in efforts:
            start = time.perf_counter()
            data = latentcodec.encode(image, model=model, quality=quality, effort=effort)
            seconds = time.perf_counter() - start
            measured = distortion(np.asarray(image), np.asarray(latentcodec.decode(data)))
            bpp = bits_per_pixel(len(data), image.width, image.height)
            values = (getattr(measured, metric) for metric in _METRICS)
            found.append(Row(path.stem, quality, effort, bpp, seconds, *values))
    return found


def curve(rows: Sequence[Row], effort: int, metric: str) -> Curve:
    """The mean curve of an effort."""
    of_effort = [row for row in rows if row.effort == effort]
    points = [
        [row for row in of_effort if row.quality == quality]
        for quality in sorted({row.quality for row in of_effort})
    ]
    return Curve.from_points(
        [float(np.mean([row.bpp for row in point])) for point in points],
        [float(np.mean([getattr(row, metric) for row in point])) for point in points],
    )


def gain(rows: Sequence[Row], effort: int, metric: str) -> str:
    """The BD-rate of an effort against that of today, for a table."""
    try:
        rate = bd_rate(curve(rows, _ANCHOR, metric), curve(rows, effort, metric))
    except NotComparable:
        return "-"
    return f"{rate.percent:+.1f} %"


def table(rows: Sequence[Row]) -> list[str]:
    """A line for each effort."""
    lines = [
        "| effort | BD-rate, PSNR | MS-SSIM | SSIMULACRA2 | seconds a picture |",
        "|---|---|---|---|---|",
    ]
    for effort in sorted({row.effort for row in rows}):
        gains = " | ".join(gain(rows, effort, metric) for metric in _METRICS)
        seconds = float(np.mean([row.seconds for row in rows if row.effort == effort]))
        lines.append(f"| {effort} | {gains} | {seconds:.2f} |")
    return lines


@click.command()
@click.argument("images", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--tune", type=click.Choice(model_store.TUNES))
@click.option("--model", help="Instead of a tune: a packaged model, or a file of weights.")
@click.option("--quality", "qualities", type=float, multiple=True, default=_QUALITIES)
@click.option("--effort", "efforts", type=int, multiple=True, default=tuple(range(1, 10)))
@click.option("--limit", type=int, help="So many of the pictures.")
@click.option("--crop", "crop_px", type=int, help="The middle of each, so many pixels a side.")
@click.option("--json", "kept", type=click.Path(path_type=Path), help="Keep every row here.")
def main(
    images: Path,
    tune: model_store.Tune | None,
    model: str | None,
    qualities: tuple[float, ...],
    efforts: tuple[int, ...],
    limit: int | None,
    crop_px: int | None,
    kept: Path | None,
) -> None:
    """Pictures are the .png files of the folder IMAGES."""
    if model and model.endswith(".safetensors"):
        model = model_store.register_weights(model)
    model = model_store.chosen(model, tune)
    wanted = sorted({_ANCHOR, *efforts})
    rows: list[Row] = []
    for path in sorted(images.glob("*.png"))[:limit]:
        rows += rows_of(path, crop_px, model, qualities, wanted)
        click.echo(f"{path.stem}: done", err=True)
    if kept:
        kept.write_text(json.dumps([dataclasses.asdict(row) for row in rows], indent=1))
    click.echo("\n".join(table(rows)))


if __name__ == "__main__":
    main()
