"""What an image file had beside its pixels that a `.lat` file has no place for."""

from __future__ import annotations

import re
from typing import IO

from PIL import Image

from latentcodec.images import extended_xmp, xmp
from latentcodec.images.colour_space import CICP, colour_space_of
from latentcodec.images.jxl_boxes import UNREAD
from latentcodec.images.metadata_kinds import jpeg_segments

_MOST_CHUNKS = 1000
_HEAD_BYTES = 1 << 20  # of an AVIF file, that are looked through
_NCLX = re.compile(rb"colrnclx\0(.)\0(.)", re.DOTALL)  # ISO/IEC 14496-12, 12.1.5


def losses_of(image: Image.Image, has_profile: bool) -> list[str]:
    """In words. has_profile: whether an ICC profile says what the colours are."""
    packet = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or b""
    packet = packet.encode() if isinstance(packet, str) else packet
    found = list(xmp.companions(packet))
    if not has_profile and (space := colour_space_of(image)):
        found.append(space.words)
    segments = jpeg_segments(image)
    extended = any(data.startswith(extended_xmp.SIGNATURE) for data in segments)
    if extended and extended_xmp.joined(packet, segments) is None:
        found.append("extended XMP")
    found += image.info.get(UNREAD, ())
    if image.info.get("bit_depth", 8) > 8:  # of pillow-heif
        found.append(f"{image.info['bit_depth']} bits per channel")
    return found


def note_cicp(image: Image.Image) -> None:
    """Keep the codes of colours in PNG (cICP) and AVIF (nclx), which Pillow passes over, in `info`,
    as long as the file is open."""
    stream: IO[bytes] | None = getattr(image, "fp", None)
    find = {"PNG": _cicp_of_png, "AVIF": _cicp_of_avif}.get(image.format or "")
    if find is None or stream is None or not stream.seekable():
        return
    back = stream.tell()
    try:
        stream.seek(getattr(image, "_start", 0))
        if codes := find(stream):
            image.info[CICP] = codes
    finally:
        stream.seek(back)


def _cicp_of_png(stream: IO[bytes]) -> bytes:
    stream.seek(8, 1)
    for _ in range(_MOST_CHUNKS):
        head = stream.read(8)
        length, kind = int.from_bytes(head[:4], "big"), head[4:]
        if kind == b"cICP" and length == 4:
            return stream.read(4)
        if len(head) < 8 or kind in (b"cICP", b"IDAT"):
            break
        stream.seek(length + 4, 1)
    return b""


def _cicp_of_avif(stream: IO[bytes]) -> bytes:
    """Of primaries and transfer; Pillow's RGB has all of the range, and no matrix."""
    found = _NCLX.search(stream.read(_HEAD_BYTES))
    return found[1] + found[2] + b"\0\1" if found else b""
