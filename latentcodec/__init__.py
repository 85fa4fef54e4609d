"""A learned image codec: photographs to `.lat` files and back.

>>> import latentcodec
>>> data = latentcodec.encode(image, quality=60)
>>> image = latentcodec.decode(data)

Importing this package is quick: torch comes in with the first picture.
"""

from __future__ import annotations

import importlib
import warnings
from typing import TYPE_CHECKING

from latentcodec.errors import LatError, LossWarning

if TYPE_CHECKING:
    import os
    from collections.abc import Collection
    from typing import IO

    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image
    from torch import Tensor

    from latentcodec.images.metadata import MetadataName
    from latentcodec.info import LatInfo, read_info
    from latentcodec.reusable import Codec
    from latentcodec.runtime.model_store import use_weights

__version__ = "0.1.0"
__all__ = [
    "Codec",
    "LatError",
    "LatInfo",
    "LossWarning",
    "__version__",
    "decode",
    "encode",
    "open",
    "read_info",
    "use_weights",
]

_MODULE_OF = {
    "Codec": "reusable",
    "LatInfo": "info",
    "read_info": "info",
    "use_weights": "runtime.model_store",
}


def __getattr__(name: str) -> object:
    """Import what is seldom needed when it is asked for."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"latentcodec.{_MODULE_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def encode(
    image: Image.Image | NDArray[np.uint8] | Tensor,
    quality: float = 50,
    model: str = "hyper",
    strict: bool = False,
    strip: Collection[MetadataName] = (),
) -> bytes:
    """Encode a picture as a `.lat` file.

    Args:
        image: a Pillow image; a uint8 array [H, W], [H, W, 2], [H, W, 3] or [H, W, 4], whose
            second or fourth channel is alpha; or a tensor [C, H, W] of as many channels, uint8,
            or floats in 0..1, which are rounded to 256 levels. RGB and grey are stored as such,
            alpha without losses; EXIF, ICC profile and XMP of a Pillow image are kept. What has
            to be converted (16 bits, CMYK and other colour spaces) gives a `LossWarning`.
        quality: 1 (smallest) to 100 (best), in tenths.
        model: name or family of a packaged model, or what `use_weights` returned.
        strict: raise an error instead of a `LossWarning`.
        strip: metadata to leave out, of "icc", "exif", "xmp", "gps" (in EXIF and XMP) and "all".
            Of EXIF the orientation is kept, by which the picture is to be turned.

    Returns:
        The bytes of the file.

    Raises:
        latentcodec.LatError: the image cannot be encoded, or the model is not known.
        ValueError: the quality is out of range, or `strip` names no metadata.
    """
    from latentcodec.images.picture import source_of
    from latentcodec.pipeline.encoder import encode_picture

    return encode_picture(source_of(image, strict).without(strip), quality, model)


def decode(
    data: bytes,
    region: tuple[int, int, int, int] | None = None,
    *,
    scale: int = 1,
    max_pixels: int | None = None,
    salvage: bool = False,
) -> Image.Image:
    """Decode a `.lat` file.

    Args:
        data: the bytes of the file.
        region: left, top, width and height in pixels of the part that is wanted; only the tiles
            that it needs are decoded.
        scale: 1, 2, 4, 8 or 16, by which width and height are divided, rounded up. Each pixel is
            the mean of scale x scale, and the full-size ones are never in memory.
        max_pixels: refuse larger pictures, whatever the region and the scale; None: 2^28.
        salvage: of a damaged file, give what is left, with a `LossWarning` for each thing lost;
            damaged tiles are filled from the pixels around them.

    Returns:
        A Pillow image of mode RGB, RGBA, L or LA, with EXIF, ICC profile and XMP in `info`.

    Raises:
        latentcodec.LatError: the data is not a `.lat` file, is damaged (with `salvage`: in its
            header, or in all of its tiles), is larger than `max_pixels`, or names a model that is
            not installed.
        ValueError: the region is not inside the picture, the scale is none of the five, or a
            scale is combined with a region or `salvage`.
    """
    from latentcodec.format.container import Region
    from latentcodec.images.picture import image_of
    from latentcodec.pipeline.decoder import decode_image
    from latentcodec.pipeline.scaled import decode_at, limit

    part = Region(*region) if region else None
    if scale != 1 and salvage:
        raise ValueError("a scale cannot be combined with salvage")
    if scale != 1:
        return image_of(decode_at(data, scale, part, max_pixels=max_pixels))
    if not salvage:
        return decode_image(data, part, max_pixels=limit(max_pixels))
    from latentcodec.pipeline.salvage import salvage_picture

    salvaged = salvage_picture(data, part, limit(max_pixels))
    for problem in salvaged.problems:
        warnings.warn(LossWarning(problem), stacklevel=2)
    return image_of(salvaged.picture)


def open(source: str | os.PathLike[str] | IO[bytes]) -> Image.Image:
    """Open a `.lat` file as a Pillow image, which is decoded when its pixels are first asked for.

    Args:
        source: a path, or a file open for reading.

    Returns:
        A Pillow image with size, mode, metadata and `info["quality"]`. As with all of Pillow's
        images, `load` raises OSError where the rest of the file is damaged.

    Raises:
        latentcodec.LatError: it is no `.lat` file, or its header is damaged.
        OSError: it cannot be read.
    """
    from latentcodec.pillow import open_lazily

    return open_lazily(source)
