"""What the width of the transforms' weights costs: BD-rates of real payloads against no rounding.

    python benchmarks/weight_bits.py CHECKPOINT PHOTOGRAPHS [--every 3] [--average 0.9995]

Weights of g_a, g_s and h_a are integers with a scale for each output, as `export` writes them with
8 bits; the shortcuts are in half precision in all rows but the first.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import click
import numpy as np
import torch
from PIL import Image
from torch import Tensor
from validation_curve import QUALITIES, mean_curves, row_of

from latentcodec.bench.bdrate import bd_rate
from latentcodec.runtime.base import Family
from latentcodec.runtime.registry import load
from latentcodec.training import export

_WIDTHS = (10, 8, 7, 6)


def _rounded(name: str, weight: Tensor, bits: int) -> dict[str, Tensor]:
    """Instead of int8 tensors: the same in single precision."""
    largest = weight.abs().flatten(1).amax(1).clamp_min(1e-30)
    scale = (largest / (2 ** (bits - 1) - 1)).view(-1, *[1] * (weight.ndim - 1))
    return {name: (weight / scale).round() * scale}


def _models(path: Path, average: float | None) -> Iterator[tuple[str, Family]]:
    """Without rounding, and with each width."""
    kept = mock.patch.multiple(
        export,
        _in_8_bits=lambda name, weight: {name: weight},
        _SINGLE=(*export._SINGLE, "shortcut"),
    )
    with kept:
        yield "single precision", _exported(path, average)
    for bits in _WIDTHS:
        rounding = lambda name, weight, bits=bits: _rounded(name, weight, bits)  # noqa: E731
        with mock.patch.object(export, "_in_8_bits", rounding):
            yield f"{bits} bits", _exported(path, average)


def _exported(path: Path, average: float | None) -> Family:
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "weights"
        export.export(path, target, average=average)
        family = load(target.read_bytes(), "torch")
    assert isinstance(family, Family)
    return family


@click.command()
@click.argument("checkpoint", type=click.Path(path_type=Path, exists=True))
@click.argument("photographs", type=click.Path(path_type=Path, exists=True))
@click.option("--average", type=float, help="A decay [the first].")
@click.option("--every", default=1, show_default=True, help="Use every so many photographs.")
def main(checkpoint: Path, photographs: Path, average: float | None, every: int) -> None:
    """Print a table of widths."""
    files = sorted(photographs.glob("*.png"))[::every]
    pictures = [np.asarray(Image.open(path).convert("RGB")) for path in files]
    pictures = [p[: p.shape[0] // 64 * 64, : p.shape[1] // 64 * 64] for p in pictures]
    anchor = None
    click.echo("| weights | PSNR | MS-SSIM |\n|---|---|---|")
    for name, family in _models(checkpoint, average):
        *curves, _ = mean_curves(pictures, QUALITIES, row_of(family))
        anchor = anchor or curves
        rates = [bd_rate(*pair).percent for pair in zip(anchor, curves, strict=True)]
        click.echo(f"| {name} | {rates[0]:+.2f} % | {rates[1]:+.2f} % |")


if __name__ == "__main__":
    torch.set_flush_denormal(True)
    main()
