"""Chunks of image arrays as `.lat` files: what the Zarr and the numcodecs codec share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from latentcodec.codec import decode_array, encode
from latentcodec.errors import UnsupportedImage
from latentcodec.format.header import tenths_of


def check_quality(quality: float) -> float:
    """A quality as a number that JSON can hold. Raises ValueError unless it is 1 to 100."""
    tenths_of(quality)
    return float(quality)


def encode_chunk(chunk: NDArray[np.uint8], quality: float, model: str) -> bytes:
    """The `.lat` file of a chunk, uint8 [..., H, W, 3] or [..., H, W].

    Raises UnsupportedImage for other shapes and types, and as `encode` does.
    """
    return encode(chunk.reshape(picture_shape(chunk.shape)), quality=quality, model=model)


def decode_chunk(data: bytes) -> NDArray[np.uint8]:
    """The picture of a chunk, uint8 [H, W, 3] or [H, W]. Raises a LatError."""
    return decode_array(data)


def picture_shape(shape: Sequence[int]) -> tuple[int, ...]:
    """[H, W, 3] or [H, W] of a chunk's shape.

    A last axis of three is colour, and all axes before the picture must have length 1, or else
    this raises UnsupportedImage.
    """
    axes = 3 if len(shape) > 2 and shape[-1] == 3 else 2
    if len(shape) < axes or any(length != 1 for length in shape[:-axes]):
        raise UnsupportedImage(
            "a chunk must be one picture, [H, W, 3] or [H, W] after axes of length 1, "
            f"not {list(shape)}"
        )
    return tuple(shape[-axes:])
