"""The whole chunks of a damaged file, each in its place.

Tiles are coded without each other, so damage stays where it is. The header is needed in any case.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
import re
from collections.abc import Iterator

from latentcodec.errors import CorruptChunk, LatError, TrailingData, TruncatedFile
from latentcodec.format import container
from latentcodec.format.container import (
    HEADER_BYTES,
    METADATA_CHUNKS,
    Chunk,
    ChunkType,
    Header,
    LatFile,
    Region,
)

# Looking for chunks checks no more bytes than this for each byte of the file.
_CHECKED_PER_BYTE = 256
_CRC_BYTES = 4
_NOWHERE, _TO_A_CHUNK = 1, 2
_TYPE = re.compile(b"[" + re.escape(bytes(ChunkType)) + b"]")


@dataclasses.dataclass
class Damage:
    """What is wrong with a file.

    lost: the reason for each damaged chunk, by the number of its tile; decoding adds what it finds.
    notes: a sentence for each thing else, such as metadata.
    """

    lost: dict[tuple[int, ChunkType], str] = dataclasses.field(default_factory=dict)
    notes: list[str] = dataclasses.field(default_factory=list)

    def tiles(self) -> list[int]:
        """The tiles that are lost but, it may be, for their transparency."""
        return sorted(number for number, kind in self.lost if kind == ChunkType.TILE)

    def regions(self, header: Header, area: Region) -> list[Region]:
        """The tiles that are damaged in any way, of those that an area shows."""
        tiles = [header.tile_region(number) for number in sorted({n for n, _ in self.lost})]
        return [tile for tile in tiles if not tile.intersection(area).is_empty]

    def sentences(self, header: Header, area: Region) -> list[str]:
        """The notes, and what is lost of the tiles that an area shows."""
        said = list(self.notes)
        for (number, kind), reason in sorted(self.lost.items()):
            if not header.tile_region(number).intersection(area).is_empty:
                tile = header.tile_name(number)
                what = tile if kind == ChunkType.TILE else f"the transparency of {tile}"
                said.append(f"{what} is lost: {reason}")
        return said


def read_damaged(data: bytes, max_pixels: int) -> tuple[LatFile, Damage]:
    """A file, with empty payloads for what is damaged, and what that is.

    Raises LatError where the header is damaged, no tile is left, or the picture is larger than
    `max_pixels`.
    """
    damage = Damage()
    try:
        return container.read(data, max_pixels), damage
    except (TruncatedFile, CorruptChunk, TrailingData) as error:
        file = recover(data, damage)
        if len(damage.tiles()) == len(file.tiles):
            raise type(error)(f"no tile of the file is whole: {error}") from error
        if not (damage.lost or damage.notes):
            damage.notes.append(str(error))
        return file, damage


@dataclasses.dataclass(frozen=True)
class _Found:
    """A chunk of the file. Without `chunk` it is a damaged one, or some number of them."""

    chunk: Chunk | None
    type: int  # as it stands in the file
    reason: str = ""
    some: bool = False


def recover(data: bytes, damage: Damage) -> LatFile:
    """The file with empty payloads for what is damaged, which is added to `damage`."""
    header = container.read_header(data)
    metadata: dict[ChunkType, bytes] = {}
    found = []
    for one in _Scan(memoryview(data)).chunks():
        if one.chunk is None or not one.type & container.OPTIONAL:
            found.append(one)
        elif one.type in METADATA_CHUNKS:
            metadata.setdefault(ChunkType(one.type), one.chunk.payload)
    count = math.prod(header.tile_grid)
    wanted = list(itertools.product(range(count), header.tile_chunks))
    leading = _leading(found, len(wanted))
    damage.notes += [f"a chunk of metadata is lost: {one.reason}" for one in found[:leading]]
    found = found[leading:]
    payloads: dict[ChunkType, list[bytes]] = {ChunkType.TILE: [], ChunkType.ALPHA: []}
    for (number, kind), one in zip(wanted, _placed(found, len(wanted)), strict=True):
        fits = one.chunk is not None and one.type == kind
        payloads[kind].append(one.chunk.payload if one.chunk and fits else b"")
        if not fits:
            damage.lost[number, kind] = one.reason or "another chunk stands in its place"
    return LatFile(header, payloads[ChunkType.TILE], metadata, payloads[ChunkType.ALPHA])


def _leading(found: list[_Found], count: int) -> int:
    """How many of the damaged chunks before the first tile were metadata, when the tiles have
    `count` chunks."""
    damaged = list(itertools.takewhile(lambda one: one.chunk is None, found))
    countable = not any(one.some for one in found[len(damaged) :])
    if countable and 0 <= len(found) - count <= len(damaged):
        return len(found) - count
    known = itertools.takewhile(lambda one: one.type in METADATA_CHUNKS and not one.some, damaged)
    return sum(1 for _ in known)


def _placed(found: list[_Found], count: int) -> list[_Found]:
    """Which of the found chunks is each of the `count` that follow the metadata.

    Those before the first gap of unknown length are counted from the start, those after the last
    one from the end.
    """
    gaps = [place for place, one in enumerate(found) if one.some]
    if len(found) == count and not (gaps and gaps[0] == 0):  # it may hide metadata only
        return found
    if gaps:
        head, tail, reason = found[: gaps[0]], found[gaps[-1] + 1 :], found[gaps[0]].reason
    else:
        head, tail, reason = found, [], "the file ends before it"
    missing = count - len(head) - len(tail)
    return [*head, *[_Found(None, 0, reason)] * missing, *tail][:count]


class _Scan:
    """Finds chunks in a damaged file."""

    def __init__(self, view: memoryview) -> None:
        self._view = view
        self._left = _CHECKED_PER_BYTE * len(view)
        # Whether the damaged chunk at a position leads to a whole one: no chain is followed twice.
        self._leads = bytearray(len(view))

    def chunks(self) -> Iterator[_Found]:
        """All that follows the header."""
        view, position = self._view, HEADER_BYTES
        while position < len(view):
            try:
                chunk, position = self._read(position)
                yield _Found(chunk, chunk.type)
                continue
            except LatError as error:
                reason = str(error)
            end = self._end_by_lengths(position)
            yield _Found(None, view[position], reason, some=end is None)
            position = self._next(position + 1) if end is None else end

    def _end_by_lengths(self, start: int) -> int | None:
        """The end of a damaged chunk, if its length leads to a whole one or to the file's end,
        directly or by more damaged ones."""
        passed = [start]
        try:
            first = position = self._behind(start)
            while not self._is_end(position):
                passed.append(position)
                position = self._behind(position)
        except LatError:
            for place in passed:
                self._leads[place] = _NOWHERE
            return None
        for place in passed:
            self._leads[place] = _TO_A_CHUNK
        return first

    def _behind(self, start: int) -> int:
        """Where the chunk at `start` ends by its length. Raises LatError where that is known to
        lead nowhere."""
        if self._leads[start] == _NOWHERE:
            raise CorruptChunk("the length of a chunk leads to no other")
        return container.chunk_payload(self._view, start)[1] + _CRC_BYTES

    def _is_end(self, position: int) -> bool:
        """Whether here is the file's end, a whole chunk, or one that leads there."""
        if position >= len(self._view) or self._leads[position] == _TO_A_CHUNK:
            return True
        return self._is_chunk(position)

    def _next(self, start: int) -> int:
        """Where the next whole chunk begins, with another or the file's end behind it; or the
        file's end."""
        view = self._view
        for match in _TYPE.finditer(view, start):
            try:
                end = container.chunk_payload(view, match.start())[1] + _CRC_BYTES
            except LatError:
                continue
            if (end == len(view) or _TYPE.match(view, end)) and self._is_chunk(match.start()):
                return match.start()
        return len(view)

    def _is_chunk(self, position: int) -> bool:
        """Whether a whole chunk begins here; no more are seen when too much has been checked."""
        try:
            self._read(position)
        except LatError:
            return False
        return True

    def _read(self, start: int) -> tuple[Chunk, int]:
        """As `container.read_chunk`, until too much has been checked: then no chunk is whole."""
        begin, end = container.chunk_payload(self._view, start)
        self._left -= end - begin
        if self._left <= 0:
            raise CorruptChunk("too much of the file is damaged to look further")
        return container.read_chunk(self._view, start)
