"""`--preserve` and `--resize`: what of a file's times and of a picture's size is wanted."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import latentcodec
from latentcodec.images.resizing import resized
from tests.command_line import call, fails

LONG_AGO = 987_654_321 * 10**9 + 123_000_000


def test_times_and_permissions_are_those_of_the_input(folder: Path) -> None:
    """There and back, and only where it is asked for."""
    os.utime(folder / "photo.png", ns=(LONG_AGO, LONG_AGO))
    (folder / "photo.png").chmod(0o640)
    assert call("encode", folder / "photo.png", folder / "plain.lat").exit_code == 0
    assert (folder / "plain.lat").stat().st_mtime_ns > LONG_AGO + 10**18 // 10
    assert call("encode", folder / "photo.png", folder / "kept.lat", "--preserve").exit_code == 0
    assert call("decode", folder / "kept.lat", folder / "kept.jpg", "--preserve").exit_code == 0
    for name in ("kept.lat", "kept.jpg"):
        stat = (folder / name).stat()
        assert (stat.st_mtime_ns, stat.st_mode & 0o777) == (LONG_AGO, 0o640)
    assert (folder / "kept.lat").read_bytes() == (folder / "plain.lat").read_bytes()


def test_what_has_no_times_is_left_alone(folder: Path) -> None:
    data = (folder / "photo.png").read_bytes()
    assert call("encode", "-", "-", "--preserve", stdin=data).exit_code == 0
    assert call("encode", "-", folder / "piped.lat", "--preserve", stdin=data).exit_code == 0
    assert (folder / "piped.lat").exists()


@pytest.mark.parametrize(
    ("size", "wanted"),
    [("28x20", (28, 20)), ("28x0", (28, 20)), ("0x10", (14, 10)), ("80x8", (80, 8))],
)
def test_resize_is_pillows(folder: Path, size: str, wanted: tuple[int, int]) -> None:
    result = call("encode", folder / "photo.png", folder / "small.lat", "--resize", size)
    assert result.exit_code == 0, result.stderr
    with Image.open(folder / "photo.png") as image:
        small = image.resize(wanted, Image.Resampling.LANCZOS)
    assert (folder / "small.lat").read_bytes() == latentcodec.encode(small)


def test_resize_is_of_the_upright_picture(crop: Image.Image) -> None:
    """56 x 40 px that lie on their side are a picture of 40 x 56."""
    exif = crop.getexif()
    exif[0x112] = 6
    stream = io.BytesIO()
    crop.save(stream, "PNG", exif=exif)
    with Image.open(stream) as image:
        back = latentcodec.decode(latentcodec.encode(image, resize=(20, 0)))
    assert back.size == (28, 20) and back.getexif()[0x112] == 6


def test_hidden_colours_do_not_bleed(crop: Image.Image) -> None:
    """Black below alpha 0 darkens no edge."""
    pixels = np.full((40, 40, 4), 255, np.uint8)
    pixels[:, 20:] = 0
    small = np.asarray(resized(Image.fromarray(pixels), (10, 10)))
    assert (small[..., :3][small[..., 3] > 0] == 255).all()
    back = latentcodec.decode_array(latentcodec.encode(pixels, quality=90, resize=(10, 0)))
    assert np.array_equal(back[..., 3], small[..., 3])


@pytest.mark.parametrize("shape", [(30, 50), (30, 50, 1), (30, 50, 2), (30, 50, 3), (30, 50, 4)])
def test_arrays_are_resized_as_images_are(shape: tuple[int, ...]) -> None:
    array = np.random.default_rng(0).integers(0, 255, shape, dtype=np.uint8)
    decoded = latentcodec.decode_array(latentcodec.encode(array, resize=(0, 15)))
    assert decoded.shape[:2] == (15, 25)


@pytest.mark.parametrize("size", ["800", "0x0", "-3x5", "axb", "5x5x5", "1.5x2", "\u0663x3"])
def test_what_is_no_size_is_wrong_usage(folder: Path, size: str) -> None:
    result = call("encode", folder / "photo.png", f"--resize={size}")
    assert (result.exit_code, result.stdout) == (2, "")


def test_sizes_that_no_file_holds(folder: Path, crop: Image.Image) -> None:
    name = folder / "photo.png"
    said = fails(folder, "encode", name, folder / "out.lat", "--resize", "70000x10")
    assert "65535" in said
    assert fails(folder, "encode", name, folder / "out.lat", "--resize", "0x65000")
    for wrong in ((0, 0), (-1, 5)):
        with pytest.raises(ValueError, match="has no pixels"):
            latentcodec.encode(crop, resize=wrong)
