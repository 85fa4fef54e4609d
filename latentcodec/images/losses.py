"""What an image file had beside its pixels that a `.lat` file has no place for."""

from __future__ import annotations

from typing import IO

from PIL import Image

from latentcodec.images import extended_xmp, xmp
from latentcodec.images.colour_space import CICP, colour_space_of
from latentcodec.images.jxl_boxes import UNREAD
from latentcodec.images.metadata_kinds import jpeg_segments

_MOST_CHUNKS = 1000


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
                image.info[CICP] = stream.read(4)
            if len(head) < 8 or kind in (b"cICP", b"IDAT"):
                return
            stream.seek(length + 4, 1)
    finally:
        stream.seek(back)
