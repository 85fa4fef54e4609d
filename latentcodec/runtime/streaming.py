"""The transforms over a picture that comes in strips of rows: nothing is computed twice.

A filter that reaches beyond a strip waits for the next one: each block keeps the last rows that it
has seen, so that its results come as many rows later as it reaches. Together they are those of
the whole picture (in floating point, within rounding). Compare line-based convolution in Alwani
et al. 2016, "Fused-Layer CNN Accelerators".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor

from latentcodec.models.dct import BLOCK_PX
from latentcodec.models.lapped import filter_columns, filter_rows
from latentcodec.models.layers import ResidualBlock
from latentcodec.models.transforms import Analysis, Synthesis, averaged

if TYPE_CHECKING:
    from torch import nn


def analysed(
    g_a: Analysis, pixels: Iterable[Tensor], level: Tensor, y_std: Tensor
) -> Iterator[Tensor]:
    """y as strips, [1, h, W/16, M], from strips of pixels as `Analysis` takes them; each of these
    has a multiple of 16 rows."""
    blocks_8, blocks_16 = _blocks(g_a.blocks_8), _blocks(g_a.blocks_16)
    borders, linear, odd, features = _Borders(g_a.prefilter), _Rows(), _Rows(), _Rows()
    for x, last in _marked(pixels):
        linear.put(g_a.of_blocks(borders(x, last)))
        odd.put(_through(blocks_8, g_a.at_8(x, level), last))
        h = g_a.at_16(odd.take(odd.count // 2 * 2), level)
        features.put(_through(blocks_16, h, last))
        ready = min(linear.count, features.count)
        yield g_a.latents(linear.take(ready), features.take(ready), y_std)


def synthesised(
    g_s: Synthesis,
    y_hat: Iterable[Tensor],
    level: Tensor,
    y_std: Tensor,
    postfilter: Tensor | None = None,
    scale: int = 1,
) -> Iterator[Tensor]:
    """Pixels as strips, [1, h, 16 w / scale, 3], from y_hat and a scale as `Synthesis` has them."""
    blocks_16, blocks_8 = _blocks(g_s.blocks_16), _blocks(g_s.blocks_8)
    borders, linear, odd, together = _Borders(postfilter), _Rows(), _Rows(), max(scale // 8, 1)
    for y, last in _marked(y_hat):
        if postfilter is None:
            linear.put(g_s.of_blocks(y, scale))
        else:
            linear.put(averaged(borders(g_s.of_blocks(y), last), scale))
        h = _through(blocks_16, g_s.at_16(y / y_std, level), last)
        odd.put(_through(blocks_8, g_s.at_8(h, level), last))
        ready = min(odd.count, linear.count * scale // 8) // together * together
        if ready:
            correction = g_s.correction(odd.take(ready), scale)
            yield g_s.corrected(linear.take(correction.shape[1]), correction)


class _Borders:
    """`models.lapped.filtered` in one pass for columns and one for rows, the last of which waits
    for the rows below it."""

    def __init__(self, filters: Tensor | None) -> None:
        self._filters = filters
        self._kept: Tensor | None = None  # a row of blocks, filtered but for its lower half

    def __call__(self, x: Tensor, last: bool) -> Tensor:
        """Rows of whole blocks, all of them where there are no filters."""
        if self._filters is None:
            return x
        room = 0 if self._kept is None else BLOCK_PX
        columns = x.new_empty(1, room + x.shape[1], *x.shape[2:])
        if self._kept is not None:
            columns[:, :room] = self._kept
        filter_columns(x, self._filters[1], columns[:, room:])
        x = filter_rows(columns, self._filters[0], torch.empty_like(columns))
        if last:
            return x
        self._kept = x[:, -BLOCK_PX:].clone()  # a view would hold all of it
        return x[:, :-BLOCK_PX]


def _marked(rows: Iterable[Tensor]) -> Iterator[tuple[Tensor, bool]]:
    """The strips of a picture, and whether each is the last one."""
    waiting = None
    for part in rows:
        if waiting is not None:
            yield waiting, False
        waiting = part
    if waiting is not None:
        yield waiting, True


class _Block:
    """A residual block, and the rows that it still has to see.

    What goes in and out are rows under room for 2 reach others, so that nothing is copied to have
    those of the strip before above them.
    """

    def __init__(self, block: ResidualBlock) -> None:
        self.block, self.room = block, 2 * block.reach
        self.kept: Tensor | None = None

    def __call__(self, x: Tensor, last: bool) -> Tensor:
        """The results that x makes possible: as many rows, none perhaps, as there are."""
        reach, room = self.block.reach, self.room
        if self.kept is None:  # what the filter sees outside the picture
            self.kept = x.new_zeros(1, reach, *x.shape[2:])
        above = self.kept.shape[1]
        seen = x[:, room - above :]
        seen[:, :above] = self.kept
        if last:
            seen = torch.cat([seen, x.new_zeros(1, reach, *x.shape[2:])], 1)
        self.kept = seen[:, -room:].clone()  # a view would hold all of it
        made = x.new_empty(1, max(seen.shape[1], room), *x.shape[2:])
        if seen.shape[1] > room:
            self.block.inner(seen, made[:, room:])
        return made


def _blocks(blocks: nn.Sequential) -> list[_Block]:
    return [_Block(cast(ResidualBlock, block)) for block in blocks]


def _through(blocks: list[_Block], x: Tensor, last: bool) -> Tensor:
    if last and blocks and blocks[0].kept is None:  # the whole picture
        for block in blocks:
            x = block.block(x)
        return x
    if not blocks:
        return x
    room = blocks[0].room
    x = torch.cat([x.new_empty(1, room, *x.shape[2:]), x], 1)
    for block in blocks:
        x = block(x, last)
    return x[:, room:]


class _Rows:
    """Rows that wait to be used: put in and taken out from the top down."""

    def __init__(self) -> None:
        self._parts: list[Tensor] = []
        self.count = 0

    def put(self, rows: Tensor) -> None:
        self._parts.append(rows)
        self.count += rows.shape[1]

    def take(self, count: int) -> Tensor:
        """The first `count` rows, which must be there; the caller may write to them."""
        rows = self._parts[0] if len(self._parts) == 1 else torch.cat(self._parts, 1)
        self._parts = [rows[:, count:]] if count < rows.shape[1] else []
        self.count -= count
        return rows[:, :count]
