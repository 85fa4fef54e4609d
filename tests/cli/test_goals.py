"""A size or a fidelity instead of a quality, and a part instead of the whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import latentcodec
from latentcodec.options import _parse_size
from tests.command_line import call, fails


@pytest.mark.parametrize(
    ("option", "low", "high"),
    [("--target-size 2k", 1960, 2000), ("--target-bpp 1", 3011, 3072), ("--ratio 25", 2891, 2949)],
)
def test_a_wanted_size_is_met(
    folder: Path, photo: np.ndarray, option: str, low: int, high: int
) -> None:
    """Two per cent below at most, never above; the picture has 192 x 128 px."""
    Image.fromarray(photo[:128, :192]).save(folder / "photo.png")
    result = call("encode", folder / "photo.png", folder / "new.lat", *option.split())
    assert result.exit_code == 0, result.stderr
    assert low <= (folder / "new.lat").stat().st_size <= high


@pytest.mark.parametrize("size", ["1.5M", "1500k", "1500000", "1.5MB", "1500000b"])
def test_sizes_are_written_as_people_do(size: str) -> None:
    assert _parse_size(size) == 1_500_000


@pytest.mark.parametrize(
    "size", ["1.5.2M", "M", "-3k", "0", "1.5T", "1e6", "0.2", "1.5", "60.0b", "nan", "9" * 400]
)
def test_what_is_no_size_is_a_usage_error(folder: Path, size: str) -> None:
    result = call("encode", folder / "photo.png", folder / "new.lat", f"--target-size={size}")
    assert (result.exit_code, "is not a size" in result.stderr) == (2, True)


def test_a_wanted_psnr_is_met(folder: Path, crop: Image.Image) -> None:
    result = call("encode", folder / "photo.png", folder / "new.lat", "--target-psnr", 36)
    assert result.exit_code == 0
    decoded = np.asarray(latentcodec.decode((folder / "new.lat").read_bytes()), dtype=float)
    psnr = 10 * np.log10(255**2 / np.square(decoded - np.asarray(crop)).mean())
    assert 36 <= psnr < 36.5  # a tenth of quality moves so small a picture by 0.3 dB


def test_what_no_quality_reaches_is_said(folder: Path) -> None:
    photo, new = folder / "photo.png", folder / "new.lat"
    assert "the smallest file" in fails(folder, "encode", photo, new, "--target-size", 40)
    assert "falls short" in fails(folder, "encode", photo, new, "--target-psnr", 90)


@pytest.mark.parametrize("options", ["-q 50 --ratio 20", "--target-bpp 1 --target-psnr 30"])
def test_two_goals_are_a_usage_error(folder: Path, options: str) -> None:
    result = call("encode", folder / "photo.png", folder / "new.lat", *options.split())
    assert result.exit_code == 2
    assert not (folder / "new.lat").exists()


def test_a_region_is_decoded(folder: Path, data: bytes) -> None:
    result = call("decode", folder / "photo.lat", folder / "out.png", "--region", "10,5,20,30")
    assert result.exit_code == 0
    assert Image.open(folder / "out.png").size == (20, 30)
    outside = fails(
        folder, "decode", folder / "photo.lat", folder / "out.png", "--region", "50,0,9,9"
    )
    assert "56 x 40 px" in outside
    wrong = call("decode", folder / "photo.lat", folder / "out.png", "--region", "1,2,3")
    assert wrong.exit_code == 2
