"""Filters across the borders of blocks, which make a lapped transform of a block transform.

Before the analysis of the blocks a matrix takes the 8 rows on either side of a border to 16 others,
and behind their synthesis its inverse takes them back; the same for columns. Beyond the borders of
the picture there is nothing to overlap with. Tran, Liang and Tu 2003, "Lapped Transform via
Time-Domain Pre- and Post-Filtering".
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from latentcodec.models.dct import BLOCK_PX

_HALF = BLOCK_PX // 2
_LEAST_CONVOLVED = 1 << 16  # numbers: torch makes products of convolutions of few


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
        cells = x[:, :, _HALF:-_HALF].reshape(-1, BLOCK_PX * c)
        around = _of_columns(cells, filters[1], c).view(b, h, w - BLOCK_PX, c)
        x = torch.cat([x[:, :, :_HALF], around, x[:, :, -_HALF:]], 2)
    if h > BLOCK_PX:
        cells = x[:, _HALF:-_HALF].reshape(-1, BLOCK_PX, w * c)
        around = _of_rows(cells, filters[0]).view(b, h - BLOCK_PX, w, c)
        x = torch.cat([x[:, :_HALF], around, x[:, -_HALF:]], 1)
    return x


def filter_columns(x: Tensor, matrix: Tensor, out: Tensor) -> Tensor:
    """The columns of `filtered` without gradients, into contiguous `out` in one pass.

    x: [1, H, W, C], contiguous.
    """
    half, cells = _HALF * x.shape[3], (-1, BLOCK_PX * x.shape[3])
    # Halves of blocks at either end of a row meet those of the next row, and are put back.
    made = out.view(-1)[half:-half].view(cells)
    _of_columns(x.reshape(-1)[half:-half].view(cells), matrix, x.shape[3], made)
    out[:, :, :_HALF] = x[:, :, :_HALF]
    out[:, :, -_HALF:] = x[:, :, -_HALF:]
    return out


def filter_rows(x: Tensor, matrix: Tensor, out: Tensor) -> Tensor:
    """The rows of `filtered` likewise."""
    cells = (-1, BLOCK_PX, x.shape[2] * x.shape[3])
    if x.shape[1] > BLOCK_PX:
        _of_rows(x[0, _HALF:-_HALF].view(cells), matrix, out[0, _HALF:-_HALF].view(cells))
    out[:, :_HALF] = x[:, :_HALF]
    out[:, -_HALF:] = x[:, -_HALF:]
    return out


def _of_columns(cells: Tensor, matrix: Tensor, colours: int, out: Tensor | None = None) -> Tensor:
    """Cells [n, 16 * colours], each the columns around a border."""
    # For one product over what lies together in memory.
    eye = torch.eye(colours, dtype=matrix.dtype, device=matrix.device)
    wide = torch.kron(matrix.contiguous(), eye)
    if not _convolves(cells):
        return _product(cells, wide.T, out)
    planes = cells.view(1, -1, 1, len(wide)).permute(0, 3, 1, 2)  # seen as channels last
    made = _convolved(planes, wide).permute(0, 2, 3, 1).view(cells.shape)
    return made if out is None else out.copy_(made)


def _of_rows(cells: Tensor, matrix: Tensor, out: Tensor | None = None) -> Tensor:
    """Cells [n, 16, m], each the rows around a border."""
    if not _convolves(cells):
        return _product(matrix.expand(len(cells), -1, -1), cells, out)
    made = _convolved(cells[:, :, None], matrix)[:, :, 0]
    return made if out is None else out.copy_(made)


def _rounds() -> bool:
    """Whether torch is set to round the factors of products to bfloat16: pixels have more bits."""
    return torch.get_float32_matmul_precision() != "highest"


def _convolves(cells: Tensor) -> bool:
    """Whether a convolution, whose factors are not rounded, is the fastest that is precise."""
    return _rounds() and cells.device.type == "cpu" and cells.numel() >= _LEAST_CONVOLVED


def _convolved(planes: Tensor, matrix: Tensor) -> Tensor:
    """matrix times the channels of planes, [n, in, h, w]."""
    # Where one thread computes, only a dilated one does not become a product.
    return functional.conv2d(planes, matrix[:, :, None, None], dilation=2)


def _product(a: Tensor, b: Tensor, out: Tensor | None = None) -> Tensor:
    """a @ b in float32, also where factors are rounded."""
    if not _rounds():
        return torch.matmul(a, b, out=out)
    if a.device.type == "cpu":  # little: as precise as a convolution is
        exact = a.double() @ b.double()
        return exact.to(a.dtype) if out is None else out.copy_(exact)
    # As `layers.precise_linear`.
    coarse_a, coarse_b = a.bfloat16().float(), b.bfloat16().float()
    made = torch.matmul(coarse_a, coarse_b, out=out)
    made += (a - coarse_a) @ coarse_b
    made += coarse_a @ (b - coarse_b)
    return made
