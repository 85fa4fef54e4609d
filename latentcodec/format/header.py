"""The header of a `.lat` file: its fixed fields, what they may hold, and what follows from them.

Specified in docs/format.md; a change here is a change there.
"""

from __future__ import annotations

import dataclasses
import enum
import math
import numbers
import struct
import zlib

from latentcodec.errors import (
    CorruptHeader,
    LatError,
    LimitExceeded,
    NotALatFile,
    TruncatedFile,
    UnsupportedVersion,
)
from latentcodec.format.file_view import FileView
from latentcodec.format.region import Region

SIGNATURE = b"\x93LAT"
VERSION = 1
TILE_PX = 1024
MAX_SIDE_PX = 65535
MAX_PIXELS = 1 << 28
QUALITY_TENTHS = range(10, 1001)

# signature, version, colour, quality in tenths, width, height, model code, weights hash
_FIELDS = struct.Struct("<4sBBHHH4s4s")
_CRC = struct.Struct("<I")
HEADER_BYTES = _FIELDS.size + _CRC.size


class Colour(enum.IntEnum):
    """What the pixels are; the values stand in the header."""

    RGB = 0
    GREY = 1
    RGB_ALPHA = 2
    GREY_ALPHA = 3

    @property
    def is_grey(self) -> bool:
        return self in (Colour.GREY, Colour.GREY_ALPHA)

    @property
    def has_alpha(self) -> bool:
        """Whether every tile is followed by its ALPHA chunk."""
        return self in (Colour.RGB_ALPHA, Colour.GREY_ALPHA)

    @property
    def channels(self) -> int:
        """Samples of a pixel."""
        return (1 if self.is_grey else 3) + self.has_alpha

    @property
    def pillow_mode(self) -> str:
        """The same by Pillow's name."""
        return {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[self.channels]


class ChunkType(enum.IntEnum):
    """Chunk types that this version writes."""

    TILE = 0x01
    ALPHA = 0x02
    ICC = 0x81
    EXIF = 0x82
    XMP = 0x83
    IPTC = 0x84
    RESOLUTION = 0x85
    TEXT = 0x86
    PREVIEW = 0x87


@dataclasses.dataclass(frozen=True)
class Header:
    """The fixed fields at the start of a file."""

    width_px: int
    height_px: int
    colour: Colour
    quality_tenths: int
    model_code: str  # four ASCII characters, given once and for ever
    weights_hash: bytes  # the first four bytes of the SHA-256 of the model's weights file

    @property
    def tile_chunks(self) -> tuple[ChunkType, ...]:
        """The types of the chunks of each tile, in their order."""
        alpha = self.colour.has_alpha
        return (ChunkType.TILE, ChunkType.ALPHA) if alpha else (ChunkType.TILE,)

    @property
    def tile_grid(self) -> tuple[int, int]:
        """Rows and columns of tiles."""
        return math.ceil(self.height_px / TILE_PX), math.ceil(self.width_px / TILE_PX)

    @property
    def whole(self) -> Region:
        """All of the picture."""
        return Region(0, 0, self.width_px, self.height_px)

    def tile_region(self, number: int) -> Region:
        """What a tile covers, by its place in the file."""
        down, right = divmod(number, self.tile_grid[1])
        tile = Region(right * TILE_PX, down * TILE_PX, TILE_PX, TILE_PX)
        return tile.intersection(self.whole)

    def is_near(self, number: int, region: Region) -> bool:
        """Whether a tile is no further than one tile from a region."""
        return not self.tile_region(number).intersection(region.grown(TILE_PX)).is_empty

    def at_tile(self, error: LatError, number: int) -> LatError:
        """An error, of the same class, that also says where in the picture."""
        return type(error)(f"{error} ({self.tile_name(number)})")

    def tile_name(self, number: int) -> str:
        """A tile in words, for messages."""
        tile = self.tile_region(number)
        return f"the tile of {tile.width} x {tile.height} px at {tile.left},{tile.top}"


def tenths_of(quality: float) -> int:
    """A quality as it stands in the header. Raises ValueError unless it is 1 to 100."""
    is_number = isinstance(quality, numbers.Real) and not isinstance(quality, bool)
    if not (is_number and 1 <= quality <= 100):
        raise ValueError(f"quality must be a number from 1 to 100, not {quality!r}")
    return round(10 * quality)


def header_bytes(header: Header) -> bytes:
    """The fields and their checksum. Raises LimitExceeded for a size that the format has not."""
    check_size(header.width_px, header.height_px)
    fields = _FIELDS.pack(
        SIGNATURE,
        VERSION,
        header.colour,
        header.quality_tenths,
        header.width_px,
        header.height_px,
        header.model_code.encode("ascii"),
        header.weights_hash,
    )
    return fields + _CRC.pack(zlib.crc32(fields))


def check_size(width_px: int, height_px: int) -> None:
    """Raises LimitExceeded for a size that the format does not hold."""
    sides = width_px, height_px
    if not all(0 < side <= MAX_SIDE_PX for side in sides) or width_px * height_px > MAX_PIXELS:
        raise LimitExceeded(
            f"the picture has {width_px} x {height_px} px; a side may have 1 to {MAX_SIDE_PX} px, "
            f"a picture {MAX_PIXELS}"
        )


def read_header(data: bytes | memoryview | FileView) -> Header:
    """The header alone, from at least the first HEADER_BYTES bytes of a file.

    Raises NotALatFile, UnsupportedVersion, TruncatedFile, CorruptHeader.
    """
    data = bytes(data[:HEADER_BYTES])
    if data[:4] != SIGNATURE[: len(data[:4])] or not data:
        raise NotALatFile("this is not a .lat file")
    if len(data) < HEADER_BYTES:
        raise TruncatedFile("the file ends within its header")
    _, version, colour, quality, width, height, code, weights = _FIELDS.unpack_from(data)
    if version != VERSION:
        raise UnsupportedVersion(f"the file has format version {version}, known is {VERSION}")
    if _CRC.unpack_from(data, _FIELDS.size)[0] != zlib.crc32(data[: _FIELDS.size]):
        raise CorruptHeader("the header is damaged: its checksum does not match")
    if colour not in iter(Colour):
        raise CorruptHeader(f"the header names an unknown colour mode, {colour}")
    if quality not in QUALITY_TENTHS:
        raise CorruptHeader(f"the header's quality, {quality / 10}, is not in 1 to 100")
    if not (width and height):
        raise CorruptHeader("the header gives a side of 0 px")
    if not all(0x20 < byte < 0x7F for byte in code):
        raise CorruptHeader("the header's model code is not printable ASCII")
    return Header(width, height, Colour(colour), quality, code.decode("ascii"), weights)
