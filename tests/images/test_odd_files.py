"""Files that are sound but odd, and arguments that are: read, or refused with what they are."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

import latentcodec
from latentcodec import errors
from tests.command_line import call, done, fails

DNG_VERSION, PHOTOMETRIC, CFA, NEW_SUBFILE, SUB_IFDS = 50706, 262, 32803, 254, 330


def tiff(path: Path, **more: int) -> None:
    """16 x 8 px of RGB with further tags: what Pillow would read of a camera's raw file."""
    image = Image.new("RGB", (16, 8), "red")
    tags = Image.Exif()
    for name, value in more.items():
        tags[{"subfile": NEW_SUBFILE, "directories": SUB_IFDS}.get(name, DNG_VERSION)] = value
    image.save(path, "TIFF", tiffinfo=tags)


@pytest.mark.parametrize("name", ["photo.dng", "photo.tif"])
def test_a_raw_file_is_refused_as_what_it_is(tmp_path: Path, name: str) -> None:
    tiff(tmp_path / name, version=0x01040000)
    said = fails(tmp_path, "encode", tmp_path / name)
    assert "a camera's raw file (DNG)" in said and "develop it first" in said


def test_samples_of_a_colour_filter_are_no_picture(tmp_path: Path) -> None:
    tiff(tmp_path / "raw.tif")
    data = bytearray((tmp_path / "raw.tif").read_bytes())
    entry = data.index(struct.pack("<HHIH", PHOTOMETRIC, 3, 1, 2))
    data[entry + 8 : entry + 10] = struct.pack("<H", CFA)
    (tmp_path / "raw.tif").write_bytes(data)
    assert call("encode", tmp_path / "raw.tif").exit_code == 1
    assert not (tmp_path / "raw.lat").exists()


@pytest.mark.parametrize("what", ["text", "profile"])
def test_a_png_may_have_much_text_and_a_large_profile(tmp_path: Path, what: str) -> None:
    """More than Pillow reads by itself; kept, too."""
    image, chunks = Image.linear_gradient("L").resize((64, 48)), PngInfo()
    options: dict[str, Any] = {}
    if what == "text":
        chunks.add_itxt("parameters", "prompt " * 200_000, zip=True)
    else:
        options["icc_profile"] = bytes(1_200_000)
    image.save(tmp_path / "a.png", pnginfo=chunks, **options)
    done(f"encode {tmp_path / 'a.png'}")
    info = latentcodec.decode(tmp_path / "a.lat").info
    assert len(info["icc_profile"] if what == "profile" else info["text"]["parameters"]) > 1e6


def test_cmyk_with_a_profile_that_is_none_goes_by_the_formula(tmp_path: Path) -> None:
    ink = Image.new("CMYK", (64, 48), (0, 90, 90, 10))
    ink.save(tmp_path / "a.jpg", icc_profile=b"garbage" * 50)
    with pytest.warns(errors.LossWarning, match="CMYK"):
        back = latentcodec.decode_array(latentcodec.encode(tmp_path / "a.jpg", quality=90))
    assert np.abs(back.astype(int) - np.asarray(ink.convert("RGB"))).max() < 6


def test_an_odd_tag_loses_neither_the_block_nor_the_orientation(
    crop: Image.Image, tmp_path: Path
) -> None:
    """Three values where one is usual, and a type that no specification has."""
    entries = [
        struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0),
        struct.pack("<HHI4s", 0x011A, 3, 3, b"\x08\0\0\0"),
        struct.pack("<HHI4s", 0xC4A5, 99, 1, b"odd!"),
    ]
    block = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", 3) + b"".join(entries) + bytes(4)
    crop.save(tmp_path / "a.jpg", exif=block)
    done(f"encode {tmp_path / 'a.jpg'}")
    done(f"decode {tmp_path / 'a.lat'} {tmp_path / 'back.jpg'}")
    done(f"decode {tmp_path / 'a.lat'} {tmp_path / 'back.bmp'}")
    with Image.open(tmp_path / "back.jpg") as back:
        assert back.info["exif"] == block
    assert Image.open(tmp_path / "back.bmp").size == (40, 56)


def test_arguments_of_other_types(crop: Image.Image, tmp_path: Path) -> None:
    crop.save(tmp_path / "a.png")
    data = latentcodec.encode(tmp_path / "a.png")
    assert latentcodec.encode(str(tmp_path / "a.png")) == data
    crop.info["xmp"] = b"<x/>"
    assert "xmp" not in latentcodec.decode(latentcodec.encode(crop, strip="xmp")).info  # type: ignore[arg-type]
    wrong: list[Any] = [3, None, b"bytes", [[1]]]
    for image in wrong:
        with pytest.raises((ValueError, errors.LatError)):
            latentcodec.encode(image)
    (tmp_path / "cut.png").write_bytes((tmp_path / "a.png").read_bytes()[:-400])
    with pytest.raises(errors.LatError, match="damaged"), Image.open(tmp_path / "cut.png") as lazy:
        latentcodec.encode(lazy)
