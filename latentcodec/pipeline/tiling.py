"""Tiles of an image, independent in the entropy path, and strips of rows for the transforms.

The transforms know no tiles, so that there are no seams: a strip of rows goes across all of them.
Where an image is cut into columns, or a region out of it, a halo wide enough is seen beside.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Iterator

import numpy as np

from latentcodec.format import container

CELL_PX = 16  # pixels per latent position
TILE_CELLS = container.TILE_PX // CELL_PX
# At a time through the transforms: half a megapixel, whose tensors malloc keeps and uses again.
_STRIP_CELLS = TILE_CELLS**2 // 2


@dataclasses.dataclass(frozen=True)
class Span:
    """A range owned, start..stop, and the range to look at around it, low..high."""

    start: int
    stop: int
    low: int
    high: int

    @property
    def inner(self) -> slice:
        """The owned part within the range looked at."""
        return slice(self.start - self.low, self.stop - self.low)

    @property
    def own(self) -> slice:
        return slice(self.start, self.stop)

    @property
    def seen(self) -> slice:
        return slice(self.low, self.high)


def cells(size_px: int) -> int:
    """Latent positions along a side; the last one may be partly beyond the image."""
    return math.ceil(size_px / CELL_PX)


def padded(pixels: np.ndarray) -> np.ndarray:
    """[h, w, 3] with the last row and column repeated up to whole cells."""
    below, beside = -pixels.shape[0] % CELL_PX, -pixels.shape[1] % CELL_PX
    return np.pad(pixels, ((0, below), (0, beside), (0, 0)), mode="edge")


def spans(size: int, tile: int, halo: int = 0) -> list[Span]:
    """Cut 0..size into pieces of `tile`, each with `halo` on both sides where there is room."""
    starts = range(0, size, tile)
    return [
        Span(s, min(s + tile, size), max(s - halo, 0), min(s + tile + halo, size)) for s in starts
    ]


def strips(rows: slice, columns: int) -> Iterator[slice]:
    """Cut some rows of `columns` positions into what goes through the transforms at a time."""
    height = max(_STRIP_CELLS // columns, 1)
    for start in range(rows.start, rows.stop, height):
        yield slice(start, min(start + height, rows.stop))


def grid(rows: int, columns: int, tile: int) -> Iterator[tuple[Span, Span]]:
    """The tiles of a rows x columns array, row by row."""
    return itertools.product(spans(rows, tile), spans(columns, tile))


def pixels_of(positions: slice) -> slice:
    """The pixels of a range of latent positions."""
    return slice(positions.start * CELL_PX, positions.stop * CELL_PX)
