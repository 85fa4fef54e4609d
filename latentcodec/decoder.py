"""The chain from a file: container -> integers -> synthesis -> pixels, of the whole or a region."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from latentcodec import container, model_store
from latentcodec.alpha import decode_alpha
from latentcodec.container import ChunkType, LatFile
from latentcodec.errors import LatError
from latentcodec.image import Picture
from latentcodec.tiling import CELL_PX, TILE_CELLS, cells, pixels_of, spans

if TYPE_CHECKING:
    from latentcodec.families.family import Family
    from latentcodec.model_store import ModelEntry


# What is wrong with damaged chunks, by the number of their tile.
Lost = dict[tuple[int, ChunkType], str]


@dataclasses.dataclass(frozen=True)
class Region:
    """A rectangle of a picture, in pixels."""

    left: int
    top: int
    width: int
    height: int

    def check_inside(self, width: int, height: int) -> None:
        """Raises ValueError unless the region has pixels and lies within a picture."""
        right, bottom = self.left + self.width, self.top + self.height
        if min(self.left, self.top) < 0 or min(self.width, self.height) < 1:
            raise ValueError("a region begins at 0,0 or later and has at least one pixel")
        if right > width or bottom > height:
            raise ValueError(
                f"the region reaches to {right},{bottom}, the picture has {width} x {height} px"
            )


class LatentTiles:
    """The latents of a file, decoded tile by tile when a window asks for them.

    `lost`, where it is given, has the tiles that are known to be damaged; others that turn out to
    be are added, and the latents of all of them are zeros.
    """

    def __init__(self, file: LatFile, family: Family, lost: Lost | None = None) -> None:
        self._file, self._family, self._lost = file, family, lost
        header = file.header
        self.rows, self.columns = cells(header.height_px), cells(header.width_px)
        self._across = math.ceil(self.columns / TILE_CELLS)
        self._decoded: dict[tuple[int, int], np.ndarray] = {}

    def window(self, rows: slice, columns: slice) -> np.ndarray:
        """v_hat of some positions, int32 [h, w, M]. Windows must go down the picture."""
        # What lies above will not be asked for again.
        for key in [k for k in self._decoded if (k[0] + 1) * TILE_CELLS <= rows.start]:
            del self._decoded[key]
        shape = rows.stop - rows.start, columns.stop - columns.start, self._family.config.latents
        v_hat = np.empty(shape, dtype=np.int32)
        for down, right in itertools.product(_tiles_under(rows), _tiles_under(columns)):
            tile = self._tile(down, right)
            top, left = down * TILE_CELLS, right * TILE_CELLS
            inner_rows = slice(max(rows.start - top, 0), rows.stop - top)
            inner_columns = slice(max(columns.start - left, 0), columns.stop - left)
            part = tile[inner_rows, inner_columns]
            y, x = max(top - rows.start, 0), max(left - columns.start, 0)
            v_hat[y : y + part.shape[0], x : x + part.shape[1]] = part
        return v_hat

    def _tile(self, down: int, right: int) -> np.ndarray:
        if (down, right) not in self._decoded:
            height = min(TILE_CELLS, self.rows - down * TILE_CELLS)
            width = min(TILE_CELLS, self.columns - right * TILE_CELLS)
            number = down * self._across + right
            self._decoded[down, right] = self._decode(number, height, width)
        return self._decoded[down, right]

    def _decode(self, number: int, height: int, width: int) -> np.ndarray:
        """One tile's v_hat, int32 [h, w, M]."""
        header = self._file.header
        if self._lost is None or (number, ChunkType.TILE) not in self._lost:
            try:
                payload = self._file.tiles[number]
                return self._family.decode_latents(payload, header.quality_tenths, height, width)
            except LatError as error:
                if self._lost is None:
                    raise type(error)(f"{error} ({header.tile_name(number)})") from None
                self._lost[number, ChunkType.TILE] = str(error)
        return np.zeros((height, width, self._family.config.latents), dtype=np.int32)


def _tiles_under(positions: slice) -> range:
    return range(positions.start // TILE_CELLS, math.ceil(positions.stop / TILE_CELLS))


def decode_picture(
    data: bytes,
    region: Region | None = None,
    load: Callable[[ModelEntry], Family] = model_store.load_codec,
    max_pixels: int = container.MAX_PIXELS,
) -> Picture:
    """The picture in the bytes of a `.lat` file, or a region of it.

    A region costs its own tiles and those within reach of the synthesis around it; its pixels are
    those of the whole picture within one grey level. load: gives the working model. max_pixels:
    larger files are refused, whatever the region.

    Raises subclasses of LatError, and ValueError for a region that is not inside the picture.
    """
    return picture_in(container.read(data, max_pixels), region, load)


def picture_in(
    file: LatFile,
    region: Region | None = None,
    load: Callable[[ModelEntry], Family] = model_store.load_codec,
    lost: Lost | None = None,
) -> Picture:
    """The picture in a file that is taken apart, or a region of it.

    With `lost`, damaged tiles are noted there, as in `LatentTiles`, and do not stop the others.
    Raises as `decode_picture` does.
    """
    header = file.header
    family = load(model_store.by_code(header.model_code, header.weights_hash))
    region = region or Region(0, 0, header.width_px, header.height_px)
    region.check_inside(header.width_px, header.height_px)
    pixels, done = np.empty((0, 0, 3), dtype=np.uint8), 0
    for strip in strips(file, family, region, lost):
        if not done:  # a file that is damaged in its first tile has by now failed
            pixels = np.empty((region.height, region.width, 3), dtype=np.uint8)
        pixels[done : done + len(strip)] = strip
        done += len(strip)
    return Picture(pixels, header.colour, file.metadata, _alpha_of(file, region, lost))


def strips(
    file: LatFile, family: Family, region: Region, lost: Lost | None = None
) -> Iterator[np.ndarray]:
    """The pixels of a region from the top: uint8 [h, region.width, 3], h 1024 or less."""
    latents, halo = LatentTiles(file, family, lost), family.synthesis_halo
    top, left = region.top // CELL_PX, region.left // CELL_PX
    bottom, right = cells(region.top + region.height), cells(region.left + region.width)
    for down in spans(bottom - top, TILE_CELLS, 0):
        rows = slice(top + down.start, top + down.stop)
        seen_rows = slice(max(rows.start - halo, 0), min(rows.stop + halo, latents.rows))
        strip = None
        for across in spans(right - left, TILE_CELLS, 0):
            columns = slice(left + across.start, left + across.stop)
            seen = slice(max(columns.start - halo, 0), min(columns.stop + halo, latents.columns))
            x = family.synthesise(latents.window(seen_rows, seen), file.header.quality_tenths)
            inner = x[pixels_of(_within(rows, seen_rows)), pixels_of(_within(columns, seen))]
            if strip is None:  # only now is it known that there are tiles to fill it
                strip = np.empty((len(inner), (right - left) * CELL_PX, 3), dtype=np.uint8)
            strip[:, pixels_of(across.own)] = inner
        begin, end = rows.start * CELL_PX, rows.stop * CELL_PX
        kept = slice(max(region.top - begin, 0), min(region.top + region.height, end) - begin)
        start = region.left - left * CELL_PX
        assert strip is not None
        yield strip[kept, start : start + region.width]


def _within(own: slice, seen: slice) -> slice:
    return slice(own.start - seen.start, own.stop - seen.start)


def decode_latents(file: LatFile, family: Family) -> np.ndarray:
    """The latents of a whole file, int32 [h, w, M] in 1/16 steps: the same on every machine."""
    latents = LatentTiles(file, family)
    return latents.window(slice(0, latents.rows), slice(0, latents.columns))


def _alpha_of(file: LatFile, region: Region, lost: Lost | None = None) -> np.ndarray | None:
    """The alpha samples of a region, uint8 [H, W], if the file has any.

    With `lost`, those of damaged chunks are opaque, and what is wrong is noted there.
    """
    header = file.header
    if not header.colour.has_alpha:
        return None
    plane = np.empty((region.height, region.width), dtype=np.uint8)
    across = header.tile_grid[1]
    side = container.TILE_PX
    for number, payload in enumerate(file.alphas):
        top, left = number // across * side, number % across * side
        rows = _overlap(top, header.height_px, region.top, region.height)
        columns = _overlap(left, header.width_px, region.left, region.width)
        if rows is None or columns is None:
            continue
        _, _, width, height = header.tile_rectangle(number)
        try:
            part = decode_alpha(payload, height, width)
        except LatError as error:
            if lost is None:
                raise type(error)(f"{error} ({header.tile_name(number)})") from None
            lost.setdefault((number, ChunkType.ALPHA), str(error))
            part = np.full((height, width), 255, dtype=np.uint8)
        plane[rows[1], columns[1]] = part[rows[0], columns[0]]
    return plane


def _overlap(start: int, end: int, wanted: int, length: int) -> tuple[slice, slice] | None:
    """Where a tile at `start` meets wanted..wanted + length: in the tile, in the region."""
    low = max(start, wanted)
    high = min(start + container.TILE_PX, end, wanted + length)
    if low >= high:
        return None
    return slice(low - start, high - start), slice(low - wanted, high - wanted)
