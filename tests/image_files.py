"""Image files that Pillow writes, and one that it only reads."""

from __future__ import annotations

import io
import zlib

from PIL import Image, ImageCms

ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def saved(image: Image.Image, form: str, **options: object) -> Image.Image:
    """The image after a turn through a file format."""
    buffer = io.BytesIO()
    image.save(buffer, format=Image.registered_extensions()[f".{form}"], **options)
    return Image.open(buffer)


def deep_png(colour_type: int, channels: int) -> bytes:
    """A PNG of 2 x 2 pixels with 16 bits per channel, which Pillow reads but does not write."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = zlib.crc32(kind + data).to_bytes(4, "big")
        return len(data).to_bytes(4, "big") + kind + data + checksum

    size = (2).to_bytes(4, "big") * 2
    rows = (b"\0" + bytes(range(2 * 2 * channels))) * 2
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", size + bytes([16, colour_type, 0, 0, 0]))
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )
