"""Filters across the borders of blocks, which make a lapped transform of a block transform.

Before the analysis of the blocks a matrix takes the 8 rows on either side of a border to 16 others,
and behind their synthesis its inverse takes them back; the same for columns. Beyond the borders of
the picture there is nothing to overlap with. Tran, Liang and Tu 2003, "Lapped Transform via
Time-Domain Pre- and Post-Filtering".
"""

from __future__ import annotations

import torch
from torch import Tensor

from latentcodec.models.dct import BLOCK_PX

_HALF = BLOCK_PX // 2


def no_filters() -> Tensor:
    """Those that change nothing, [2, 16, 16]."""
    filters = torch.zeros(2, BLOCK_PX, BLOCK_PX)
    # On the meta device torch.eye would import the compiler, which takes a second.
    filters.diagonal(dim1=1, dim2=2).fill_(1)
    return filters


def filtered(x: Tensor, filters: Tensor) -> Tensor:
    """x [B, H, W, C], in float32, with filters[0] across borders of rows and filters[1] of columns.

    filters: [2, 16, 16]. H and W are multiples of 16.
    """
    b, h, w, c = x.shape
    if w > BLOCK_PX:
        around = x[:, :, _HALF:-_HALF].reshape(b, h, -1, BLOCK_PX * c)
        around = _product(around, _wide(filters[1], c).T).view(b, h, w - BLOCK_PX, c)
        x = torch.cat([x[:, :, :_HALF], around, x[:, :, -_HALF:]], 2)
    if h > BLOCK_PX:
        around = x[:, _HALF:-_HALF].reshape(b, -1, BLOCK_PX, w * c)
        around = _product(filters[0], around).view(b, h - BLOCK_PX, w, c)
        x = torch.cat([x[:, :_HALF], around, x[:, -_HALF:]], 1)
    return x


def _wide(matrix: Tensor, colours: int) -> Tensor:
    """For one product over what lies together in memory, 16 columns of so many colours."""
    eye = torch.eye(colours, dtype=matrix.dtype, device=matrix.device)
    return torch.kron(matrix.contiguous(), eye)


def filter_columns(x: Tensor, matrix: Tensor, out: Tensor) -> Tensor:
    """The columns of `filtered` without gradients, into contiguous `out` in one pass.

    x: [1, H, W, C], contiguous.
    """
    half, cells = _HALF * x.shape[3], (-1, BLOCK_PX * x.shape[3])
    # Halves of blocks at either end of a row meet those of the next row, and are put back.
    made = out.view(-1)[half:-half].view(cells)
    _product(x.reshape(-1)[half:-half].view(cells), _wide(matrix, x.shape[3]).T, made)
    out[:, :, :_HALF] = x[:, :, :_HALF]
    out[:, :, -_HALF:] = x[:, :, -_HALF:]
    return out


def filter_rows(x: Tensor, matrix: Tensor, out: Tensor) -> Tensor:
    """The rows of `filtered` likewise."""
    cells = (-1, BLOCK_PX, x.shape[2] * x.shape[3])
    if x.shape[1] > BLOCK_PX:
        around = x[0, _HALF:-_HALF].view(cells)
        factors = matrix.expand(len(around), -1, -1)
        _product(factors, around, out[0, _HALF:-_HALF].view(cells))
    out[:, :_HALF] = x[:, :_HALF]
    out[:, -_HALF:] = x[:, -_HALF:]
    return out


def _product(a: Tensor, b: Tensor, out: Tensor | None = None) -> Tensor:
    """a @ b in float32, also where torch is set to round factors to bfloat16: pixels have more than
    8 bits. As `layers.precise_linear`."""
    if torch.get_float32_matmul_precision() == "highest":
        return torch.matmul(a, b, out=out)
    coarse_a, coarse_b = a.bfloat16().float(), b.bfloat16().float()
    made = torch.matmul(coarse_a, coarse_b, out=out)
    made += (a - coarse_a) @ coarse_b
    made += coarse_a @ (b - coarse_b)
    return made
