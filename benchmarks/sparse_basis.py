"""A basis for blocks of photographs with fewer large coefficients than the DCT's, and a prefilter.

python benchmarks/sparse_basis.py PHOTOS --out latentcodec/models/sparse_basis.npz

The DCT has the least energy in few coefficients for what is alike all over; an edge in a block
takes all of them. Coefficients cost about log2(1 + |c| / step) bits each, and the sum of these over
photographs is least for a basis whose higher frequencies are less than a block wide. Compare Sezer,
Guleryuz and Altunbasak 2015, "Approximation and Compression With Sparse Orthonormal Transforms".
"""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np
import torch
from torch import Tensor

from latentcodec.models.dct import BLOCK_PX, dct_matrix
from latentcodec.training.data import Augmentation, CropSampler, Photographs

_STEPS = (8.0, 16.0, 32.0)  # quantisation steps, in grey levels: those of the middle qualities
_UPDATES = 1500
_WINDOWS = 2000  # for each update
_RATE = 0.004
_CROP_PX = 256
_BATCH, _BATCHES = 8, 48
_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601
_SPAN_PX = (
    3 * BLOCK_PX
)  # what a block sees through a prefilter, and the rest of that filter's reach


def sparse_basis(luma: Tensor) -> tuple[Tensor, Tensor]:
    """Basis [16, 16], orthonormal rows from low to high frequency, and prefilter [16, 16].

    luma: float32 [B, H, W], grey levels, of 48 px or more a side. Both are for rows as for columns,
    and the prefilter is one of `models/lapped.py`. The same for the same photographs.
    """
    random = torch.Generator("cpu").manual_seed(1)
    start = torch.from_numpy(dct_matrix(BLOCK_PX)).float()
    turn = torch.zeros(BLOCK_PX, BLOCK_PX, requires_grad=True)
    prefilter = torch.eye(BLOCK_PX).requires_grad_()
    adam = torch.optim.Adam([turn, prefilter], lr=_RATE)
    descent = torch.optim.lr_scheduler.LinearLR(adam, 1.0, 0.02, _UPDATES)
    for _ in range(_UPDATES):
        with torch.enable_grad():
            basis = torch.matrix_exp(turn - turn.T) @ start
            mean_bits(_windows(luma, random), basis, prefilter).backward()
        adam.step()
        adam.zero_grad()
        descent.step()
    return (torch.matrix_exp(turn - turn.T) @ start).detach(), prefilter.detach()


def mean_bits(windows: Tensor, basis: Tensor, prefilter: Tensor) -> Tensor:
    """What a coefficient of the middle blocks of windows [n, 48, 48] costs, about, in bits."""
    ends = torch.eye(BLOCK_PX // 2)
    whole = torch.block_diag(ends, prefilter, prefilter, ends)
    middle = slice(BLOCK_PX, 2 * BLOCK_PX)
    analysis = basis @ whole[middle]
    # Of an error of 1 in each coefficient, what there is in the pixels.
    error = (torch.linalg.inv(whole)[:, middle] @ basis.T).norm(dim=0)
    analysis = analysis * error[:, None]
    size = (analysis @ windows @ analysis.T).abs()
    return torch.stack([torch.log2(1 + size / step).mean() for step in _STEPS]).mean()


def _windows(luma: Tensor, random: torch.Generator) -> Tensor:
    """Windows from random places: [n, 48, 48]."""
    rows, columns = (size - _SPAN_PX + 1 for size in luma.shape[1:])
    places = torch.randint(len(luma) * rows * columns, (_WINDOWS,), generator=random)
    which, place = places // (rows * columns), places % (rows * columns)
    every = luma.unfold(1, _SPAN_PX, 1).unfold(2, _SPAN_PX, 1)
    return every[which, place // columns, place % columns]


@click.command(help=__doc__)
@click.argument(
    "photographs", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True)
)
@click.option("--out", type=click.Path(path_type=Path), help="An .npz file.")
def main(photographs: tuple[Path, ...], out: Path | None) -> None:
    smallest = Augmentation().smallest_px(_CROP_PX)
    images = Photographs.load(photographs, smallest, torch.device("cpu"))
    sampler = CropSampler(images, _CROP_PX, seed=1)
    crops = torch.cat([sampler.batch(number, _BATCH) for number in range(_BATCHES)])
    luma = (crops * 127.5) @ torch.tensor(_LUMA)
    basis, prefilter = sparse_basis(luma)
    windows = _windows(luma, torch.Generator("cpu").manual_seed(2))
    plain = torch.from_numpy(dct_matrix(BLOCK_PX)).float(), torch.eye(BLOCK_PX)
    for name, pair in (("DCT", plain), ("this basis", (basis, prefilter))):
        click.echo(f"{name}: {mean_bits(windows, *pair):.3f} bits a coefficient, about")
    if out:
        np.savez(out, basis=basis.numpy(), prefilter=prefilter.numpy())


if __name__ == "__main__":
    main()
