"""How many bits per channel a file has, of which Pillow loads eight without a word."""

from __future__ import annotations

import re
from typing import IO, TYPE_CHECKING

from latentcodec.images.jxl_header import header_of

if TYPE_CHECKING:
    from PIL import Image

# Pillow's raw modes of 16 bits per channel, in any byte order.
_DEEP = re.compile(r";16[BLN]")
_HEAD_BYTES = 1 << 20  # that are looked through for what says the depth
_J2K_START = b"\xff\x4f\xff\x51"  # SOC and SIZ, which come first (ISO/IEC 15444-1, A.4.2, A.5.1)
_J2K_COMPONENTS = 38  # bytes from SIZ to the number of components, three bytes for each behind it
_AV1_CONFIGURATION = re.compile(rb"av1C\x81.(.)", re.DOTALL)


def bits_of(image: Image.Image) -> int:
    """The bits per channel of an opened file that is not loaded yet; 8 where it says nothing."""
    tiles = [_bits_of_tile(tile) for tile in getattr(image, "tile", ())]
    find = {"JPEG2000": _bits_of_j2k, "AVIF": _bits_of_avif}.get(image.format or "")
    depth = find(_head_of(image)) if find else header_of(image).bits
    return max([*tiles, depth])


def _head_of(image: Image.Image) -> bytes:
    stream: IO[bytes] | None = getattr(image, "fp", None)
    if stream is None or not stream.seekable():
        return b""
    back = stream.tell()
    try:
        stream.seek(0)
        return stream.read(_HEAD_BYTES)
    finally:
        stream.seek(back)


def _bits_of_tile(tile: tuple[object, ...]) -> int:
    """What the arguments of one of Pillow's decoders say."""
    decoder, arguments = tile[0], tile[3]
    if _DEEP.search(str(arguments)) or decoder == "SGI16":
        return 16
    last = arguments[-1] if isinstance(arguments, tuple) else None
    if not isinstance(last, int):
        return 8
    if decoder in ("ppm", "ppm_plain"):  # the largest sample
        return last.bit_length()
    return 8 * last if decoder == "sgi_rle" else 8


def _bits_of_j2k(head: bytes) -> int:
    at = head.find(_J2K_START) + 2 + _J2K_COMPONENTS
    if at < 2 + _J2K_COMPONENTS:
        return 8
    count = int.from_bytes(head[at : at + 2], "big")
    return max(((one & 0x7F) + 1 for one in head[at + 2 : at + 2 + 3 * count : 3]), default=8)


def _bits_of_avif(head: bytes) -> int:
    """By the AV1 codec configuration (AV1-ISOBMFF, 2.3): of a picture, its alpha and so on."""
    flags = [found[1][0] for found in _AV1_CONFIGURATION.finditer(head)]
    return max((8 if not flag & 0x40 else 12 if flag & 0x20 else 10 for flag in flags), default=8)
