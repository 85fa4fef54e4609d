"""The four metrics, of arrays whose values are known."""

from __future__ import annotations

import math

import numpy as np
import pytest

pytest.importorskip("pytorch_msssim", reason="the extra `bench` is not installed")
pytest.importorskip("ssimulacra2", reason="the extra `bench` is not installed")

from latentcodec.bench import metrics
from latentcodec.bench.metrics import bits_per_pixel, mean_squared_error, psnr_db

BLACK = np.zeros((4, 5, 3), dtype=np.uint8)


def test_psnr_of_known_arrays() -> None:
    one_channel = BLACK.copy()
    one_channel[..., 1] = 3
    white = np.full_like(BLACK, 255)
    assert psnr_db(mean_squared_error(BLACK, white)) == pytest.approx(0.0)
    assert psnr_db(mean_squared_error(np.full_like(BLACK, 1), BLACK)) == pytest.approx(48.1308)
    assert psnr_db(mean_squared_error(BLACK, one_channel)) == pytest.approx(
        10 * math.log10(255**2 / 3)
    )
    assert psnr_db(mean_squared_error(BLACK, BLACK)) == math.inf


def test_refuses_unlike_arrays() -> None:
    with pytest.raises(ValueError, match="decoded image is"):
        mean_squared_error(BLACK, BLACK[:3])
    with pytest.raises(ValueError, match="uint8"):
        mean_squared_error(BLACK, BLACK.astype(np.float32))


def test_bits_per_pixel() -> None:
    assert bits_per_pixel(size_bytes=96, width_px=32, height_px=12) == 2.0
    with pytest.raises(ValueError, match="no pixels"):
        bits_per_pixel(10, 0, 5)


def test_all_metrics_of_a_copy_and_of_noise(photo: np.ndarray) -> None:
    crop = photo[:176, :192]
    same = metrics.distortion(crop, crop)
    assert (same.psnr, same.psnr_y, same.ms_ssim_db) == (math.inf, math.inf, math.inf)
    assert same.ssimulacra2 == pytest.approx(100.0)
    noise = np.random.default_rng(1).integers(-8, 9, crop.shape)
    noisy = metrics.distortion(crop, np.clip(crop + noise, 0, 255).astype(np.uint8))
    assert noisy.psnr < noisy.psnr_y < 40  # luma averages the noise of three channels
    assert noisy.ms_ssim_db == pytest.approx(-10 * math.log10(1 - noisy.ms_ssim))
    assert 0 < noisy.ssimulacra2 < 90


def test_psnr_y_sees_luma_alone() -> None:
    grey = np.full((16, 16, 3), 100, dtype=np.uint8)
    assert metrics.distortion(grey, grey + np.uint8(2)).psnr_y == pytest.approx(
        10 * math.log10(255**2 / 4)
    )


def test_small_images_have_no_ms_ssim() -> None:
    measured = metrics.distortion(BLACK, BLACK)
    assert math.isnan(measured.ms_ssim) and math.isnan(measured.ssimulacra2)
