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


def png(size: tuple[int, int], bits: int, colour_type: int, rows: bytes, **more: bytes) -> bytes:
    """A PNG of rows, each with its filter, and of chunks before them: kinds of it that Pillow reads
    but does not write."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = zlib.crc32(kind + data).to_bytes(4, "big")
        return len(data).to_bytes(4, "big") + kind + data + checksum

    sides = b"".join(side.to_bytes(4, "big") for side in size)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", sides + bytes([bits, colour_type, 0, 0, 0]))
        + b"".join(chunk(kind.encode(), data) for kind, data in more.items())
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def deep_png(colour_type: int, channels: int) -> bytes:
    """A PNG of 2 x 2 pixels with 16 bits per channel."""
    return png((2, 2), 16, colour_type, (b"\0" + bytes(range(2 * 2 * channels))) * 2)
