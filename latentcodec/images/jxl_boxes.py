"""Boxes of JPEG XL files that their Pillow plugin passes over (ISO/IEC 18181-2).

XMP stands in a box `xml `; it and EXIF may be compressed by Brotli, in a box `brob`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import IO

from PIL import Image

from latentcodec.images import exif

UNREAD = "unread_boxes"  # an entry of `info`: in words, what is there but cannot be read
_SIGNATURE = b"\0\0\0\x0cJXL \r\n\x87\n"
_XMP = b"xml "
_WORDS = {b"Exif": "EXIF compressed by Brotli", _XMP: "XMP compressed by Brotli"}
_MOST_BOXES = 1000


def note_boxes(image: Image.Image) -> None:
    """Put a file's XMP into `info`, and what is compressed, as long as the file is open.

    The pixels are upright already, by the orientation beside them, whatever EXIF says.
    """
    stream: IO[bytes] | None = getattr(image, "fp", None)
    made_of_jpeg = getattr(image, "jpeg", False)  # whose own metadata the plugin reads
    if image.format != "JXL" or stream is None or not stream.seekable() or made_of_jpeg:
        return
    if block := image.info.get("exif"):
        image.info["exif"] = exif.upright(block)
    back = stream.tell()
    try:
        for kind, length in boxes(stream):
            if kind == _XMP:
                image.info["xmp"] = stream.read(length)
            elif kind == b"brob" and (words := _WORDS.get(stream.read(4))):
                image.info[UNREAD] = (*image.info.get(UNREAD, ()), words)
    finally:
        stream.seek(back)


def boxes(stream: IO[bytes]) -> Iterator[tuple[bytes, int]]:
    """The kind of each box and the length of its contents, where the stream stands then; -1 is
    all of the rest. There are none in a file that is pixels alone, and no more after one that is
    longer than the file: who reads it would ask for as much memory."""
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    if stream.read(len(_SIGNATURE)) != _SIGNATURE:
        return
    for _ in range(_MOST_BOXES):
        at, head = stream.tell(), stream.read(8)
        length, lead = int.from_bytes(head[:4], "big"), 8
        if length == 1:
            length, lead = int.from_bytes(stream.read(8), "big"), 16
        if len(head) < 8 or 0 < length < lead or at + length > size:
            return
        yield head[4:], length - lead if length else -1
        if not length:
            return
        stream.seek(at + length)
