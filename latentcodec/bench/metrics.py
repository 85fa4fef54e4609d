"""The two axes of a rate-distortion curve: bits per pixel and RGB PSNR."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def psnr_db(original: NDArray[np.uint8], decoded: NDArray[np.uint8]) -> float:
    """Peak signal-to-noise ratio of one image.

    Args:
        original: uint8 [H, W, 3].
        decoded: uint8 [H, W, 3].

    Returns:
        10 log10(255^2 / MSE) in dB, with the MSE over all pixels and all three channels;
        infinity for an exact copy.

    Raises:
        ValueError: The arrays differ in shape or are not uint8.
    """
    if original.shape != decoded.shape:
        raise ValueError(f"the decoded image is {decoded.shape}, the original {original.shape}")
    if original.dtype != np.uint8 or decoded.dtype != np.uint8:
        raise ValueError(f"PSNR needs uint8 images, not {original.dtype} and {decoded.dtype}")
    # int32 first: a difference of two uint8 would wrap around at 0.
    difference = original.astype(np.int32) - decoded.astype(np.int32)
    mse = float(np.mean(np.square(difference), dtype=np.float64))
    return math.inf if mse == 0.0 else 10.0 * math.log10(255.0**2 / mse)


def bits_per_pixel(size_bytes: int, width_px: int, height_px: int) -> float:
    """Bits that a file of `size_bytes` spends on each of its width_px * height_px pixels.

    Raises:
        ValueError: The picture has no pixels.
    """
    if width_px < 1 or height_px < 1:
        raise ValueError(f"a picture of {width_px}x{height_px} px has no pixels")
    return 8.0 * size_bytes / (width_px * height_px)
