"""Pictures in and out: what is kept, what is refused, and that nothing is lost in silence."""

from __future__ import annotations

import contextlib
import io
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

import latentcodec
from latentcodec import image as image_module
from latentcodec.container import ChunkType, Colour
from latentcodec.errors import LossWarning, UnsupportedImage
from latentcodec.image import Picture, image_of, open_image, picture_of
from latentcodec.metadata import save_options

ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">\xc3\xa9</x:xmpmeta>'
ORIENTATION, DESCRIPTION, EXIF_IFD, TAKEN, GPS_IFD, NORTH = 0x112, 0x10E, 0x8769, 0x9003, 0x8825, 1
METADATA = ("jpg", "png", "webp", "avif")


@pytest.fixture
def crop(photo: np.ndarray) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(photo[200:224, 300:340]))


def exif() -> Image.Exif:
    """A description, an orientation, a date in the EXIF directory, and a GPS directory."""
    data = Image.Exif()
    data[DESCRIPTION] = "a parrot"
    data[ORIENTATION] = 6
    data.get_ifd(EXIF_IFD)[TAKEN] = "2024:05:06 07:08:09"
    data.get_ifd(GPS_IFD)[NORTH] = "N"
    return data


def saved(image: Image.Image, form: str, **options: object) -> Image.Image:
    """The image after a turn through a file format."""
    buffer = io.BytesIO()
    image.save(buffer, format=Image.registered_extensions()[f".{form}"], **options)
    return Image.open(buffer)


def deep_png(colour_type: int, channels: int) -> bytes:
    """A PNG of 2 x 2 pixels with 16 bits per channel, which Pillow reads but does not write."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = zlib.crc32(kind + data).to_bytes(4, "big")
        return len(data).to_bytes(4, "big") + kind + data + checksum

    size = (2).to_bytes(4, "big") * 2
    rows = (b"\0" + bytes(range(2 * 2 * channels))) * 2
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", size + bytes([16, colour_type, 0, 0, 0]))
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


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
    back = image_of(picture_of(grey))
    assert back.mode == "L"
    assert np.array_equal(np.asarray(back), np.asarray(grey))


@pytest.mark.parametrize("form", METADATA)
def test_metadata_survives_the_codec_and_the_next_file(crop: Image.Image, form: str) -> None:
    source = saved(crop, form, exif=exif(), icc_profile=ICC, xmp=XMP, **xmp_for(form))
    image = latentcodec.decode(latentcodec.encode(source))
    assert image.info["icc_profile"] == ICC
    assert image.info["xmp"] == XMP
    for target in METADATA:
        back = saved(image, target, **save_options(image))
        assert back.info["icc_profile"] == ICC
        assert back.info["xmp"] == XMP
        found = back.getexif()
        assert (found[DESCRIPTION], found[ORIENTATION]) == ("a parrot", 6)
        assert found.get_ifd(EXIF_IFD)[TAKEN] == "2024:05:06 07:08:09"
        assert found.get_ifd(GPS_IFD)[NORTH] == "N"


def xmp_for(form: str) -> dict[str, object]:
    """What makes Pillow write XMP into a PNG."""
    image = Image.new("L", (1, 1))
    image.info["xmp"] = XMP
    return {"pnginfo": save_options(image)["pnginfo"]} if form == "png" else {}


def test_metadata_of_tiff_is_about_the_photograph(crop: Image.Image, tmp_path: Path) -> None:
    """A TIFF's directory also describes how its own pixels lie: that must not travel on."""
    path = tmp_path / "scan.tiff"
    crop.save(path, exif=exif().tobytes(), icc_profile=ICC)
    picture = picture_of(open_image(path))
    assert picture.metadata[ChunkType.ICC] == ICC
    kept = Image.Exif()
    kept.load(picture.metadata[ChunkType.EXIF])
    strips_size_and_profile = {256, 257, 258, 259, 262, 273, 277, 278, 279, 284, 34675}
    assert not strips_size_and_profile & set(kept)
    assert kept[DESCRIPTION] == "a parrot"
    assert kept.get_ifd(EXIF_IFD)[TAKEN] == "2024:05:06 07:08:09"


def test_a_picture_without_metadata_gets_none(crop: Image.Image) -> None:
    assert picture_of(crop).metadata == {}
    assert save_options(image_of(Picture(np.asarray(crop), Colour.RGB, {}))) == {}


def broken_exif(image: Image.Image) -> None:
    image.info["exif"] = b"Exif\0\0MMq*\0\0\0}"


def typeless_exif(image: Image.Image) -> None:
    image.info["exif"] = b"Exif\0\0II*\0\x08\0\0\0\xff\xff"


@pytest.mark.parametrize("breaking", [broken_exif, typeless_exif])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_broken_exif_is_left_out(
    crop: Image.Image, breaking: Callable[[Image.Image], None]
) -> None:
    crop.info["icc_profile"] = ICC
    breaking(crop)
    assert picture_of(crop).metadata == {ChunkType.ICC: ICC}


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
    monkeypatch.setattr(image_module.Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(UnsupportedImage, match="too large"):
        open_image(path)


def test_a_file_that_cannot_be_read_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        open_image(tmp_path / "missing.png")
    with pytest.raises(IsADirectoryError):
        open_image(tmp_path)
