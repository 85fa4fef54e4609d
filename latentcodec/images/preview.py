"""Previews: small copies of pictures, which a `.lat` file holds as WebP.

WebP is read without a model by Pillow and by browsers.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from PIL import Image, ImageOps

from latentcodec.errors import CorruptChunk, UnsupportedImage
from latentcodec.format.container import MAX_PREVIEW_BYTES, Colour
from latentcodec.images import exif

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SIDE_PX = 256  # the longer one has at most so many
_FORM = "WEBP"
_QUALITIES = 60, 20, 0  # the next where the one before takes too many bytes


def preview_bytes(pixels: NDArray[np.uint8], size: tuple[int, int]) -> bytes:
    """A picture, uint8 [h, w, 3] or [h, w, 4], as WebP of a size, MAX_PREVIEW_BYTES at most.

    Raises UnsupportedImage where Pillow was built without WebP.
    """
    image = Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS)
    for quality in _QUALITIES:
        buffer = io.BytesIO()
        try:
            image.save(buffer, _FORM, quality=quality, alpha_quality=quality, method=6)
        except KeyError as error:
            raise UnsupportedImage(
                "this Pillow has no WebP, as which previews are stored"
            ) from error
        if buffer.tell() <= MAX_PREVIEW_BYTES:
            break
    return buffer.getvalue()


def fitted_upright(image: Image.Image, side_px: int) -> Image.Image:
    """A picture turned as its EXIF says, with no more px a side; of its metadata the profile."""
    profile = image.info.get("icc_profile")
    image.info = {"exif": exif.only_orientation(image.info.get("exif", b""))}
    image = ImageOps.exif_transpose(image)
    image.thumbnail((side_px, side_px), Image.Resampling.LANCZOS)
    image.info = {"icc_profile": profile} if profile else {}
    return image


def png_bytes(image: Image.Image) -> bytes:
    """A small picture as PNG, with its profile."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def preview_image(payload: bytes, colour: Colour) -> Image.Image:
    """The preview of a picture of some colour mode. Raises CorruptChunk for anything else than a
    WebP image of SIDE_PX a side at most, before it is decoded."""
    width, height = _size_of(payload)
    if max(width, height) > SIDE_PX:
        raise CorruptChunk(f"the preview has more than {SIDE_PX} px a side")
    from PIL import WebPImagePlugin  # noqa: F401  # alone: Pillow would import all its plugins

    try:
        with Image.open(io.BytesIO(payload), formats=[_FORM]) as image:
            return image.convert(colour.pillow_mode)
    except Exception as error:  # Pillow's plugins raise nearly anything on a broken file
        raise CorruptChunk("the preview is no WebP image") from error


def _size_of(payload: bytes) -> tuple[int, int]:
    """Width and height as a WebP file claims them, RFC 9649, section 2; (0, 0) where it does not.

    Pillow has a canvas of that size made before it gives it. Raises CorruptChunk for an animation.
    """
    kind, body = payload[12:16], payload[20:30].ljust(10, b"\0")
    if payload[:4] != b"RIFF" or payload[8:12] != b"WEBP":
        return 0, 0
    if kind == b"VP8 ":
        width, height = (int.from_bytes(body[at : at + 2], "little") & 0x3FFF for at in (6, 8))
        return width, height
    if kind == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8X" and body[0] & 0x02:
        raise CorruptChunk("the preview is an animation")
    width, height = (int.from_bytes(body[at : at + 3], "little") + 1 for at in (4, 7))
    return width, height
