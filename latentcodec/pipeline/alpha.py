"""Transparency without losses: a tile's alpha samples to the payload of an ALPHA chunk, and back.

Rows are filtered as in PNG and deflated. Only filters whose inverse is a running sum are used, so
that undoing them is quick without code of our own; docs/format.md specifies the payload.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from latentcodec.errors import CorruptAlpha

_CONSTANT, _DEFLATED = 0, 1  # the first byte of a payload
_NONE, _LEFT, _UP = 0, 1, 2  # the first byte of a row
_LEVEL = 9
_CELL_LEVEL, _CELL_PX = 4, 16  # of the pyramid under hidden colours


def encode_alpha(plane: NDArray[np.uint8]) -> bytes:
    """The payload of alpha samples [H, W]."""
    if (plane == plane[0, 0]).all():
        return bytes([_CONSTANT, plane[0, 0]])
    left, up = plane.copy(), plane.copy()
    left[:, 1:] -= plane[:, :-1]  # modulo 256
    up[1:] -= plane[:-1]
    candidates = np.stack([plane, left, up])  # in the order of the filters' numbers
    # As libpng chooses: the filter whose residuals, taken as signed, are smallest in sum.
    costs = np.abs(candidates.view(np.int8).astype(np.int32)).sum(axis=2)
    chosen = costs.argmin(axis=0)
    rows = np.empty((plane.shape[0], 1 + plane.shape[1]), dtype=np.uint8)
    rows[:, 0] = chosen
    rows[:, 1:] = candidates[chosen, np.arange(plane.shape[0])]
    return bytes([_DEFLATED]) + zlib.compress(rows.tobytes(), _LEVEL)


def decode_alpha(payload: bytes, height: int, width: int) -> NDArray[np.uint8]:
    """Alpha samples [height, width]. Raises CorruptAlpha for what no encoder writes."""
    if len(payload) == 2 and payload[0] == _CONSTANT:
        return np.full((height, width), payload[1], dtype=np.uint8)
    if payload[:1] != bytes([_DEFLATED]):
        raise CorruptAlpha("the transparency of a tile is coded in an unknown way")
    wanted = height * (1 + width)
    inflater = zlib.decompressobj()
    try:
        data = inflater.decompress(payload[1:], wanted + 1)  # however much there may be
    except zlib.error as error:
        raise CorruptAlpha(f"the transparency of a tile is damaged: {error}") from None
    if len(data) != wanted or not inflater.eof or inflater.unused_data:
        raise CorruptAlpha("the transparency of a tile has another size than the tile")
    rows = np.frombuffer(data, dtype=np.uint8).reshape(height, 1 + width)
    if rows[:, 0].max() > _UP:
        raise CorruptAlpha("the transparency of a tile uses an unknown filter")
    plane = rows[:, 1:].copy()
    left = rows[:, 0] == _LEFT
    plane[left] = np.add.accumulate(plane[left], axis=1, dtype=np.uint8)
    for row in np.flatnonzero(rows[:, 0] == _UP):  # ascending: the row above is done
        if row:
            plane[row] += plane[row - 1]
    return plane


def smooth_hidden(pixels: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pixels [H, W, 3] whose colours under alpha 0 [H, W] continue what can be seen around them."""
    return HiddenColours(alpha.shape, [(0, 0, pixels, alpha)]).smooth(0, 0, pixels, alpha)


class HiddenColours:
    """Smooth colours for what alpha hides of a picture, which continue what is seen around it.

    Those colours are never shown; smooth ones cost the least. Each is taken from the finest of a
    pyramid of means over visible pixels that reaches it. Of the whole picture only the means over
    cells of 16 x 16 px are kept; finer ones are made anew for each rectangle.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        parts: Iterable[tuple[int, int, NDArray[np.uint8], NDArray[np.uint8]]],
    ) -> None:
        """shape: height and width. parts: rectangles that cover the picture, each with its top
        and left, multiples of 16, its pixels [h, w, 3] and its alpha [h, w]."""
        cells = math.ceil(shape[0] / _CELL_PX), math.ceil(shape[1] / _CELL_PX)
        sums, weights = np.zeros((*cells, 3), np.float32), np.zeros(cells, np.float32)
        for top, left, pixels, alpha in parts:
            part_sums, part_weights = _pyramid(*_visible(pixels, alpha), _CELL_LEVEL)[-1]
            rows, columns = part_weights.shape
            y, x = top // _CELL_PX, left // _CELL_PX
            sums[y : y + rows, x : x + columns] = part_sums
            weights[y : y + rows, x : x + columns] = part_weights
        self._cells: NDArray[np.float32] | None = None  # nothing is visible
        if weights.any():
            *finer, (total, weight) = _pyramid(sums, weights)
            self._cells = _refined(total / weight[..., None], finer)

    def smooth(
        self, top: int, left: int, pixels: NDArray[np.uint8], alpha: NDArray[np.uint8]
    ) -> NDArray[np.uint8]:
        """The pixels [h, w, 3] of a rectangle, the hidden ones replaced. It begins at multiples of
        16 and ends at such or at the picture's edge."""
        hidden = alpha == 0
        if self._cells is None:
            return np.zeros_like(pixels)
        if not hidden.any():
            return pixels
        finer = _pyramid(*_visible(pixels, alpha), _CELL_LEVEL)[:-1]
        rows, columns = (math.ceil(size / _CELL_PX) for size in alpha.shape)
        y, x = top // _CELL_PX, left // _CELL_PX
        filled = _refined(self._cells[y : y + rows, x : x + columns], finer)
        return np.where(hidden[..., None], np.rint(filled), pixels).astype(np.uint8)


_Level = tuple[NDArray[np.float32], NDArray[np.float32]]  # sums [h, w, 3] and counts [h, w]


def _visible(pixels: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> _Level:
    weights = (alpha != 0).astype(np.float32)
    return pixels.astype(np.float32) * weights[..., None], weights


def _pyramid(
    sums: NDArray[np.float32], weights: NDArray[np.float32], most: int | None = None
) -> list[_Level]:
    """What is given and `most` coarser levels of it, or as many as it takes until each cell has a
    visible pixel."""
    levels = [(sums, weights)]
    while len(levels) <= most if most is not None else not (levels[-1][1] > 0).all():
        sums, weights = levels[-1]
        levels.append((_quarter(sums), _quarter(weights[..., None])[..., 0]))
    return levels


def _refined(coarse: NDArray[np.float32], finer: list[_Level]) -> NDArray[np.float32]:
    """Colours [h, w, 3] of the first of `finer`, whose empty cells are filled from coarser ones."""
    for total, weight in reversed(finer):
        filled = coarse.repeat(2, axis=0).repeat(2, axis=1)[: weight.shape[0], : weight.shape[1]]
        seen = weight[..., None] > 0
        coarse = np.where(seen, total / np.maximum(weight, 1e-9)[..., None], filled)
    return coarse


def _quarter(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Sums over cells of 2 x 2: [H, W, C] -> [ceil(H / 2), ceil(W / 2), C]."""
    padded = np.pad(x, ((0, x.shape[0] % 2), (0, x.shape[1] % 2), (0, 0)))
    height, width, channels = padded.shape
    return padded.reshape(height // 2, 2, width // 2, 2, channels).sum(axis=(1, 3))
