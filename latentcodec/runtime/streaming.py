"""The transforms over a picture that comes in strips of rows: nothing is computed twice.

A filter that reaches beyond a strip waits for the next one: each block keeps the last rows that it
has seen, so that its results come as many rows later as it reaches. Together they are those of
the whole picture (in floating point, within rounding). Compare line-based convolution in Alwani
et al. 2016, "Fused-Layer CNN Accelerators".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple, cast

import torch
from torch import Tensor

from latentcodec.models.dct import BLOCK_PX
from latentcodec.models.first_layers import FirstLayers
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
    blocks_8 = _Blocks(g_a.blocks_8, g_a.stem_8.out_features, g_a.stem_8.weight)
    blocks_16 = _Blocks(g_a.blocks_16, g_a.stem_16.out_features, g_a.stem_16.weight)
    borders, linear, odd, features = _Borders(g_a.prefilter), _Rows(), _Rows(), _Rows()
    for x, last in _marked(pixels):
        linear.put(g_a.of_blocks(borders(x, last)))
        room = blocks_8.room(x.shape[1] // 8, x.shape[2] // 8)
        g_a.at_8(x, level, room.rows)
        odd.put(blocks_8(room, last))
        h = odd.take(odd.count // 2 * 2)
        room = blocks_16.room(h.shape[1] // 2, h.shape[2] // 2)
        g_a.at_16(h, level, room.rows)
        features.put(blocks_16(room, last))
        ready = min(linear.count, features.count)
        yield g_a.latents(linear.take(ready), features.take(ready), y_std)


def synthesised(
    g_s: Synthesis,
    first: FirstLayers,
    v_hat: Iterable[Tensor],
    level: Tensor,
    postfilter: Tensor | None = None,
    scale: int = 1,
) -> Iterator[Tensor]:
    """Pixels as strips, [1, h, 16 w / scale, 3], from v_hat, int [1, h, w, M] in 1/16 steps, and a
    scale as `Synthesis` has it. first: for that scale, with a postfilter for scale 1."""
    blocks_16 = _Blocks(g_s.blocks_16, g_s.stem_16.out_features, g_s.stem_16.weight)
    blocks_8 = _Blocks(g_s.blocks_8, g_s.head.in_features, g_s.head.weight)
    borders, linear, odd, together = _Borders(postfilter), _Rows(), _Rows(), max(scale // 8, 1)
    for v, last in _marked(v_hat):
        room = blocks_16.room(*v.shape[1:3])
        pixels = borders(first(v, room.rows), last)
        linear.put(pixels if postfilter is None else averaged(pixels, scale))
        h = blocks_16(room, last)
        room = blocks_8.room(2 * h.shape[1], 2 * h.shape[2])
        g_s.at_8(h, level, room.rows)
        odd.put(blocks_8(room, last))
        ready = min(odd.count, linear.count * scale // 8) // together * together
        if ready:
            correction = g_s.correction(odd.take(ready), scale)
            yield g_s.corrected(linear.take(correction.shape[1]), correction)


class _Borders:
    """`models.lapped.filtered`, where the last rows wait for those below them."""

    def __init__(self, filters: Tensor | None) -> None:
        self._filters = filters
        self._kept: Tensor | None = None  # a row of blocks, filtered but for its lower half

    def __call__(self, x: Tensor, last: bool) -> Tensor:
        """Rows of whole blocks, all of them where there are no filters."""
        if self._filters is None:
            return x
        columns = filter_columns(x, self._filters[1])
        x = filter_rows(columns, self._filters[0], self._kept)
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


class _Room(NamedTuple):
    """Memory for what goes through residual blocks, [1, above + h + below, w, C], and its rows."""

    memory: Tensor
    rows: Tensor


class _Blocks:
    """Residual blocks, one after another, and the rows that each still has to see.

    All work in the memory of what they are given. A block's results take the place of what it saw,
    as many rows higher as it reaches, with those of the strip before above them.
    """

    def __init__(self, blocks: nn.Sequential, channels: int, like: Tensor) -> None:
        """like: what has the type and the device of the features."""
        self._blocks = [cast(ResidualBlock, block) for block in blocks]
        self._channels, self._like = channels, like
        self._reach = self._blocks[0].reach if self._blocks else 0
        self._kept: list[Tensor | None] = [None] * len(self._blocks)

    def room(self, height: int, width: int) -> _Room:
        """Where to write what they are to see."""
        above = (len(self._blocks) + 1) * self._reach
        shape = 1, above + height + self._reach, width, self._channels
        memory = self._like.new_empty(shape)
        return _Room(memory, memory[:, above : above + height])

    def __call__(self, room: _Room, last: bool) -> Tensor:
        """The results that are possible by now, as rows of the room: none, perhaps."""
        memory, reach = room.memory, self._reach
        stop = memory.shape[1] - reach
        start = stop - room.rows.shape[1]
        for number, block in enumerate(self._blocks):
            kept = self._kept[number]
            if kept is None:  # what the filter sees outside the picture
                kept = memory.new_zeros(1, reach, *memory.shape[2:])
            start -= kept.shape[1]
            memory[:, start : start + kept.shape[1]] = kept
            if last:
                stop += reach
                memory[:, stop - reach : stop] = 0
            seen = memory[:, start:stop]
            self._kept[number] = seen[:, -2 * reach :].clone()  # a view would hold all of it
            start, stop = start + reach, max(stop - reach, start + reach)
            if start < stop:
                block.inner(seen)
        return memory[:, start:stop]


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
