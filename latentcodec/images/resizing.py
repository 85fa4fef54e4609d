"""Pictures made smaller or larger before they are encoded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from latentcodec.format.container import check_size

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SIDEWAYS = (5, 6, 7, 8)  # orientations of EXIF


def resized(image: Image.Image, size: tuple[int, int], orientation: int = 1) -> Image.Image:
    """An image at a size, in pixels, by Lanczos' filter.

    size: width and height of the upright picture, one of which may be 0: it follows from the other
    and the shape of the picture. Raises LimitExceeded for more than a file holds.
    """
    sideways = orientation in _SIDEWAYS
    width, height = (size[1], size[0]) if sideways else size
    width = width or max(round(image.width * height / image.height), 1)
    height = height or max(round(image.height * width / image.width), 1)
    check_size(width, height)
    return image.resize((width, height), Image.Resampling.LANCZOS)


def resized_array(array: NDArray[Any], size: tuple[int, int]) -> NDArray[np.uint8]:
    """As `resized`, of uint8 pixels [H, W] or [H, W, 1 to 4]."""
    flat = array[:, :, 0] if array.ndim == 3 and array.shape[2] == 1 else array
    return np.asarray(resized(Image.fromarray(np.ascontiguousarray(flat)), size))
