"""What an image file had beside its pixels that a `.lat` file has no place for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from PIL import Image

from latentcodec.images import xmp

_EXTENDED_XMP = b"http://ns.adobe.com/xmp/extension/\0"
_CICP = "cicp"  # where `note_cicp` puts it
_CICP_OF_SRGB = bytes([1, 13, 0, 1])
_SRGB_GAMMA = 0.45455
_SRGB_CHROMATICITY = (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)
_MOST_CHUNKS = 1000


def losses_of(image: Image.Image, has_profile: bool) -> list[str]:
    """In words. has_profile: whether an ICC profile says what the colours are."""
    packet = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or b""
    packet = packet.encode() if isinstance(packet, str) else packet
    found = list(xmp.companions(packet))
    if not has_profile:
        found += _colour_space(image)
    if any(data.startswith(_EXTENDED_XMP) for data in _segments(image)):
        found.append("extended XMP")
    if image.info.get("bit_depth", 8) > 8:  # of pillow-heif
        found.append(f"{image.info['bit_depth']} bits per channel")
    return found


def _segments(image: Image.Image) -> list[bytes]:
    """The segments of a JPEG file that belong to programs."""
    return [data for _, data in getattr(image, "applist", ())]


def _colour_space(image: Image.Image) -> Iterator[str]:
    """What tells of other colours than sRGB, without a profile."""
    coded = image.info.get(_CICP)
    if coded is not None:
        if coded != _CICP_OF_SRGB:
            yield f"its colour space (cICP {'/'.join(map(str, coded))})"
        return
    if "srgb" in image.info:
        return
    gamma = image.info.get("gamma")
    if isinstance(gamma, float) and abs(gamma - _SRGB_GAMMA) > 0.005:
        yield f"its gamma ({gamma:g})"
    chromaticity = image.info.get("chromaticity", _SRGB_CHROMATICITY)
    if any(abs(a - b) > 0.002 for a, b in zip(chromaticity, _SRGB_CHROMATICITY, strict=False)):
        yield "its primaries (cHRM)"


def note_cicp(image: Image.Image) -> None:
    """Keep PNG's cICP, which Pillow passes over, in `info`, as long as the file is open."""
    stream: IO[bytes] | None = getattr(image, "fp", None)
    if image.format != "PNG" or stream is None or not stream.seekable():
        return
    back = stream.tell()
    try:
        stream.seek(getattr(image, "_start", 0) + 8)
        for _ in range(_MOST_CHUNKS):
            head = stream.read(8)
            length, kind = int.from_bytes(head[:4], "big"), head[4:]
            if kind == b"cICP" and length == 4:
                image.info[_CICP] = stream.read(4)
            if len(head) < 8 or kind in (b"cICP", b"IDAT"):
                return
            stream.seek(length + 4, 1)
    finally:
        stream.seek(back)
