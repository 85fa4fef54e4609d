"""Small pictures for lists and file managers: from the preview in a file where it has one.

Only then is it quick: no model is loaded.
"""

from __future__ import annotations

import numbers
import warnings
from typing import TYPE_CHECKING

from latentcodec.errors import LatError, LossWarning
from latentcodec.format import container
from latentcodec.format.container import MAX_PIXELS, ChunkType
from latentcodec.format.source import Bytes, Source, opened
from latentcodec.images.metadata import attach
from latentcodec.images.preview import fitted_upright, preview_image

if TYPE_CHECKING:
    from PIL import Image


def read_preview(source: Source) -> Image.Image | None:
    """The preview that is stored in a `.lat` file, or None where it has none.

    It shows what the encoder put there, and not what would be decoded. Nothing behind it is read.

    Args:
        source: as for `decode`.

    Returns:
        A Pillow image of at most 256 px a side, of the mode that decoding gives, with the metadata
        of the picture in `info`; as the picture, it is not turned.

    Raises:
        latentcodec.LatError: it is no `.lat` file, is damaged before its first tile, or what
            stands for a preview is none.
        OSError: it cannot be read.
    """
    with opened(source) as data:
        return _preview_in(data)


def thumbnail(source: Source, size: int = 256, *, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """A small picture of a `.lat` file, turned upright, without metadata but the ICC profile.

    It comes of the preview if that has the size, or nearly (three quarters), and else of decoding
    at a scale. A damaged preview is passed over.

    Args:
        source: as for `decode`.
        size: width and height in px that it has at most; smaller pictures stay as they are.
        max_pixels: refuse larger pictures, where they have to be decoded.

    Raises:
        latentcodec.LatError, OSError: as `decode` does.
        ValueError: the size is no whole number above 0.
    """
    if not (isinstance(size, numbers.Integral) and size > 0):
        raise ValueError(f"the size must be a whole number above 0, not {size!r}")
    with opened(source) as data:
        header = container.read_header(data)
        longest = max(header.width_px, header.height_px)
        image = _fitting_preview(data, min(size, longest)) or _decoded(
            data, max(longest // size, 1), max_pixels
        )
    return fitted_upright(image, size)


def _preview_in(data: Bytes) -> Image.Image | None:
    header, metadata = container.read_header(data), container.read_metadata(data)
    payload = metadata.pop(ChunkType.PREVIEW, None)
    if payload is None:
        return None
    image = preview_image(payload, header.colour)
    attach(image, metadata)
    return image


def _fitting_preview(data: Bytes, size: int) -> Image.Image | None:
    try:
        image = _preview_in(data)
    except LatError:  # decoding says what is wrong, or it was the preview alone
        return None
    return image if image and max(image.size) >= 3 * size / 4 else None


def _decoded(data: Bytes, shrink: int, max_pixels: int) -> Image.Image:
    from latentcodec.codec import decode

    scale = next(scale for scale in (16, 8, 4, 2, 1) if scale <= shrink)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LossWarning)
        return decode(data[:], scale=scale, max_pixels=max_pixels)
