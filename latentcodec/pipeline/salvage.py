"""What can be saved of a damaged file: its whole tiles, and a report of what is lost.

Tiles are coded without each other, so damage stays where it is. The header is needed in any case.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from latentcodec.errors import CorruptChunk, TrailingData, TruncatedFile
from latentcodec.format import container
from latentcodec.format.container import (
    ChunkType,
    Region,
)
from latentcodec.format.recovery import Lost, recover
from latentcodec.images.picture import Picture
from latentcodec.pipeline.decoder import picture_in

_MID_GREY = 128


@dataclasses.dataclass(frozen=True)
class Salvaged:
    """A picture without what was lost of it.

    damaged: the rectangles of damaged tiles, in pixels of the picture; colours in them are
    filled from around them, and where the transparency is lost they are opaque.
    problems: a sentence for each thing lost, metadata too.
    """

    picture: Picture
    damaged: list[Region]
    problems: list[str]


def salvage_picture(
    data: bytes, region: Region | None = None, max_pixels: int = container.MAX_PIXELS
) -> Salvaged:
    """What the bytes of a `.lat` file, or a region of it, still show.

    A damaged tile can show in pixels within 80 px of it, too.

    Raises LatError where the header is damaged, the model is not installed or no tile is left,
    and ValueError for a region that is not inside the picture.
    """
    lost: Lost = {}
    problems: list[str] = []
    try:
        file = container.read(data, max_pixels)
    except (TruncatedFile, CorruptChunk, TrailingData) as error:
        file = recover(data, lost, problems)
        if _tiles(lost) == len(file.tiles):
            raise error
        if not (lost or problems):
            problems.append(str(error))
    header = file.header
    region = region or header.whole
    picture = picture_in(file, region, lost=lost)
    if _tiles(lost) == len(file.tiles):
        raise CorruptChunk(f"no tile of the file is whole: {lost[0, ChunkType.TILE]}")
    holes = []
    damaged: dict[Region, None] = {}  # in order, each once
    for (number, kind), reason in sorted(lost.items()):
        tile = header.tile_region(number)
        hole = tile.intersection(region).relative_to(region)
        if not hole.is_empty:
            damaged[tile] = None
            what = header.tile_name(number)
            subject = what if kind == ChunkType.TILE else f"the transparency of {what}"
            problems.append(f"{subject} is lost: {reason}")
            if kind == ChunkType.TILE:
                holes.append(hole)
    for hole in holes:
        _fill(picture.pixels, hole, holes)
    return Salvaged(picture, list(damaged), problems)


def _tiles(lost: Lost) -> int:
    return sum(kind == ChunkType.TILE for _, kind in lost)


def _fill(pixels: np.ndarray, hole: Region, holes: list[Region]) -> None:
    """Fill a hole in pixels [H, W, 3] with means of the four pixels beside it in its row and
    column, each weighted by its nearness; mid grey where there are none."""
    height, width, _ = pixels.shape
    right, bottom = hole.right, hole.bottom
    rows, columns = slice(hole.top, bottom), slice(hole.left, right)
    down = np.arange(1, hole.height + 1, dtype=np.float32)[:, None, None]
    across = np.arange(1, hole.width + 1, dtype=np.float32)[None, :, None]
    total = np.zeros((hole.height, hole.width, 3), dtype=np.float32)
    weights = np.zeros((hole.height, hole.width, 1), dtype=np.float32)
    for y, x, line, distance in (
        (hole.top - 1, hole.left, (slice(hole.top - 1, hole.top), columns), down),
        (bottom, hole.left, (slice(bottom, bottom + 1), columns), down[::-1]),
        (hole.top, hole.left - 1, (rows, slice(hole.left - 1, hole.left)), across),
        (hole.top, right, (rows, slice(right, right + 1)), across[:, ::-1]),
    ):
        inside = 0 <= y < height and 0 <= x < width
        if inside and not any(other.contains(x, y) for other in holes):
            total += pixels[line] / distance
            weights += 1 / distance
    filled = total / np.maximum(weights, 1e-9) if weights.any() else _MID_GREY
    pixels[rows, columns] = np.rint(filled)
