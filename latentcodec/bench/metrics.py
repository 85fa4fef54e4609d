"""What is measured of a decoded image: rate, and distortion by four metrics."""

from __future__ import annotations

import functools
import importlib.metadata
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latentcodec.bench import ssimulacra
from latentcodec.bench.bdrate import MIN_OVERLAP_DB

# Five scales of a window of 11 px: pytorch-msssim needs sides above 160 px.
MS_SSIM_MIN_PX = 161
_LUMA_BT601 = np.array([0.299, 0.587, 0.114])


@dataclass(frozen=True)
class Metric:
    """An axis of quality on which more is better.

    Attributes:
        column: Its name in the tables.
        label: Its name for a person, with the unit.
        min_overlap: The least range that two curves must share for a BD-rate, in its own unit.
    """

    column: str
    label: str
    min_overlap: float = MIN_OVERLAP_DB


PSNR = Metric("psnr", "RGB PSNR, dB")
PSNR_Y = Metric("psnr_y", "PSNR-Y, dB")
MS_SSIM = Metric("ms_ssim_db", "MS-SSIM, dB")
# Not decibels: 20 of its points are a step of "low", "medium" or "high" quality.
SSIMULACRA2 = Metric("ssimulacra2", "SSIMULACRA2, points", min_overlap=10.0)
METRICS = (PSNR, PSNR_Y, MS_SSIM, SSIMULACRA2)


@dataclass(frozen=True)
class Distortion:
    """How far a decoded image is from the original.

    `mse` is over RGB at 255 scale, `psnr` and `psnr_y` in dB (infinite for an exact copy),
    `ms_ssim` 0 to 1, `ms_ssim_db` is -10 log10(1 - ms_ssim), `ssimulacra2` at most 100. A metric
    that the image is too small for is nan.
    """

    mse: float
    psnr: float
    psnr_y: float
    ms_ssim: float
    ms_ssim_db: float
    ssimulacra2: float


def distortion(original: NDArray[np.uint8], decoded: NDArray[np.uint8]) -> Distortion:
    """Measure a decoded image, uint8 [H, W, 3], against the original of the same shape.

    Raises:
        ValueError: The arrays differ in shape or are not uint8.
    """
    error = mean_squared_error(original, decoded)
    structure = ms_ssim(original, decoded)
    return Distortion(
        mse=error,
        psnr=psnr_db(error),
        psnr_y=psnr_db(_luma_error(original, decoded)),
        ms_ssim=structure,
        ms_ssim_db=decibels(structure),
        ssimulacra2=ssimulacra2(original, decoded),
    )


def mean_squared_error(original: NDArray[np.uint8], decoded: NDArray[np.uint8]) -> float:
    """MSE over all pixels and all three channels of two uint8 [H, W, 3], at 255 scale.

    Raises:
        ValueError: The arrays differ in shape or are not uint8.
    """
    if original.shape != decoded.shape:
        raise ValueError(f"the decoded image is {decoded.shape}, the original {original.shape}")
    if original.dtype != np.uint8 or decoded.dtype != np.uint8:
        raise ValueError(f"images must be uint8, not {original.dtype} and {decoded.dtype}")
    # int32 first: a difference of two uint8 would wrap around at 0.
    difference = original.astype(np.int32) - decoded.astype(np.int32)
    return float(np.mean(np.square(difference), dtype=np.float64))


def psnr_db(mse: float) -> float:
    """10 log10(255^2 / mse) in dB; infinity for an exact copy."""
    return math.inf if mse == 0.0 else 10.0 * math.log10(255.0**2 / mse)


def decibels(similarity: float) -> float:
    """-10 log10(1 - similarity) in dB; infinity for 1, nan for nan."""
    return math.inf if similarity >= 1.0 else -10.0 * math.log10(1.0 - similarity)


def bits_per_pixel(size_bytes: int, width_px: int, height_px: int) -> float:
    """Bits that a file of `size_bytes` spends on each of its width_px * height_px pixels.

    Raises:
        ValueError: The picture has no pixels.
    """
    if width_px < 1 or height_px < 1:
        raise ValueError(f"a picture of {width_px}x{height_px} px has no pixels")
    return 8.0 * size_bytes / (width_px * height_px)


def ms_ssim(original: NDArray[np.uint8], decoded: NDArray[np.uint8]) -> float:
    """MS-SSIM of two uint8 [H, W, 3], mean of the RGB channels, by pytorch-msssim.

    nan where a side is shorter than 161 px.
    """
    import pytorch_msssim
    import torch

    if min(original.shape[:2]) < MS_SSIM_MIN_PX:
        return math.nan
    # float32 is right to about 0.001 dB where photographs are, and takes a fifth of the time.
    first, second = (
        torch.from_numpy(pixels.astype(np.float32)).permute(2, 0, 1)[None]
        for pixels in (original, decoded)
    )
    return float(pytorch_msssim.ms_ssim(first, second, data_range=255))


def ssimulacra2(original: NDArray[np.uint8], decoded: NDArray[np.uint8]) -> float:
    """SSIMULACRA2 of two sRGB images, uint8 [H, W, 3], by the package of that name.

    nan where a side is shorter than 8 px.
    """
    if min(original.shape[:2]) < ssimulacra.LEAST_PX:
        return math.nan
    return ssimulacra.score(original, decoded)


@functools.cache
def libraries() -> dict[str, str]:
    """Name and version of the libraries that run the networks and compute the metrics."""
    names = ("torch", "pytorch-msssim", "ssimulacra2")
    return {name: importlib.metadata.version(name) for name in names}


def _luma_error(original: NDArray[np.uint8], decoded: NDArray[np.uint8]) -> float:
    """MSE of BT.601 luma, full range, not rounded: of the luma that JPEG codes."""
    difference = original.astype(np.float64) - decoded.astype(np.float64)
    return float(np.mean(np.square(difference @ _LUMA_BT601)))
