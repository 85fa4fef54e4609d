"""The `.lat` container, version 1: reader and writer side by side.

Specified field by field in docs/format.md; a change here is a change there. Only the standard
library is used, and nothing is allocated on the word of a length field.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
import struct
import zlib
from collections.abc import Sequence
from typing import Any

from latentcodec.errors import (
    CorruptChunk,
    LatError,
    LimitExceeded,
    TrailingData,
    TruncatedFile,
    UnknownChunk,
)
from latentcodec.format.file_view import FileView
from latentcodec.format.header import (
    HEADER_BYTES,
    MAX_PIXELS,
    MAX_SIDE_PX,
    QUALITY_TENTHS,
    SIGNATURE,
    TILE_PX,
    VERSION,
    ChunkType,
    Colour,
    Header,
    check_size,
    header_bytes,
    read_header,
)
from latentcodec.format.region import Region
from latentcodec.format.source import Bytes

# The header belongs to the format: who needs both finds both here.
__all__ = [
    "HEADER_BYTES",
    "MAX_ALPHA_BYTES",
    "MAX_METADATA_BYTES",
    "MAX_METADATA_CHUNKS",
    "MAX_PIXELS",
    "MAX_PREVIEW_BYTES",
    "MAX_SIDE_PX",
    "MAX_TILE_BYTES",
    "METADATA_CHUNKS",
    "OPTIONAL",
    "QUALITY_TENTHS",
    "SIGNATURE",
    "TILE_PX",
    "VERSION",
    "Bytes",
    "Chunk",
    "ChunkType",
    "Colour",
    "Header",
    "LatFile",
    "Region",
    "check_size",
    "chunk_payload",
    "length_of",
    "read",
    "read_chunk",
    "read_header",
    "read_metadata",
    "write",
]

_View = memoryview | FileView

MAX_METADATA_BYTES = 1 << 24
MAX_METADATA_CHUNKS = 64  # with those that are skipped
MAX_TILE_BYTES = 1 << 24
MAX_ALPHA_BYTES = 1 << 21  # twice the samples of a tile
MAX_PREVIEW_BYTES = 1 << 16

_CRC = struct.Struct("<I")
OPTIONAL = 0x80  # bit of a chunk type: a decoder may skip the chunk
_MAX_LENGTH_BYTES = 5

_MOST_BYTES = {
    int(ChunkType.TILE): MAX_TILE_BYTES,
    int(ChunkType.ALPHA): MAX_ALPHA_BYTES,
    int(ChunkType.PREVIEW): MAX_PREVIEW_BYTES,
}
METADATA_CHUNKS = tuple(kind for kind in ChunkType if kind & OPTIONAL)


@dataclasses.dataclass(frozen=True)
class Chunk:
    """One chunk: its type byte and its payload."""

    type: int
    payload: bytes


@dataclasses.dataclass(frozen=True)
class LatFile:
    """A file taken apart: the header, the tiles row by row, and the metadata chunks."""

    header: Header
    tiles: Sequence[bytes]
    metadata: dict[ChunkType, bytes]
    alphas: Sequence[bytes] = dataclasses.field(default_factory=list)  # one a tile, or none


class _Payloads(Sequence[bytes]):
    """Payloads that stay on the disk. Each is read, and checked again, when it is asked for."""

    def __init__(self, view: FileView, starts: list[int | None]) -> None:
        self._view, self._starts = view, starts

    def __len__(self) -> int:
        return len(self._starts)

    def __getitem__(self, number: Any) -> Any:
        start = self._starts[number]
        return b"" if start is None else read_chunk(self._view, start)[0].payload


def write(file: LatFile) -> bytes:
    """The bytes of a file. Raises LimitExceeded for what the format cannot hold."""
    parts = [header_bytes(file.header)]
    for kind in METADATA_CHUNKS:
        if kind in file.metadata:
            if len(file.metadata[kind]) > MAX_METADATA_BYTES:
                raise LimitExceeded(f"{kind.name} data may have {MAX_METADATA_BYTES} bytes at most")
            parts.append(_chunk_bytes(kind, file.metadata[kind]))
    parts += _tile_chunks(file)
    return b"".join(parts)


def _tile_chunks(file: LatFile) -> list[bytes]:
    """The chunks of each tile, in the order of the file."""
    parts = []
    for number, tile in enumerate(file.tiles):
        if len(tile) > MAX_TILE_BYTES:
            raise LimitExceeded(f"a tile may have {MAX_TILE_BYTES} bytes at most")
        parts.append(_chunk_bytes(ChunkType.TILE, tile))
        if file.header.colour.has_alpha:
            parts.append(_chunk_bytes(ChunkType.ALPHA, file.alphas[number]))
    return parts


def read(
    data: Bytes,
    max_pixels: int = MAX_PIXELS,
    near: Region | None = None,
) -> LatFile:
    """Take a file apart and check all of it but the tiles' payloads.

    near: tiles that are further than one tile from it are skipped by their lengths: what is in
    them is neither read nor checked, and their payloads are empty. Those of a file on a disk stay
    there until they are decoded.

    Raises a subclass of LatError for anything that `write` does not produce, except that
    unknown optional chunks are skipped.
    """
    header = read_header(data)
    _check_pixels(header, max_pixels)
    view = data if isinstance(data, FileView) else memoryview(data)
    metadata, position = _read_metadata(view)
    found: dict[ChunkType, list[bytes]] = {ChunkType.TILE: [], ChunkType.ALPHA: []}
    starts: dict[ChunkType, list[int | None]] = {ChunkType.TILE: [], ChunkType.ALPHA: []}
    for number, kind in itertools.product(range(math.prod(header.tile_grid)), header.tile_chunks):
        far, start = near is not None and not header.is_near(number, near), position
        try:
            chunk, position = (_skip_chunk if far else read_chunk)(view, start)
            if chunk.type != kind:
                raise CorruptChunk(f"a chunk of type {chunk.type:#04x} stands among the tiles")
        except LatError as error:
            raise header.at_tile(error, number) from None
        if isinstance(view, FileView):
            starts[kind].append(None if far else start)
        else:
            found[kind].append(chunk.payload)
    if position != len(data):
        raise TrailingData(f"{len(data) - position} bytes follow the last tile")
    tiles, alphas = (
        _Payloads(view, starts[kind]) if isinstance(view, FileView) else found[kind]
        for kind in (ChunkType.TILE, ChunkType.ALPHA)
    )
    return LatFile(header, tiles, metadata, alphas)


def _check_pixels(header: Header, max_pixels: int) -> None:
    """Raises LimitExceeded for a picture of more."""
    if header.width_px * header.height_px > max_pixels:
        raise LimitExceeded(
            f"the picture has {header.width_px} x {header.height_px} px, "
            f"above the limit of {max_pixels} pixels"
        )


def length_of(data: bytes | memoryview) -> int:
    """How many bytes the file at the start of `data` has; others may follow.

    Payloads are not looked at. Raises as `read` does where there is no end.
    """
    header, view = read_header(data), memoryview(data)
    _, position = _read_metadata(view)
    for _ in range(math.prod(header.tile_grid) * len(header.tile_chunks)):
        _, position = _skip_chunk(view, position)
    return position


def read_metadata(data: Bytes) -> dict[ChunkType, bytes]:
    """The metadata chunks of a file; what follows them is not looked at.

    Raises TruncatedFile, CorruptChunk and UnknownChunk.
    """
    return _read_metadata(data if isinstance(data, FileView) else memoryview(data))[0]


def _read_metadata(view: _View) -> tuple[dict[ChunkType, bytes], int]:
    """The metadata chunks, and the position of the first tile."""
    metadata: dict[ChunkType, bytes] = {}
    position = HEADER_BYTES
    for _ in range(MAX_METADATA_CHUNKS + 1):
        if position < len(view) and view[position] == ChunkType.TILE:
            return metadata, position
        chunk, position = read_chunk(view, position)
        if chunk.type in METADATA_CHUNKS:
            if chunk.type in metadata:
                raise CorruptChunk(f"there are two {ChunkType(chunk.type).name} chunks")
            metadata[ChunkType(chunk.type)] = chunk.payload
        elif chunk.type == ChunkType.ALPHA:
            raise CorruptChunk("an ALPHA chunk stands before its tile")
        elif not chunk.type & OPTIONAL:
            raise UnknownChunk(f"the file needs a chunk of unknown type {chunk.type:#04x}")
    raise CorruptChunk(f"more than {MAX_METADATA_CHUNKS} chunks stand before the first tile")


def tile_bytes(payload: bytes) -> int:
    """What a tile with this payload takes of a file."""
    return len(_chunk_bytes(ChunkType.TILE, payload))


def _chunk_bytes(kind: int, payload: bytes) -> bytes:
    """Type, length (LEB128), payload, CRC-32 of all three."""
    length, rest = bytearray(), len(payload)
    while rest >= 0x80:
        length.append(rest & 0x7F | 0x80)
        rest >>= 7
    length.append(rest)
    body = bytes([kind]) + bytes(length) + payload
    return body + _CRC.pack(zlib.crc32(body))


def read_chunk(view: _View, start: int) -> tuple[Chunk, int]:
    """The chunk at `start` and the position after it. Raises TruncatedFile and CorruptChunk."""
    begin, end = chunk_payload(view, start)
    body = view[start:end]
    if _CRC.unpack(view[end : end + _CRC.size])[0] != zlib.crc32(body):
        raise CorruptChunk("a chunk is damaged: its checksum does not match")
    return Chunk(body[0], bytes(body[begin - start :])), end + _CRC.size


def _skip_chunk(view: _View, start: int) -> tuple[Chunk, int]:
    """The chunk at `start` without its payload, and the position after it; raises the same."""
    _, end = chunk_payload(view, start)
    return Chunk(view[start], b""), end + _CRC.size


def chunk_payload(view: _View, start: int) -> tuple[int, int]:
    """Where the payload of the chunk at `start` begins and ends, by its length field.

    The checksum behind it is there but not looked at. Raises TruncatedFile and CorruptChunk.
    """
    if start >= len(view):
        raise TruncatedFile("the file ends before its last tile")
    kind, length, position = view[start], 0, start + 1
    for digit in range(_MAX_LENGTH_BYTES):
        if position >= len(view):
            raise TruncatedFile("the file ends within a chunk")
        byte = view[position]
        position += 1
        length |= (byte & 0x7F) << (7 * digit)
        if not byte & 0x80:
            break
    else:
        raise CorruptChunk("a chunk's length has too many digits")
    if digit and not byte:
        raise CorruptChunk("a chunk's length is not written in its shortest form")
    if length > _MOST_BYTES.get(kind, MAX_METADATA_BYTES):
        raise CorruptChunk(f"a chunk claims {length} bytes, more than its type may have")
    end = position + length
    if end + _CRC.size > len(view):
        raise TruncatedFile("the file ends within a chunk")
    return position, end
