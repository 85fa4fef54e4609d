"""Metadata in the files of AVIF and JPEG XL, whose Pillow plugins have ways of their own."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import pytest
from PIL import Image

import latentcodec
from latentcodec.images.files import file_bytes, open_image
from latentcodec.images.formats import made_ready
from tests.exif_blocks import block

XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"/>'


@pytest.mark.parametrize("orientation", [None, 1, 6])
def test_avif_gets_exif_byte_for_byte(orientation: int | None) -> None:
    """Text beyond ASCII and all, and the picture is turned once."""
    tags = [(0x10F, 2, "Größe\0".encode())]
    tags += [(0x112, 3, bytes([orientation, 0]))] if orientation else []
    exif = block(tags, [(0x927C, 7, b"\1\0" + bytes(40))], [(1, 2, b"N\0")])
    image = Image.new("RGB", (64, 48))
    image.info["exif"] = exif
    with Image.open(io.BytesIO(file_bytes(made_ready(image, "AVIF", strict=True), "AVIF"))) as back:
        assert back.info["exif"].removeprefix(b"Exif\0\0") == exif.removeprefix(b"Exif\0\0")
        assert back.getexif().get(0x112) == orientation


@pytest.fixture
def jxl() -> None:
    pytest.importorskip("pillow_jxl")


@pytest.mark.usefixtures("jxl")
def test_pixels_of_jpeg_xl_are_upright(tmp_path: Path) -> None:
    """Its readers pass over the orientation in EXIF; the rest of the block stays as it is."""
    maker = [(0x927C, 7, b"\1\0" + bytes(40))]
    lying, upright = (
        block([(0x10F, 2, "Größe\0".encode()), (0x112, 3, bytes([one, 0]))], maker, [])
        for one in (6, 1)
    )
    image = Image.linear_gradient("L").resize((64, 48))
    image.info["exif"] = lying
    (tmp_path / "a.jxl").write_bytes(file_bytes(made_ready(image, "JXL", strict=True), "JXL"))
    back = open_image(tmp_path / "a.jxl")
    assert back.size == (48, 64)
    assert back.info["exif"].removeprefix(b"Exif\0\0") == upright.removeprefix(b"Exif\0\0")
    image.save(tmp_path / "b.jxl", exif=lying)  # as of a writer that says so of turned pixels
    assert open_image(tmp_path / "b.jxl").getexif()[0x112] == 1


@pytest.mark.usefixtures("jxl")
def test_xmp_of_jpeg_xl_is_read(tmp_path: Path) -> None:
    image = Image.new("RGB", (64, 48))
    image.save(tmp_path / "a.jxl", xmp=XMP)
    assert open_image(tmp_path / "a.jxl").info["xmp"] == XMP
    data = latentcodec.encode(Image.open(tmp_path / "a.jxl"), strict=True)
    assert latentcodec.decode(data).info["xmp"] == XMP
    image.save(tmp_path / "none.jxl")
    assert "xmp" not in open_image(tmp_path / "none.jxl").info


@pytest.mark.usefixtures("jxl")
def test_compressed_boxes_of_jpeg_xl_are_said_to_be_lost(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x10F] = "Acme" * 50
    image = Image.new("RGB", (64, 48))
    image.save(tmp_path / "a.jxl", xmp=XMP * 9, exif=exif.tobytes(), compress_metadata=True)
    with pytest.warns(latentcodec.LossWarning, match=r"EXIF compressed by Brotli, XMP compressed"):
        latentcodec.encode(Image.open(tmp_path / "a.jxl"))


@pytest.mark.usefixtures("jxl")
@pytest.mark.parametrize("at", range(0, 60, 4))
def test_jpeg_xl_of_broken_boxes_ends(at: int) -> None:
    """In a picture or in an error of this package."""
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "JXL", xmp=XMP)
    data = bytearray(buffer.getvalue())
    data[at : at + 4] = b"\0\0\0\1"
    with contextlib.suppress(latentcodec.LatError):
        open_image(io.BytesIO(bytes(data)))


@pytest.mark.usefixtures("jxl")
@pytest.mark.parametrize("length", [2**31, 2**40, 2**64 - 1])
def test_a_box_longer_than_its_file_asks_for_no_memory(tmp_path: Path, length: int) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "a.jxl", xmp=XMP)
    data = (tmp_path / "a.jxl").read_bytes()
    at = data.index(b"xml ") - 4
    head = (1).to_bytes(4, "big") + b"xml " + length.to_bytes(8, "big")
    (tmp_path / "a.jxl").write_bytes(data[:at] + head + data[at + 8 :])
    with contextlib.suppress(latentcodec.LatError):
        assert "xmp" not in open_image(tmp_path / "a.jxl").info
