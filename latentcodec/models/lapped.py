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
    return filtered_rows(filtered_columns(x, filters[1]), filters[0])


def filtered_rows(x: Tensor, matrix: Tensor) -> Tensor:
    """x [B, H, W, C] with `matrix` [16, 16] over the 16 rows around each border between blocks."""
    b, h, w, c = x.shape
    if h <= BLOCK_PX:
        return x
    around = x[:, _HALF:-_HALF].reshape(b, -1, BLOCK_PX, w * c)
    around = torch.matmul(matrix, around).view(b, h - BLOCK_PX, w, c)
    return torch.cat([x[:, :_HALF], around, x[:, -_HALF:]], 1)


def filtered_columns(x: Tensor, matrix: Tensor) -> Tensor:
    """The same of columns."""
    b, h, w, c = x.shape
    if w <= BLOCK_PX:
        return x
    # One product over what lies together in memory, 16 columns of C colours.
    wide = torch.kron(matrix.contiguous(), torch.eye(c, dtype=matrix.dtype, device=matrix.device))
    around = x[:, :, _HALF:-_HALF].reshape(b, h, -1, BLOCK_PX * c)
    around = torch.matmul(around, wide.T).view(b, h, w - BLOCK_PX, c)
    return torch.cat([x[:, :, :_HALF], around, x[:, :, -_HALF:]], 2)
