"""Pictures in and out: files, frames and arrays, and what is refused."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latentcodec.errors import LossWarning, UnsupportedImage
from latentcodec.format.container import Colour
from latentcodec.images.canvas import ImageCanvas
from latentcodec.images.files import open_image
from latentcodec.images.picture import picture_of


@pytest.mark.parametrize("form", ["gif", "webp", "png", "tiff", "avif"])
def test_of_several_frames_the_first_is_kept(crop: Image.Image, tmp_path: Path, form: str) -> None:
    path = tmp_path / f"frames.{form}"
    other = crop.transpose(Image.Transpose.ROTATE_180)
    crop.save(path, save_all=True, append_images=[other])
    with pytest.warns(LossWarning, match="frames"):
        first = np.asarray(open_image(path).convert("RGB")).astype(int)
    assert np.abs(first - np.asarray(crop)).mean() < np.abs(first - np.asarray(other)).mean()
    with pytest.raises(UnsupportedImage, match="frames"):
        open_image(path, strict=True)
    crop.save(path)
    assert open_image(path, strict=True).size == crop.size


def test_a_camera_preview_is_no_second_frame(crop: Image.Image, tmp_path: Path) -> None:
    """Phones write MPO: a JPEG followed by its preview or depth map."""
    path = tmp_path / "phone.jpg"
    crop.save(path, format="MPO", save_all=True, append_images=[crop.resize((8, 8))])
    assert open_image(path).size == crop.size


def test_arrays(photo: np.ndarray) -> None:
    rgb, grey = photo[:9, :7], photo[:9, :7, 1]
    assert picture_of(rgb).colour is Colour.RGB
    assert np.array_equal(picture_of(rgb).pixels, rgb)
    assert picture_of(grey).colour is Colour.GREY
    assert np.array_equal(picture_of(grey).pixels, np.dstack([grey] * 3))
    for colours, wanted in ((rgb, Colour.RGB_ALPHA), (grey[:, :, None], Colour.GREY_ALPHA)):
        picture = picture_of(np.dstack([colours, grey]))
        assert picture.colour is wanted
        assert np.array_equal(picture.pixels[:, :, :1], colours[:, :, :1])
        assert picture.alpha is not None
        assert np.array_equal(picture.alpha, grey)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((4, 4, 5), np.uint8),
        np.zeros((4, 4, 0), np.uint8),
        np.zeros((3,), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros((4, 0), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((4, 4, 3), np.uint16),
    ],
)
def test_arrays_that_are_no_pictures_are_refused(array: np.ndarray) -> None:
    with pytest.raises(UnsupportedImage):
        picture_of(array)


def test_grey_comes_back_as_mode_l(crop: Image.Image) -> None:
    grey = crop.convert("L")
    picture = picture_of(grey)
    canvas = ImageCanvas(picture.width, picture.height, picture.colour)
    canvas.put_pixels(0, 0, picture.pixels)
    back = canvas.finished({})
    assert back.mode == "L"
    assert np.array_equal(np.asarray(back), np.asarray(grey))


@pytest.mark.parametrize("form", ["png", "jpg", "gif", "webp", "tiff", "bmp", "avif"])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_damaged_images_raise_unsupported_image_or_load(
    crop: Image.Image, tmp_path: Path, form: str
) -> None:
    whole, path = tmp_path / f"whole.{form}", tmp_path / f"broken.{form}"
    crop.save(whole)
    data, random = whole.read_bytes(), np.random.default_rng(5)
    for length in (0, 1, 10, len(data) // 4, len(data) // 2):
        path.write_bytes(data[:length])
        with pytest.raises(UnsupportedImage):
            open_image(path)
    for _ in range(60):
        changed = bytearray(data)
        changed[random.integers(min(len(data), 400))] ^= 1 << random.integers(8)
        path.write_bytes(changed)
        with contextlib.suppress(UnsupportedImage):  # and nothing else may be raised
            picture_of(open_image(path))


def test_what_is_not_an_image_is_named(tmp_path: Path) -> None:
    path = tmp_path / "notes.png"
    path.write_text("not an image")
    with pytest.raises(UnsupportedImage, match=r"notes\.png is not an image"):
        open_image(path)


def test_a_huge_image_is_refused_before_it_is_read(
    crop: Image.Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "huge.png"
    crop.save(path)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(UnsupportedImage, match="too large"):
        open_image(path)


def test_a_file_that_cannot_be_read_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        open_image(tmp_path / "missing.png")
    with pytest.raises(IsADirectoryError):
        open_image(tmp_path)
