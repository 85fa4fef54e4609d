"""What people reported of other image libraries, tried here: docs/reliability.md has the list.

The number in a name is that of the report.
"""

from __future__ import annotations

import io
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageDraw

import latentcodec
import latentcodec.pillow
from latentcodec import errors
from latentcodec.images.metadata_kinds import as_bytes
from tests.command_line import done, fails

ORIENTATION = 0x0112


def file_of(image: Image.Image, form: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def there_and_back(data: bytes, **options: Any) -> Image.Image:
    with Image.open(io.BytesIO(data)) as image:
        return latentcodec.decode(latentcodec.encode(image, quality=90, **options))


def differ(ours: Image.Image, theirs: Image.Image) -> float:
    """Mean absolute difference in grey levels."""
    return float(np.abs(np.asarray(ours, int) - np.asarray(theirs, int)).mean())


def srgb() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


# Transparency


def test_pillow_1838_a_palette_that_is_transparent_everywhere(crop: Image.Image) -> None:
    data = file_of(crop.convert("P"), "PNG", transparency=bytes(256))
    assert there_and_back(data).getchannel("A").getextrema() == (0, 0)


def test_pillow_421_one_transparent_colour_of_an_rgb_png(crop: Image.Image) -> None:
    crop.paste((255, 0, 255), (0, 0, 20, 20))
    back = there_and_back(file_of(crop, "PNG", transparency=(255, 0, 255)))
    alpha = np.asarray(back.getchannel("A"))
    assert not alpha[:20, :20].any() and (alpha[20:] == 255).all()


def test_pillow_heif_21_a_palette_with_alpha_for_each_entry(crop: Image.Image) -> None:
    indexed, alphas = crop.convert("P"), bytes(range(256))
    data = file_of(indexed, "PNG", transparency=alphas)
    wanted = np.frombuffer(alphas, np.uint8)[np.asarray(indexed)]
    assert np.array_equal(np.asarray(there_and_back(data).getchannel("A")), wanted)


def test_sharp_605_edges_of_a_cut_out_have_no_halo() -> None:
    """White on transparent black: nothing darker than the white may show."""
    image = Image.new("RGBA", (600, 400), (0, 0, 0, 0))
    ImageDraw.Draw(image).ellipse((50, 50, 550, 350), fill="white")
    data = latentcodec.encode(image, quality=60, preview=True)
    smaller = latentcodec.decode(data, scale=4), latentcodec.read_preview(data)
    for small in smaller:
        assert small
        white = Image.new("RGBA", small.size, "white")
        shown = np.asarray(Image.alpha_composite(white, small).convert("L"))
        assert shown.min() > 235


# Depth and colours


def test_pillow_3011_grey_of_16_bits_keeps_its_levels() -> None:
    ramp = np.linspace(0, 65535, 64 * 64).astype(np.uint16).reshape(64, 64)
    with pytest.warns(errors.LossWarning, match="16 bits"):
        back = there_and_back(file_of(Image.fromarray(ramp), "PNG"))
    assert np.abs(np.asarray(back, float) - ramp / 257).mean() < 3


@pytest.mark.parametrize("form", ["JPEG", "TIFF"])
def test_imagemagick_6094_cmyk_is_not_inverted(crop: Image.Image, form: str) -> None:
    data = file_of(crop.convert("CMYK"), form)
    with pytest.warns(errors.LossWarning, match="CMYK"):
        back = there_and_back(data)
    assert differ(back, crop) < 8


def test_libjxl_720_a_grey_png_with_a_profile_of_rgb(crop: Image.Image, tmp_path: Path) -> None:
    """Not valid, but common; the picture comes, and JPEG and PNG can be written."""
    (tmp_path / "grey.png").write_bytes(file_of(crop.convert("L"), "PNG", icc_profile=srgb()))
    done(f"encode {tmp_path / 'grey.png'}")
    for suffix in ("png", "jpg", "webp"):
        done(f"decode {tmp_path / 'grey.lat'} {tmp_path / 'back.'}{suffix}")
        with Image.open(tmp_path / f"back.{suffix}") as back:
            assert differ(back.convert("L"), crop.convert("L")) < 6


def test_libjxl_3338_a_grey_jpeg_with_a_profile_stays_grey(crop: Image.Image) -> None:
    back = there_and_back(file_of(crop.convert("L"), "JPEG", icc_profile=b"of grey"))
    assert back.mode == "L" and back.info["icc_profile"] == b"of grey"


# Metadata


@pytest.mark.parametrize(
    "block",
    [
        b"Exif\0\0",
        b"Exif\0\0Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0",
        b"This_is_not_valid_EXIF_data",
    ],
    ids=["pillow-6123", "pillow-8348", "pillow-heif-45"],
)
def test_broken_exif_keeps_no_picture_from_anything(
    crop: Image.Image, tmp_path: Path, block: bytes
) -> None:
    crop.info["exif"] = block
    ways: list[dict[str, Any]] = [{}, {"strip": ["gps"]}, {"strip": ["all"]}, {"preview": True}]
    for options in ways:
        data = latentcodec.encode(crop, **options)
        assert latentcodec.decode(data).size == crop.size
        assert max(latentcodec.thumbnail(data, 20).size) == 20
        (tmp_path / "a.lat").write_bytes(data)
        for suffix in ("jpg", "png", "bmp", "tiff"):
            result = done(f"decode {tmp_path / 'a.lat'} {tmp_path / 'back.'}{suffix}")
            if suffix == "tiff" and not options and block.startswith(b"This"):
                assert "TIFF cannot hold this EXIF: left out" in result.stderr


def test_sharp_1784_the_orientation_is_never_lost(crop: Image.Image, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    crop.save(tmp_path / "a.jpg", exif=exif)
    done(f"encode {tmp_path / 'a.jpg'} --strip all")
    for suffix, size in (("jpg", (56, 40)), ("bmp", (40, 56)), ("ppm", (40, 56))):
        done(f"decode {tmp_path / 'a.lat'} {tmp_path / 'back.'}{suffix}")
        with Image.open(tmp_path / f"back.{suffix}") as back:
            turned = back.getexif().get(ORIENTATION, 1)
            assert (back.size, turned) == (size, 6 if suffix == "jpg" else 1)
    assert latentcodec.thumbnail(tmp_path / "a.lat").size == (40, 56)


def test_exiftool_63_metadata_can_go_without_the_profile(crop: Image.Image) -> None:
    profile = srgb()  # once: it holds the second in which it was made
    crop.info |= {"icc_profile": profile, "xmp": b"<x/>", "comment": b"mine"}
    names = ["exif", "xmp", "iptc", "resolution", "text"]
    back = there_and_back(file_of(crop, "PNG", icc_profile=profile), strip=names)
    assert as_bytes(back.info["icc_profile"]) == profile


def test_pillow_6804_changed_exif_is_written_without_being_asked(crop: Image.Image) -> None:
    with Image.open(io.BytesIO(file_of(crop, "JPEG"))) as image:
        image.getexif()[0x010E] = "My image description"
        data = file_of(image, "LAT")
    with Image.open(io.BytesIO(data)) as back:
        assert back.getexif()[0x010E] == "My image description"


# Sizes


@pytest.mark.parametrize("size", [(1, 1), (2, 38), (1, 500), (3, 2), (500, 400), (224, 224)])
def test_rav1e_2541_and_compressai_18_any_size(photo: np.ndarray, size: tuple[int, int]) -> None:
    pixels = photo[: size[1], : size[0]]
    data = latentcodec.encode(pixels, preview=True)
    assert latentcodec.decode(data).size == size
    assert np.abs(latentcodec.decode_array(data).astype(int) - pixels).mean() < 8


def test_libavif_992_a_picture_that_is_too_large_is_one_sentence(tmp_path: Path) -> None:
    """Before anything is allocated: only the header of the PNG is there."""
    whole = file_of(Image.new("1", (8, 8)), "PNG")
    size = (37120).to_bytes(4, "big") + (73984).to_bytes(4, "big")
    header = b"IHDR" + size + whole[24:29]
    data = whole[:12] + header + zlib.crc32(header).to_bytes(4, "big") + whole[33:]
    (tmp_path / "huge.png").write_bytes(data)
    said = fails(tmp_path, "encode", tmp_path / "huge.png")
    assert "37120 x 73984" in said or "too large" in said
    assert not (tmp_path / "huge.lat").exists()
