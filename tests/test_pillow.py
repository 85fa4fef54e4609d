"""`.lat` files behave in Pillow as its own formats do."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageFile

import latentcodec
import latentcodec.pillow


@pytest.fixture(scope="module")
def data(photo: np.ndarray) -> bytes:
    """A file of 150 x 90 px at quality 60."""
    return latentcodec.encode(photo[100:190, 300:450], quality=60)


def test_registered() -> None:
    assert Image.registered_extensions()[".lat"] == "LAT"
    assert Image.MIME["LAT"] == "image/x-lat"


def test_opening_is_lazy(data: bytes, decodings: list[int]) -> None:
    image = Image.open(io.BytesIO(data))
    assert (image.format, image.mode, image.size) == ("LAT", "RGB", (150, 90))
    assert image.info["quality"] == 60
    assert image.get_format_mimetype() == "image/x-lat"
    assert not decodings
    assert np.array_equal(np.asarray(image), latentcodec.decode_array(data))
    image.load()
    assert decodings == [1]


def test_save_and_open_by_path(photo: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "photo.lat"
    Image.fromarray(photo[:64, :80]).save(path, quality=33)
    assert path.read_bytes() == latentcodec.encode(photo[:64, :80], quality=33)
    with Image.open(path) as image:
        assert image.resize((40, 32)).size == (40, 32)


def test_grey_stays_grey(photo: np.ndarray) -> None:
    stream = io.BytesIO()
    Image.fromarray(photo[:64, :80]).convert("L").save(stream, "LAT")
    image = Image.open(stream)
    assert image.mode == "L"
    image.load()
    assert image.mode == "L"


def test_metadata_is_saved_and_read_without_decoding(photo: np.ndarray) -> None:
    image, stream = Image.fromarray(photo[:32, :32]), io.BytesIO()
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image.save(stream, "LAT", exif=exif, icc_profile=profile, xmp=b"<x:xmpmeta/>")
    opened = Image.open(stream)
    assert opened.getexif()[0x010F] == "a camera"
    assert opened.info["icc_profile"] == profile
    assert opened.info["xmp"] == b"<x:xmpmeta/>"
    assert "exif" not in image.info, "the caller's image was changed"


@pytest.mark.parametrize("name", ["exif", "icc_profile", "xmp", "dpi", "comment"])
def test_metadata_of_another_type_is_refused(name: str) -> None:
    with pytest.raises(TypeError, match=f"{name} is of type float"):
        Image.new("RGB", (8, 8)).save(io.BytesIO(), "LAT", **{name: 5.0})


def test_verify_passes_and_fails(data: bytes) -> None:
    Image.open(io.BytesIO(data)).verify()
    damaged = bytearray(data)
    damaged[60] ^= 1
    with pytest.raises(OSError, match="checksum"):
        Image.open(io.BytesIO(bytes(damaged))).verify()


@pytest.mark.parametrize("truncated_images", [False, True])
def test_truncated_data_opens_but_does_not_load(
    data: bytes, truncated_images: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", truncated_images)
    image = Image.open(io.BytesIO(data[:-40]))
    assert image.size == (150, 90)
    with pytest.raises(OSError, match="ends within a chunk"):
        image.load()


def test_a_damaged_header_is_an_error(data: bytes) -> None:
    with pytest.raises(OSError, match="header is damaged"):
        Image.open(io.BytesIO(data[:9] + b"\x7f" + data[10:]))


def test_pillows_own_limit_counts(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(Image.DecompressionBombError):
        Image.open(io.BytesIO(data))


def test_what_cannot_be_saved_is_an_error(photo: np.ndarray) -> None:
    image = Image.fromarray(photo[:32, :32])
    with pytest.raises(OSError, match="mode F"):
        image.convert("F").save(io.BytesIO(), "LAT")
    with pytest.raises(ValueError, match="quality"):
        image.save(io.BytesIO(), "LAT", quality=0)
