"""Small pictures of `.lat` files."""

from __future__ import annotations

from latentcodec.format import container
from latentcodec.format.source import Source, opened
from latentcodec.images.canvas import ImageCanvas
from latentcodec.images.files import file_bytes, shrunk
from latentcodec.options import DecodeOptions
from latentcodec.pipeline import decoder

_SCALES = (16, 8, 4, 2)


def thumbnail(source: Source, size_px: int, form: str) -> bytes:
    """A picture whose longer side has `size_px` pixels at most, as a file of a format of Pillow's.

    It is upright and has no metadata. Raises LatError and OSError.
    """
    with opened(source) as data:
        header = container.read_header(data)
        longer = max(header.width_px, header.height_px)
        scale = next((scale for scale in _SCALES if longer // scale >= size_px), 1)
        decoded = decoder.decode(data, ImageCanvas, DecodeOptions(scale=scale))
    return file_bytes(shrunk(decoded.picture, size_px), form)
