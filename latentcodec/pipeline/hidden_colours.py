"""Smooth colours in place of those that alpha hides, which nobody sees and every bit pays for."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

_CELL_LEVEL, _CELL_PX = 4, 16  # of the pyramid under hidden colours


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
