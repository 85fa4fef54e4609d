"""How good the averages of a training checkpoint are: real payloads of photographs, as BD-rates.

`score` appends one JSON line for each average to a file; `figure` draws the curve of a run from it,
and `compare` says at which PSNR the last lines of several files save bits.
The anchor is Pillow's JPEG, 4:2:0, optimised, progressive.
"""

from __future__ import annotations

import json
import math
import platform
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from latentcodec.bench import codecs
from latentcodec.bench.bdrate import Curve, bd_rate
from latentcodec.bench.metrics import decibels, mean_squared_error, ms_ssim, psnr_db
from latentcodec.runtime import tensor_file
from latentcodec.runtime.base import Family
from latentcodec.runtime.registry import load
from latentcodec.training.export import export

QUALITIES = (5, 25, 45, 65, 80, 95)
_JPEG_QUALITIES = (10, 20, 35, 50, 65, 75, 85, 92, 96)

Pixels = NDArray[np.uint8]
Row = tuple[float, float, float]  # bits per pixel, PSNR in dB, MS-SSIM in dB


def _row(original: Pixels, decoded: Pixels, size_bytes: int) -> Row:
    bpp = 8 * size_bytes / (original.shape[0] * original.shape[1])
    psnr = psnr_db(mean_squared_error(original, decoded))
    return bpp, psnr, decibels(ms_ssim(original, decoded))


def _jpeg(pixels: Pixels, quality: float) -> Row:
    codec, image = codecs.find("jpeg"), Image.fromarray(pixels)
    data = codec.encode(image, quality)
    return _row(pixels, np.asarray(codec.decode(data)), len(data))


def mean_curves(
    pictures: list[Pixels], qualities: tuple[int, ...], row: Callable[[Pixels, float], Row]
) -> tuple[Curve, Curve, NDArray[np.float64]]:
    """Curves of the means by PSNR and by MS-SSIM, and these means [qualities, 3]."""
    rows = np.array([[row(p, q) for p in pictures] for q in qualities]).mean(1)
    return (
        Curve.from_points(rows[:, 0].tolist(), rows[:, 1].tolist()),
        Curve.from_points(rows[:, 0].tolist(), rows[:, 2].tolist()),
        rows,
    )


def row_of(family: Family) -> Callable[[Pixels, float], Row]:
    """What measures a picture at a quality: its payload alone, without the container."""

    def row(pixels: Pixels, quality: float) -> Row:
        tenths = round(10 * quality)
        y = family.analyse(pixels, tenths)
        payload, v_hat = family.encode_latents(y, tenths)
        decoded = family.synthesise(v_hat, tenths)
        return _row(pixels, decoded, len(payload))

    return row


def _scored(weights: bytes, pictures: list[Pixels], anchor: tuple[Curve, Curve]) -> dict[str, Any]:
    family = load(weights)
    assert isinstance(family, Family)
    psnr, similarity, rows = mean_curves(pictures, QUALITIES, row_of(family))
    return {
        "bd_rate_psnr": round(bd_rate(anchor[0], psnr).percent, 2),
        "bd_rate_ms_ssim": round(bd_rate(anchor[1], similarity).percent, 2),
        "points": np.round(rows, 4).tolist(),
    }


@click.group()
def main() -> None:
    """Score checkpoints, and draw the curve of a training run."""


@main.command()
@click.argument("path", metavar="CHECKPOINT", type=click.Path(path_type=Path, exists=True))
@click.argument("photographs", type=click.Path(path_type=Path, exists=True))
@click.option("--average", "averages", multiple=True, type=float, help="Decays [the first].")
@click.option("--every", default=1, show_default=True, help="Use every so many photographs.")
@click.option("--processor", default=platform.processor(), help="What it was trained on.")
@click.option("--out", type=click.Path(path_type=Path), help="A file of JSON lines to append to.")
def score(
    path: Path,
    photographs: Path,
    averages: tuple[float, ...],
    every: int,
    processor: str,
    out: Path | None,
) -> None:
    """Score the averages of CHECKPOINT on a folder of PHOTOGRAPHS."""
    files = sorted(photographs.glob("*.png"))[::every]
    pictures = [np.asarray(Image.open(p).convert("RGB")) for p in files]
    pictures = [p[: p.shape[0] // 64 * 64, : p.shape[1] // 64 * 64] for p in pictures]
    anchor = mean_curves(pictures, _JPEG_QUALITIES, _jpeg)[:2]
    for average in averages or (None,):
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "weights"
            export(path, target, average=average)
            weights = target.read_bytes()
        progress = _progress(weights)
        line = progress | {"processor": processor, "average": average, "photographs": len(files)}
        line |= _scored(weights, pictures, anchor)
        text = json.dumps(line)
        click.echo(text)
        if out:
            with out.open("a") as stream:
                stream.write(text + "\n")


@main.command()
@click.argument("base", type=click.Path(path_type=Path, exists=True))
@click.argument("others", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
def compare(base: Path, others: tuple[Path, ...]) -> None:
    """Bits at equal PSNR against the last line of BASE, in percent, of that of each of OTHERS."""
    anchor = _last_curve(base)
    for path in others:
        curve = _last_curve(path)
        low = max(anchor.quality[0], curve.quality[0])
        high = min(anchor.quality[-1], curve.quality[-1])
        for db in range(math.ceil(low + 0.5), math.floor(high - 0.5) + 1):
            spans = (c.mean_log_rate(db - 0.5, db + 0.5) for c in (curve, anchor))
            change = 100 * math.expm1(next(spans) - next(spans))
            click.echo(f"{path}  {db} dB  {change:+.1f} %")


def _last_curve(path: Path) -> Curve:
    """That of the means by PSNR."""
    bpp, psnr, _ = zip(*json.loads(path.read_text().splitlines()[-1])["points"], strict=True)
    return Curve.from_points(bpp, psnr)


def _progress(weights: bytes) -> dict[str, Any]:
    trained = tensor_file.unpack(weights)[1]["trained"]
    return {
        "updates": trained["step"],
        "crops": trained["crops"],
        "hours": round(trained["seconds"] / 3600, 2),
    }


@main.command()
@click.argument("lines", type=click.Path(path_type=Path, exists=True))
@click.argument("picture", type=click.Path(path_type=Path))
def figure(lines: Path, picture: Path) -> None:
    """Draw LINES, as `score` writes them, as a PICTURE: BD-rates over the crops seen."""
    from matplotlib import pyplot

    rows = [json.loads(line) for line in lines.read_text().splitlines()]
    axes: Any
    sheet, axes = pyplot.subplots(figsize=(7, 4), layout="constrained")
    for metric, label in (("psnr", "PSNR"), ("ms_ssim", "MS-SSIM")):
        for average in sorted({row["average"] or 0.999 for row in rows}):
            own = [row for row in rows if (row["average"] or 0.999) == average]
            crops = [row["crops"] / 1000 for row in own]
            rates = [row[f"bd_rate_{metric}"] for row in own]
            axes.plot(crops, rates, marker="o", label=f"{label}, average of {average}")
    axes.set(xscale="log", xlabel="crops seen, thousands", ylabel="BD-rate against JPEG, %")
    axes.grid(alpha=0.3)
    axes.legend()
    sheet.savefig(picture, dpi=120)


if __name__ == "__main__":
    torch.set_flush_denormal(True)
    main()
