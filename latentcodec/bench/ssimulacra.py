"""SSIMULACRA2 of many copies of one original, of which half the work is done once.

The steps are those of `compute_ssimulacra2` of the package `ssimulacra2`, by its own functions, so
that scores are the same to the last digit.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LEAST_PX = 8  # of a side of the smallest scale
_KEPT_PIXELS = 2_000_000  # of an original: it takes about 100 bytes a pixel


class _Scale(NamedTuple):
    """Of one of the pictures: XYB, float64 [h, w, 3], and blurred that and its square."""

    xyb: NDArray[np.float64]
    mean: NDArray[np.float64]
    square: NDArray[np.float64]


def score(original: NDArray[np.uint8], decoded: NDArray[np.uint8]) -> float:
    """Of two sRGB pictures, uint8 [H, W, 3], with sides from `LEAST_PX` on: at most 100."""
    from ssimulacra2 import ssimulacra2 as steps

    total = steps.Msssim()
    for one, other in zip(_original(original), _scales(decoded), strict=True):
        product = steps.blur_image(one.xyb * other.xyb)
        scale = steps.MsssimScale()
        squares = one.square, other.square
        scale.avg_ssim = steps.ssim_map(one.mean, other.mean, *squares, product)
        scale.avg_edgediff = steps.edge_diff_map(one.xyb, one.mean, other.xyb, other.mean)
        total.scales.append(scale)
    return float(total.score())


def _original(pixels: NDArray[np.uint8]) -> list[_Scale]:
    if pixels.shape[0] * pixels.shape[1] > _KEPT_PIXELS:
        return _scales(pixels)
    return _kept(pixels.tobytes(), pixels.shape)


@functools.lru_cache(maxsize=1)
def _kept(pixels: bytes, shape: tuple[int, ...]) -> list[_Scale]:
    return _scales(np.frombuffer(pixels, dtype=np.uint8).reshape(shape))


def _scales(pixels: NDArray[np.uint8]) -> list[_Scale]:
    """From the full size on, each half of the one before."""
    from ssimulacra2 import ssimulacra2 as steps

    found = []
    linear = steps.srgb_to_linear(pixels)
    for _ in range(steps.kNumScales):
        if min(linear.shape[:2]) < LEAST_PX:
            break
        xyb = steps.make_positive_xyb(steps.linear_rgb_to_xyb(linear))
        found.append(_Scale(xyb, steps.blur_image(xyb), steps.blur_image(xyb * xyb)))
        linear = steps.downsample(linear, 2, 2)
    return found
