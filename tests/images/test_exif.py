"""EXIF is carried byte for byte, and edited where it lies."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, Literal

import pytest
from PIL import Image

import latentcodec
import latentcodec.pillow
from latentcodec.errors import LossWarning
from latentcodec.format import container
from latentcodec.format.container import ChunkType
from latentcodec.images import exif
from latentcodec.images.metadata_kinds import MetadataName
from tests.exif_blocks import block, read

ORIENTATION, MAKER, GPS = 0x112, 0x927C, 0x8825
RATIONALS = struct.pack("<6I", 47, 1, 3, 1, 6, 1)
# What Pillow's own writer changes or gives up on: text beyond ASCII, a resolution unit of another
# type, UNDEFINED values, and a maker's note with offsets from the start of the block.
ODD = block(
    [
        (0x10F, 2, "Größe\0".encode()),
        (ORIENTATION, 3, b"\6\0"),
        (0x128, 1, b"\2"),
        (0x9C9B, 1, b"T\0"),
    ],
    [
        (0x9003, 2, b"2024:01:02 03:04:05\0"),
        (MAKER, 7, b"\1\0\6\0\2\0" + bytes(40)),
        (0xA300, 7, b"\3"),
    ],
    [(1, 2, b"N\0"), (2, 5, RATIONALS)],
    thumbnail=b"\xff\xd8 a small picture \xff\xd9",
)


def photograph(data: bytes, form: str = "JPEG") -> Image.Image:
    stream = io.BytesIO()
    Image.linear_gradient("L").resize((64, 48)).convert("RGB").save(stream, form, exif=data)
    return Image.open(stream)


def by_encode(image: Image.Image, strip: Collection[MetadataName] = ()) -> bytes | None:
    found = container.read_metadata(latentcodec.encode(image, strip=strip))
    return found.get(ChunkType.EXIF)


def by_save(image: Image.Image, **options: Any) -> bytes | None:
    stream = io.BytesIO()
    image.save(stream, "LAT", **options)
    return container.read_metadata(stream.getvalue()).get(ChunkType.EXIF)


Write = Callable[[Image.Image], bytes | None]
BOTH = pytest.mark.parametrize("write", [by_encode, by_save])


@BOTH
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_byte_for_byte(form: str, write: Write) -> None:
    image = photograph(ODD, form)
    assert write(image) == ODD
    assert image.getexif()[ORIENTATION] == 6  # and when somebody has looked at it
    image.getexif().get_ifd(GPS)
    assert write(image) == ODD


def test_byte_for_byte_through_the_command_line(tmp_path: Path) -> None:
    from tests.command_line import done

    Image.new("RGB", (64, 48)).save(tmp_path / "a.jpg", exif=ODD)
    done(f"encode --strict {tmp_path}/a.jpg {tmp_path}/a.lat")
    done(f"decode --strict {tmp_path}/a.lat {tmp_path}/b.jpg")
    with Image.open(tmp_path / "b.jpg") as back:
        assert back.info["exif"] == ODD


@BOTH
def test_what_is_deleted_is_not_written(write: Write) -> None:
    image = photograph(ODD)
    image.load()
    del image.info["exif"]
    assert write(image) is None


@BOTH
def test_a_tag_deleted_leaves_the_rest_where_it_was(write: Write) -> None:
    image = photograph(ODD)
    del image.getexif()[GPS]
    left = write(image)
    assert left is not None and RATIONALS not in left and len(left) == len(ODD)
    assert left.index(b"\1\0\6\0\2\0") == ODD.index(b"\1\0\6\0\2\0")
    wanted = {key: value for key, value in read(ODD).items() if key[0] != "gps"}
    del wanted["main", GPS]
    assert read(left) == wanted


@BOTH
def test_a_tag_within_a_directory_deleted(write: Write) -> None:
    image = photograph(ODD)
    del image.getexif().get_ifd(GPS)[2]
    left = write(image)
    assert left is not None and RATIONALS not in left
    assert read(ODD).keys() - read(left).keys() == {("gps", 2)}


@BOTH
def test_a_value_changed_keeps_text_of_any_kind(write: Write) -> None:
    image = photograph(ODD)
    image.getexif()[ORIENTATION] = 3
    with pytest.warns(LossWarning, match="0x0128"):
        found = read(write(image) or b"")
    assert ("main", 0x128) not in found
    assert found["main", ORIENTATION] == (3, b"\3\0")
    assert found["main", 0x10F] == (2, "Größe\0".encode())
    assert found["gps", 2] == (5, RATIONALS)


@BOTH
def test_what_is_added_to_a_new_image_is_written(write: Write) -> None:
    image = Image.new("RGB", (8, 8))
    image.getexif()[0x10F] = "Acme"
    assert read(write(image) or b"")["main", 0x10F] == (2, b"Acme\0")


@BOTH
def test_tags_of_tiff(write: Write, tmp_path: Path) -> None:
    data = Image.Exif()
    data[0x10F] = "Acme"
    Image.new("RGB", (8, 8)).save(tmp_path / "a.tif", exif=data)
    assert read(write(Image.open(tmp_path / "a.tif")) or b"").keys() >= {("main", 0x10F)}


def test_what_the_caller_of_save_gives_comes_first() -> None:
    other = Image.Exif()
    other[0x10F] = "Other"
    assert read(by_save(photograph(ODD), exif=other) or b"").keys() == {("main", 0x10F)}


def test_strip_takes_gps_and_thumbnail_out_of_the_block() -> None:
    left = by_encode(photograph(ODD), strip=["gps", "thumbnail"])
    assert left is not None and b"small picture" not in left and RATIONALS not in left
    names = {name for name, _ in read(left)}
    assert names == {"main", "exif"} and len(left) < len(ODD)


@pytest.mark.parametrize("order", ["little", "big"])
def test_orientation_alone(order: Literal["little", "big"]) -> None:
    mark = b"II*\0\x08\0\0\0" if order == "little" else b"MM\0*\0\0\0\x08"
    body = [1, 0x112, 3]
    entry = b"".join(n.to_bytes(2, order) for n in body) + (1).to_bytes(4, order)
    data = b"Exif\0\0" + mark + entry + (8).to_bytes(2, order) + bytes(6)
    assert exif.orientation(data) == 8
    assert exif.orientation(exif.only_orientation(data)) == 8
    assert exif.only_orientation(data.replace((8).to_bytes(2, order) + bytes(6), bytes(8))) == b""


@pytest.mark.parametrize(
    "data", [b"", b"Exif\0\0", b"II*\0\xff\xff\0\0", b"MM\0*\0\0\0\x08\xff\xff"]
)
def test_what_cannot_be_read(data: bytes) -> None:
    assert exif.orientation(data) == 1
    with pytest.raises(ValueError, match="EXIF"):
        exif.without(data, [(exif.MAIN, GPS)])


def test_directories_that_lead_in_circles() -> None:
    ring = b"Exif\0\0II*\0\x08\0\0\0" + b"\1\0" + struct.pack("<HHII", GPS, 4, 1, 8) + b"\x08\0\0\0"
    assert exif.without_thumbnail(ring)
    exif.without(ring, [(exif.MAIN, GPS)])


@pytest.mark.parametrize("order", ["little", "big"])
@pytest.mark.parametrize(("kind", "size"), [(1, 1), (3, 2), (4, 4)])
def test_upright_writes_an_orientation_of_its_own_type(
    order: Literal["little", "big"], kind: int, size: int
) -> None:
    mark = b"II*\0\x08\0\0\0\1\0" if order == "little" else b"MM\0*\0\0\0\x08\0\1"
    entry = b"".join(n.to_bytes(2, order) for n in (0x112, kind)) + (1).to_bytes(4, order)
    lying = b"Exif\0\0" + mark + entry + (6).to_bytes(size, order).ljust(8, b"\0")
    assert exif.orientation(lying) == 6
    upright = exif.upright(lying)
    assert upright[-8:] == (1).to_bytes(size, order).ljust(8, b"\0")
    assert upright[:-8] == lying[:-8]
