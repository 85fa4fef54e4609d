"""From the tiles of a file to windows of latents, of which no more are kept than is needed."""

from __future__ import annotations

import functools
import itertools
import math
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from latentcodec.errors import LatError
from latentcodec.format.container import ChunkType, LatFile
from latentcodec.format.recovery import Damage
from latentcodec.pipeline.tiling import TILE_CELLS, cells, strips
from latentcodec.runtime.crew import Task, crew

if TYPE_CHECKING:
    from latentcodec.runtime.base import Family


class LatentTiles:
    """The latents of a file, decoded tile by tile when a window asks for them.

    `damage`, where it is given, has the tiles that are known to be lost; others that turn out to
    be are added, and the latents of all of them are zeros.
    """

    def __init__(self, file: LatFile, family: Family, damage: Damage | None = None) -> None:
        self._file, self._family, self._damage = file, family, damage
        header = file.header
        self.rows, self.columns = cells(header.height_px), cells(header.width_px)
        self._across = math.ceil(self.columns / TILE_CELLS)
        # Each with the row of the picture that it begins with.
        self._decoded: dict[tuple[int, int], tuple[int, np.ndarray]] = {}
        self._tasks: dict[tuple[int, int], Task[np.ndarray]] = {}

    def window(self, rows: slice, columns: slice) -> np.ndarray:
        """v_hat of some positions, int16 or int32 [h, w, M]. What lies above them is forgotten:
        windows that do not go down the picture decode tiles again."""
        self._forget(rows.start)
        shape = rows.stop - rows.start, columns.stop - columns.start, self._family.config.latents
        places = list(itertools.product(_tiles_under(rows), _tiles_under(columns)))
        tiles = [self._tile(down, right, rows.start) for down, right in places]
        v_hat = np.empty(shape, dtype=np.result_type(*(tile.dtype for _, tile in tiles)))
        for place, (top, tile) in zip(places, tiles, strict=True):
            left = place[1] * TILE_CELLS
            inner_rows = slice(max(rows.start - top, 0), rows.stop - top)
            inner_columns = slice(max(columns.start - left, 0), columns.stop - left)
            part = tile[inner_rows, inner_columns]
            y, x = max(top - rows.start, 0), max(left - columns.start, 0)
            v_hat[y : y + part.shape[0], x : x + part.shape[1]] = part
        return v_hat

    def strips(self, rows: slice, columns: slice) -> Iterator[np.ndarray]:
        """A window in strips of rows, as they go through the synthesis, beside which the tiles
        below them are decoded."""
        waiting = deque(_tiles_under(rows))
        with crew(self._family) as beside:
            for strip in strips(rows, columns.stop - columns.start):
                while waiting and waiting[0] <= _tiles_under(strip).stop + 1:
                    down = waiting.popleft()
                    for right in _tiles_under(columns):
                        task = beside.submit(functools.partial(self._decode, down, right))
                        self._tasks[down, right] = task
                v_hat = self.window(strip, columns)
                beside.share()
                yield v_hat

    def _forget(self, row: int) -> None:
        """Drop what lies above a row."""
        for place, (top, tile) in list(self._decoded.items()):
            if top < row:
                del self._decoded[place]
                if row < top + len(tile):
                    self._decoded[place] = row, tile[row - top :].copy()

    def _tile(self, down: int, right: int, row: int) -> tuple[int, np.ndarray]:
        """A tile, or of one that is kept in part what reaches from `row` on: the row that it begins
        with, and v_hat, [h, w, M]."""
        top = down * TILE_CELLS
        kept = self._decoded.get((down, right))
        if kept is None or kept[0] > max(row, top):
            task = self._tasks.pop((down, right), None)
            v_hat = task.result() if task else self._decode(down, right)
            kept = self._decoded[down, right] = top, v_hat
        return kept

    def _decode(self, down: int, right: int) -> np.ndarray:
        """One tile's v_hat, int16 or int32 [h, w, M]."""
        height = min(TILE_CELLS, self.rows - down * TILE_CELLS)
        width = min(TILE_CELLS, self.columns - right * TILE_CELLS)
        v_hat = self._v_hat(down * self._across + right, height, width)
        small = np.iinfo(np.int16)  # half the memory, and nearly always enough
        several = max(self.rows, self.columns) > TILE_CELLS
        if several and small.min <= v_hat.min() and v_hat.max() <= small.max:
            return v_hat.astype(np.int16)
        return v_hat

    def _v_hat(self, number: int, height: int, width: int) -> np.ndarray:
        """One tile's v_hat, int32 [h, w, M]."""
        header = self._file.header
        if self._damage is None or (number, ChunkType.TILE) not in self._damage.lost:
            try:
                payload = self._file.tiles[number]
                return self._family.decode_latents(payload, header.quality_tenths, height, width)
            except LatError as error:
                if self._damage is None:
                    raise header.at_tile(error, number) from None
                self._damage.lost[number, ChunkType.TILE] = str(error)
        return np.zeros((height, width, self._family.config.latents), dtype=np.int32)


def _tiles_under(positions: slice) -> range:
    return range(positions.start // TILE_CELLS, math.ceil(positions.stop / TILE_CELLS))


def decode_latents(file: LatFile, family: Family) -> np.ndarray:
    """The latents of a whole file, int32 [h, w, M] in 1/16 steps: the same on every machine."""
    latents = LatentTiles(file, family)
    whole = latents.window(slice(0, latents.rows), slice(0, latents.columns))
    return whole.astype(np.int32, copy=False)
