"""Which modes of Pillow are kept, converted with a warning, or refused."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

import latentcodec
from latentcodec.errors import LossWarning, UnsupportedImage
from latentcodec.format.container import ChunkType, Colour
from latentcodec.images.files import open_image
from latentcodec.images.picture import picture_of
from tests.image_files import ICC, deep_png, png, saved


@pytest.mark.parametrize(
    ("mode", "colour"),
    [
        ("RGB", Colour.RGB),
        ("RGBX", Colour.RGB),
        ("RGBA", Colour.RGB),
        ("P", Colour.RGB),
        ("L", Colour.GREY),
        ("LA", Colour.GREY),
        ("1", Colour.GREY),
    ],
)
def test_modes_that_lose_nothing_are_taken(crop: Image.Image, mode: str, colour: Colour) -> None:
    image = crop.convert(mode)
    picture = picture_of(image)
    assert picture.colour is colour
    assert picture.pixels.dtype == np.uint8
    assert np.array_equal(picture.pixels, np.asarray(image.convert("RGB")))


@pytest.mark.parametrize("mode", ["CMYK", "YCbCr", "LAB", "HSV", "I", "I;16", "I;16B"])
def test_what_loses_something_warns_or_is_refused(mode: str) -> None:
    image = Image.new(mode, (4, 4))
    with pytest.warns(LossWarning):
        assert picture_of(image).pixels.shape == (4, 4, 3)
    with pytest.raises(UnsupportedImage):
        picture_of(image, strict=True)


@pytest.mark.parametrize("image", [Image.new("F", (4, 4)), Image.new("I", (4, 4), 70000)])
@pytest.mark.filterwarnings("ignore::latentcodec.LossWarning")
def test_modes_without_a_scale_are_refused(image: Image.Image) -> None:
    with pytest.raises(UnsupportedImage):
        picture_of(image)


def test_16_bit_grey_is_scaled() -> None:
    samples = np.array([[0, 257, 128 * 257, 65535, 400]], dtype=np.uint16)
    with pytest.warns(LossWarning, match="16 bits"):
        picture = picture_of(Image.fromarray(samples))
    assert picture.pixels[0, :, 0].tolist() == [0, 1, 128, 255, 2]
    assert picture.colour is Colour.GREY


def test_cmyk_goes_through_its_profile(crop: Image.Image) -> None:
    """A profile that fits is applied and dropped; one that does not is passed over."""
    ink = crop.convert("CMYK")
    ink.info["icc_profile"] = ICC  # of RGB
    with pytest.warns(LossWarning, match="CMYK"):
        picture = picture_of(ink)
    assert np.array_equal(picture.pixels, np.asarray(ink.convert("RGB")))
    assert ChunkType.ICC not in picture.metadata
    lab = ImageCms.profileToProfile(
        crop, ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
    )
    assert lab is not None
    with pytest.warns(LossWarning, match="LAB"):
        picture = picture_of(lab)
    assert np.abs(picture.pixels.astype(int) - np.asarray(crop)).mean() < 3


def ramp(crop: Image.Image) -> Image.Image:
    """An alpha channel of all values, with a hole."""
    values = np.linspace(0, 255, crop.width * crop.height).reshape(crop.height, crop.width)
    values[4:9, 5:20] = 0
    return Image.fromarray(values.astype(np.uint8))


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA", "RGBa", "La"])
def test_alpha_comes_back_exactly(crop: Image.Image, mode: str) -> None:
    image = crop.convert("L" if mode in ("LA", "La") else "RGB")
    image.putalpha(ramp(crop))
    if mode == "PA":
        image = crop.convert("P").convert("PA")
        image.putalpha(ramp(crop))
    elif mode in ("RGBa", "La"):
        image = image.convert(mode)
    back = latentcodec.decode(latentcodec.encode(image, quality=70))
    assert back.mode == ("LA" if mode in ("LA", "La") else "RGBA")
    assert np.array_equal(np.asarray(back.getchannel("A")), np.asarray(ramp(crop)))


def test_one_transparent_pixel_is_enough(crop: Image.Image) -> None:
    image = crop.convert("RGBA")
    assert picture_of(image).alpha is None
    image.putpixel((39, 23), (0, 0, 0, 254))
    alpha = picture_of(image).alpha
    assert alpha is not None
    assert (alpha == 254).sum() == 1


@pytest.mark.parametrize("mode", ["RGB", "L", "P"])
@pytest.mark.filterwarnings("error::UserWarning")  # none of Pillow's may reach a person
def test_a_transparent_colour_counts_only_where_it_occurs(crop: Image.Image, mode: str) -> None:
    image = crop.convert(mode)
    value = image.getpixel((0, 0))
    picture = picture_of(saved(image, "png", transparency=value))
    assert picture.colour is (Colour.GREY_ALPHA if mode == "L" else Colour.RGB_ALPHA)
    assert picture.alpha is not None
    assert np.array_equal(picture.alpha == 0, np.all(picture.pixels == picture.pixels[0, 0], -1))
    plain = Image.new(mode, (8, 8), 7 if mode != "RGB" else (7, 7, 7))
    picture = picture_of(saved(plain, "png", transparency=9 if mode != "RGB" else (9, 9, 9)))
    assert picture.colour is (Colour.GREY if mode == "L" else Colour.RGB)


@pytest.mark.parametrize(("colour_type", "channels"), [(0, 1), (2, 3), (4, 2), (6, 4)])
def test_files_of_16_bits_per_channel(tmp_path: Path, colour_type: int, channels: int) -> None:
    path = tmp_path / "deep.png"
    path.write_bytes(deep_png(colour_type, channels))
    with pytest.warns(LossWarning, match="16 bits"):
        picture_of(open_image(path))
    with pytest.raises(UnsupportedImage, match="16 bits"):
        picture_of(open_image(path, strict=True), strict=True)


@pytest.mark.parametrize(
    ("bits", "colour_type", "row", "clear", "colour"),
    [
        (1, 0, b"\x50", b"\0\1", Colour.GREY_ALPHA),
        (2, 0, b"\x1b", b"\0\1", Colour.GREY_ALPHA),
        (4, 0, b"\x01\x2f", b"\0\1", Colour.GREY_ALPHA),
        (8, 0, b"\0\x01\x02\xff", b"\0\1", Colour.GREY_ALPHA),
        (16, 0, b"\0\0\x01\x02\x01\x03\xff\xff", b"\x01\x02", Colour.GREY_ALPHA),
        (8, 2, bytes(range(12)), b"\0\3\0\4\0\5", Colour.RGB_ALPHA),
        (16, 2, bytes(range(24)), bytes(range(6, 12)), Colour.RGB_ALPHA),
    ],
)
@pytest.mark.filterwarnings("ignore::latentcodec.LossWarning")
def test_a_transparent_colour_of_any_depth_becomes_alpha(
    bits: int, colour_type: int, row: bytes, clear: bytes, colour: Colour
) -> None:
    """Of four pixels the second; of one bit the fourth is of its colour, too."""
    data = png((4, 1), bits, colour_type, b"\0" + row, tRNS=clear)
    picture = picture_of(open_image(io.BytesIO(data)))
    assert picture.colour is colour and picture.alpha is not None
    assert picture.alpha.tolist() == [[255, 0, 255, 0 if bits == 1 else 255]]
