"""What formats hold is written, what they do not is said, and no picture lies on its side."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngImageFile

import latentcodec
from latentcodec.errors import LossWarning, UnsupportedImage
from latentcodec.format import container
from latentcodec.format.container import ChunkType
from latentcodec.images.files import file_bytes, open_image
from latentcodec.images.formats import made_ready
from latentcodec.images.metadata import attach, collect
from latentcodec.images.metadata_kinds import KEYS, held_by, texts_in
from latentcodec.images.reading import load
from tests.image_files import ICC

XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"/>'
IPTC = b"\x1c\x02\x78\0\x07Caption"
ALL = {
    ChunkType.ICC: ICC,
    ChunkType.EXIF: b"Exif\0\0MM\0*\0\0\0\x08\0\1\x01\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0",
    ChunkType.XMP: XMP,
    ChunkType.IPTC: IPTC,
    ChunkType.RESOLUTION: (30000).to_bytes(4, "little") * 2,
}


def written(form: str) -> Image.Image:
    """An upright image of 48 x 64 px, which lies on its side with orientation 6, as a file."""
    image = Image.linear_gradient("L").resize((64, 48)).convert("RGB")
    attach(image, ALL)
    image.info |= {"text": {"Title": "é"}, "comment": b"a comment"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ready = made_ready(image, form)
    return Image.open(io.BytesIO(file_bytes(ready, form)))


@pytest.mark.parametrize("form", ["PNG", "BMP", "GIF", "PPM", "JPEG2000", "TGA", "TIFF", "WEBP"])
def test_no_picture_lies_on_its_side(form: str) -> None:
    image = written(form)
    image.load()
    assert ImageOps.exif_transpose(image).size == (48, 64)


@pytest.mark.parametrize("form", sorted({form for key in KEYS.values() for form in key.formats}))
def test_what_is_said_to_be_held_is_there(form: str) -> None:
    if form not in Image.SAVE:
        pytest.skip(f"Pillow writes no {form} here")
    image = written(form)
    load(image, strict=False)
    found = collect(image)
    held = held_by(form)
    for kind, key in (
        (ChunkType.ICC, "icc_profile"),
        (ChunkType.XMP, "xmp"),
        (ChunkType.IPTC, "photoshop"),
    ):
        # The writer of JPEG XL makes a profile of its own that says the same.
        there = kind in found if form == "JXL" else found.get(kind) == ALL[kind]
        assert there is (key in held), key
    assert (ChunkType.EXIF in found) is ("exif" in held) or form == "TIFF"  # Pillow has turned it
    if "dpi" in held:
        numbers = np.frombuffer(found[ChunkType.RESOLUTION], "<u4")
        assert np.abs(numbers.astype(int) - 30000).max() <= 2
    texts = texts_in(found.get(ChunkType.TEXT, b""))
    assert (texts.get("Title") == "é") is ("text" in held)
    assert (texts.get("Comment") == "a comment") is ("comment" in held)


def test_what_is_left_out_is_said_once_or_refused() -> None:
    image = Image.new("RGB", (8, 8))
    attach(image, ALL)
    with pytest.raises(UnsupportedImage, match="IPTC data, resolution: left out"):
        made_ready(image.copy(), "WEBP", strict=True)
    with pytest.warns(LossWarning) as said:
        made_ready(image, "BMP")
    assert [str(one.message) for one in said] == [
        "BMP has no place for ICC profile, XMP, IPTC data: left out"
    ]


@pytest.mark.parametrize("key", ["exif", "comment", "photoshop"])
def test_what_is_too_long_for_jpeg_is_left_out(key: str) -> None:
    image = Image.new("RGB", (64, 48))
    attach(image, {ChunkType.EXIF: ALL[ChunkType.EXIF]})
    long = image.info.get(key, b"") + bytes(70000)
    image.info[key] = {0x0404: long} if key == "photoshop" else long
    with pytest.warns(LossWarning, match="cannot hold so much"):
        ready = made_ready(image, "JPEG")
    back = Image.open(io.BytesIO(file_bytes(ready, "JPEG")))
    assert back.getexif()[0x112] == 6, "the orientation has to stay"


@pytest.mark.parametrize("form", ["JPEG", "BMP", "GIF", "PPM"])
@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_alpha_has_to_have_a_place(form: str, mode: str) -> None:
    image = Image.new(mode, (8, 8), (0,) * len(mode))
    with pytest.raises(UnsupportedImage, match="background"):
        made_ready(image, form)
    flat = made_ready(image, form, background="white")
    assert np.asarray(flat).min() == 255


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    import struct
    import zlib

    def one(kind: bytes, data: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + checksum

    size = one(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0))
    rows = one(b"IDAT", zlib.compress((b"\0" + bytes(24)) * 8))
    return (
        b"\x89PNG\r\n\x1a\n" + size + b"".join(one(*c) for c in chunks) + rows + one(b"IEND", b"")
    )


GAMMA = b"gAMA", (100000).to_bytes(4, "big")
NO_TRIANGLE = (31270, 32900, 64000, 33000, 64000, 33000, 64000, 33000)
# `test_colour_space.py` has those that become a profile.
LOST = {
    "gamma": (png((b"gAMA", (1).to_bytes(4, "big"))), "its gamma"),
    "primaries": (
        png((b"cHRM", b"".join(n.to_bytes(4, "big") for n in NO_TRIANGLE))),
        "its primaries",
    ),
    "cICP": (png((b"cICP", bytes([9, 16, 0, 1]))), "cICP 9/16/0/1"),
}
KEPT = {
    "sRGB by gamma": png((b"gAMA", (45455).to_bytes(4, "big"))),
    "sRGB by cICP": png((b"cICP", bytes([1, 13, 0, 1]))),
    "sRGB by name": png((b"sRGB", b"\0"), GAMMA),
}


@pytest.mark.parametrize(("data", "words"), LOST.values(), ids=LOST)
def test_what_a_file_has_no_place_for_is_said(data: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(data)
    for image in (lambda: Image.open(io.BytesIO(data)), lambda: open_image(tmp_path / "a.png")):
        with pytest.warns(LossWarning, match=words):
            latentcodec.encode(image())
        with pytest.raises(UnsupportedImage, match=words):
            latentcodec.encode(image(), strict=True)
        latentcodec.encode(image(), strict=True, strip=["all"])


@pytest.mark.parametrize("data", KEPT.values(), ids=KEPT)
def test_what_says_nothing_new_is_no_loss(data: bytes) -> None:
    latentcodec.encode(Image.open(io.BytesIO(data)), strict=True)


@pytest.mark.parametrize(
    "told",
    [
        b' xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0"',
        b' GCamera:MotionPhoto="1" GCamera:MotionPhotoVersion="1"',
    ],
)
def test_xmp_tells_of_nothing_that_is_gone(told: bytes) -> None:
    image = Image.new("RGB", (8, 8))
    image.info["xmp"] = (
        b'<rdf:Description rdf:about=""' + told + b' dc:format="image/jpeg"><Container:Directory>'
        b'<rdf:li Item:Semantic="GainMap"/></Container:Directory></rdf:Description>'
    )
    with pytest.warns(LossWarning, match="gain map|video"):
        found = container.read_metadata(latentcodec.encode(image))
    left = b'<rdf:Description rdf:about="" dc:format="image/jpeg"></rdf:Description>'
    assert found == {ChunkType.XMP: left}


def test_an_orientation_of_xmp_stays_there() -> None:
    image = Image.new("RGB", (8, 4))
    image.info["xmp"] = b'<rdf:Description tiff:Orientation="6"/>'
    assert latentcodec.decode(latentcodec.encode(image)).info["xmp"] == image.info["xmp"]
    assert ChunkType.EXIF not in container.read_metadata(latentcodec.encode(image))


def test_texts_and_comments_travel(tmp_path: Path) -> None:
    from PIL.PngImagePlugin import PngInfo

    texts = PngInfo()
    texts.add_itxt("parameters", "prompt é " * 200_000, zip=True)
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png", pnginfo=texts)
    from tests.command_line import done

    done(f"encode --strict {tmp_path}/a.png {tmp_path}/a.lat")
    assert (tmp_path / "a.lat").stat().st_size < 20_000
    back = latentcodec.decode(tmp_path / "a.lat")
    assert back.info["text"] == {"parameters": "prompt é " * 200_000}
    done(f"info {tmp_path}/a.lat")


@pytest.mark.parametrize("form", ["AVIF", "TIFF", "PNG", "WEBP"])
def test_exif_of_chance_is_written_or_left_out(form: str) -> None:
    """What Pillow cannot take apart; a JPEG with it is read, too."""
    image = Image.new("RGB", (32, 24))
    for block in (b"garbage!!", b"MM\0*", b"II+\0abc"):
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", exif=b"Exif\0\0" + block)
        data = latentcodec.encode(Image.open(buffer))
        decoded = latentcodec.decode(data)
        assert decoded.info["exif"].endswith(block)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            ready = made_ready(decoded, form)
        assert Image.open(io.BytesIO(file_bytes(ready, form))).size == (32, 24)
        assert ("exif" in ready.info) or "EXIF: left out" in str(caught[-1].message)


def test_texts_whose_names_png_does_not_allow() -> None:
    image = Image.new("L", (8, 8))
    image.info["text"] = {"标题": "a", "k" * 80: "b", "Title": "c"}
    with pytest.warns(LossWarning, match="no such names"):
        ready = made_ready(image, "PNG")
    back = Image.open(io.BytesIO(file_bytes(ready, "PNG")))
    assert isinstance(back, PngImageFile) and back.text == {"Title": "c"}
    image.info["text"] = {"标题": "a"}
    with pytest.raises(UnsupportedImage, match="something would be lost"):
        made_ready(image, "PNG", strict=True)


def test_an_icon_has_the_size_of_the_picture() -> None:
    image = Image.new("RGB", (96, 64))
    assert Image.open(io.BytesIO(file_bytes(made_ready(image, "ICO"), "ICO"))).size == (96, 64)
    with pytest.raises(UnsupportedImage, match="up to 256 x 256 px"):
        made_ready(Image.new("RGB", (257, 64)), "ICO")


@pytest.mark.parametrize(("form", "side"), [("JPEG", 65500), ("WEBP", 16383), ("ICO", 256)])
def test_a_side_that_a_format_has_not_is_said_as_such(form: str, side: int) -> None:
    """Where Pillow would speak of a broken stream, if it says anything."""
    with pytest.raises(UnsupportedImage, match=f"{form} holds pictures of up to {side} x {side}"):
        made_ready(Image.new("L", (1, side + 1)), form)
    assert file_bytes(made_ready(Image.new("L", (1, side)), form), form)
