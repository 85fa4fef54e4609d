"""How much fine detail crops for training have, beside photographs that are to be coded.

The energy of 16x16 DCT coefficients of luma, grey levels squared, the mean over those of the same
largest frequency index (1 to 15, in rows or columns) of each block; quartiles over the blocks.

python benchmarks/detail.py TRAINING VALIDATION
"""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from latentcodec.models.dct import BLOCK_PX, dct_matrix
from latentcodec.training.data import Augmentation, CropSampler, Photographs

_CROP_PX = 256
_BATCH = 8
_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601
_INDICES = (5, 9, 13, 15)


def energies(pixels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of pixels [H, W, 3], 0..255: [blocks, 16], by the largest frequency index."""
    luma = pixels @ _LUMA
    rows, columns = (size // BLOCK_PX for size in luma.shape)
    blocks = luma[: rows * BLOCK_PX, : columns * BLOCK_PX]
    blocks = blocks.reshape(rows, BLOCK_PX, columns, BLOCK_PX).transpose(0, 2, 1, 3)
    dct = dct_matrix(BLOCK_PX)
    squares = (dct @ blocks @ dct.T).reshape(-1, BLOCK_PX, BLOCK_PX) ** 2
    index = np.maximum(*np.mgrid[:BLOCK_PX, :BLOCK_PX])
    return np.stack([squares[:, index == i].mean(1) for i in range(BLOCK_PX)], axis=1)


def _report(name: str, found: list[NDArray[np.float64]]) -> None:
    by_index = np.concatenate(found)[:, _INDICES]
    for index, quartiles in zip(
        _INDICES, np.quantile(by_index, (0.25, 0.5, 0.75), 0).T, strict=True
    ):
        values = "  ".join(f"{value:8.2f}" for value in quartiles)
        click.echo(f"{name:<12}index {index:>2}  {values}")


@click.command(help=__doc__)
@click.argument("training", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.argument("validation", type=click.Path(path_type=Path, exists=True))
@click.option("--batches", default=60, show_default=True, help=f"Of {_BATCH} crops.")
@click.option("--seed", default=1, show_default=True)
def main(training: tuple[Path, ...], validation: Path, batches: int, seed: int) -> None:
    files = sorted(validation.glob("*.png"))
    _report(
        "validation", [energies(np.asarray(Image.open(f).convert("RGB"), float)) for f in files]
    )
    smallest = Augmentation().smallest_px(_CROP_PX)
    photographs = Photographs.load(training, smallest, torch.device("cpu"))
    sampler = CropSampler(photographs, _CROP_PX, seed)
    crops = (sampler.batch(number, _BATCH) for number in range(batches))
    pixels = (127.5 * (crop.double().numpy() + 1) for batch in crops for crop in batch)
    _report("training", [energies(crop) for crop in pixels])


if __name__ == "__main__":
    main()
