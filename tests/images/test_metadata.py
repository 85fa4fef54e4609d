"""EXIF, ICC profile and XMP: what travels on, and what is left out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from PIL import Image

import latentcodec
from latentcodec import errors
from latentcodec.format.container import METADATA_CHUNKS, ChunkType
from latentcodec.images.files import open_image
from latentcodec.images.formats import save_options
from latentcodec.images.metadata_kinds import KINDS, MetadataName, texts_in
from latentcodec.images.picture import picture_of, source_of
from tests.image_files import ICC, saved

XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">\xc3\xa9</x:xmpmeta>'
ORIENTATION, DESCRIPTION, EXIF_IFD, TAKEN, GPS_IFD, NORTH = 0x112, 0x10E, 0x8769, 0x9003, 0x8825, 1
FORMAT_OF = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP", "avif": "AVIF"}
METADATA = tuple(FORMAT_OF)


def exif() -> Image.Exif:
    """A description, an orientation, a date in the EXIF directory, and a GPS directory."""
    data = Image.Exif()
    data[DESCRIPTION] = "a parrot"
    data[ORIENTATION] = 6
    data.get_ifd(EXIF_IFD)[TAKEN] = "2024:05:06 07:08:09"
    data.get_ifd(GPS_IFD)[NORTH] = "N"
    return data


@pytest.mark.parametrize("form", METADATA)
def test_metadata_survives_the_codec_and_the_next_file(crop: Image.Image, form: str) -> None:
    source = saved(crop, form, exif=exif(), icc_profile=ICC, xmp=XMP, **xmp_for(form))
    image = latentcodec.decode(latentcodec.encode(source))
    assert image.info["icc_profile"] == ICC
    assert image.info["xmp"] == XMP
    for target in METADATA:
        back = saved(image, target, **save_options(image, FORMAT_OF[target]))
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
    return {"pnginfo": save_options(image, "PNG")["pnginfo"]} if form == "png" else {}


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
    assert save_options(Image.fromarray(np.asarray(crop)), "JPEG") == {}


def broken_exif(image: Image.Image) -> None:
    image.info["exif"] = b"Exif\0\0MMq*\0\0\0}"


def typeless_exif(image: Image.Image) -> None:
    image.info["exif"] = b"Exif\0\0II*\0\x08\0\0\0\xff\xff"


@pytest.mark.parametrize("breaking", [broken_exif, typeless_exif])
def test_broken_exif_is_carried_as_it_is_and_goes_whole_with_its_gps(
    crop: Image.Image, breaking: Callable[[Image.Image], None]
) -> None:
    breaking(crop)
    assert picture_of(crop).metadata == {ChunkType.EXIF: crop.info["exif"]}
    assert source_of(crop, strip=["gps"]).metadata == {}


def test_each_chunk_of_metadata_is_a_kind_and_has_a_name() -> None:
    """But the preview, which an encoder makes."""
    chunks = set(METADATA_CHUNKS) - {ChunkType.PREVIEW}
    assert sorted(kind.chunk for kind in KINDS) == sorted(chunks)
    names = {chunk.name.lower() for chunk in chunks}
    assert set(get_args(MetadataName)) == names | {"gps", "thumbnail", "all"}


def test_texts_that_no_reader_would_inflate_are_said_to_be_lost() -> None:
    image = Image.new("RGB", (8, 8))
    image.info["text"] = {"a": "x" * 10_000_000, "b": "y" * 10_000_000, "c": "z"}
    with pytest.warns(errors.LossWarning, match="the text b, which is too long"):
        payload = source_of(image).metadata[ChunkType.TEXT]
    assert texts_in(payload) == {"a": "x" * 10_000_000, "c": "z"}
    assert not source_of(image, strict=True, strip=["text"]).metadata
    with pytest.raises(errors.UnsupportedImage, match="the text b"):
        source_of(image, strict=True)
