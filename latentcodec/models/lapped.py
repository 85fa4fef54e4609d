"""Filters across the borders of blocks, which make a lapped transform of a block transform.

Before the analysis of the blocks a matrix takes the 8 rows on either side of a border to 16 others,
and behind their synthesis its inverse takes them back; the same for columns. Beyond the borders of
the picture there is nothing to overlap with. Tran, Liang and Tu 2003, "Lapped Transform via
Time-Domain Pre- and Post-Filtering".
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from latentcodec.models.dct import BLOCK_PX
from latentcodec.models.precise import precise_product, rounds_factors

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


def with_ends(*shape: int, like: Tensor) -> Tensor:
    """Memory for pixels, [1, H, W, C], whose columns `filter_columns` need not copy."""
    half = _HALF * shape[-1]
    memory = like.new_empty(math.prod(shape) + 2 * half)
    memory[:half], memory[-half:] = 0, 0
    return memory[half:-half].view(shape)


def filter_columns(x: Tensor, matrix: Tensor) -> Tensor:
    """The columns of `filtered` without gradients, in one pass.

    x: [1, H, W, C], contiguous.
    """
    half = _HALF * x.shape[3]
    # Halves of blocks at either end of a row meet those of the next row, and are put back.
    made = _of_columns(_between(x, half).view(-1, 2 * half), matrix, x.shape[3])
    out = made.view(-1)[half:-half].view(x.shape)
    out[:, :, :_HALF] = x[:, :, :_HALF]
    out[:, :, -_HALF:] = x[:, :, -_HALF:]
    return out


def _between(x: Tensor, count: int) -> Tensor:
    """x in one row, with `count` numbers before and behind it: those that are in memory there."""
    start, size = x.storage_offset() - count, x.numel() + 2 * count
    if start >= 0 and start + size <= x.untyped_storage().size() // x.element_size():
        return x.as_strided((size,), (1,), start)
    row = x.new_zeros(size)
    row[count:-count] = x.reshape(-1)
    return row


def filter_rows(x: Tensor, matrix: Tensor, above: Tensor | None = None) -> Tensor:
    """The rows likewise; new memory.

    above: a row of blocks that stands above x, [1, 16, W, C], and whose lower half is not filtered.
    """
    room = 0 if above is None else BLOCK_PX
    out = x.new_empty(1, room + x.shape[1], *x.shape[2:])
    cells = (-1, BLOCK_PX, x.shape[2] * x.shape[3])
    if above is not None:
        border = torch.cat([above[:, _HALF:], x[:, :_HALF]], 1)
        _of_rows(border.view(cells), matrix, out[:, _HALF : room + _HALF].view(cells))
    if x.shape[1] > BLOCK_PX:
        inner = out[:, room + _HALF : -_HALF].view(cells)
        _of_rows(x[:, _HALF:-_HALF].view(cells), matrix, inner)
    out[:, :_HALF] = (x if above is None else above)[:, :_HALF]
    out[:, -_HALF:] = x[:, -_HALF:]
    return out


def _of_columns(cells: Tensor, matrix: Tensor, colours: int) -> Tensor:
    """Cells [n, 16 * colours], each the columns around a border."""
    # For one product over what lies together in memory.
    eye = torch.eye(colours, dtype=matrix.dtype, device=matrix.device)
    wide = torch.kron(matrix.contiguous(), eye)
    if cells.device.type != "cpu" or not rounds_factors():
        return precise_product(cells, wide.T)
    if cells.numel() < _LEAST_CONVOLVED:
        return (cells.double() @ wide.T.double()).to(cells.dtype)
    # A convolution rounds no factors. Where one thread computes, only a dilated one does not become
    # a product. It sees the cells as channels last.
    planes = cells.view(1, -1, 1, len(wide)).permute(0, 3, 1, 2)
    made = functional.conv2d(planes, wide[:, :, None, None], dilation=2)
    return made.permute(0, 2, 3, 1).view(cells.shape)


def _of_rows(cells: Tensor, matrix: Tensor, out: Tensor | None = None) -> Tensor:
    """Cells [n, 16, m], each the rows around a border; m is even."""
    if not rounds_factors():
        return torch.matmul(matrix, cells, out=out)
    if cells.device.type != "cpu":
        made = precise_product(matrix, cells)
        return made if out is None else out.copy_(made)
    # Complex products round no factors. Each of two neighbours is a part of a number.
    pairs = torch.view_as_complex(cells.unflatten(-1, (-1, 2)))
    if out is None:
        return torch.view_as_real(matrix.to(pairs.dtype) @ pairs).flatten(-2)
    found = torch.view_as_complex(out.unflatten(-1, (-1, 2)))
    torch.matmul(matrix.to(pairs.dtype), pairs, out=found)
    return out
