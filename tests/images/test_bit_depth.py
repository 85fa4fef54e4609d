"""Depths, colours and frames that Pillow takes away without a word: kept, or said to be lost."""

from __future__ import annotations

import base64
import io
import warnings

import pytest
from PIL import Image

from latentcodec.errors import LossWarning, UnsupportedImage
from latentcodec.format.container import ChunkType
from latentcodec.images.files import open_image
from latentcodec.images.picture import source_of

# Flat pictures of 16 x 16 px as other encoders write them; Pillow writes no such depths.
AVIF_10 = base64.b64decode(
    "AAAAIGZ0eXBhdmlmAAAAAGF2aWZtaWYxbWlhZk1BMUEAAADrbWV0YQAAAAAAAAAhaGRscgAAAAAAAAAAcGljdAAAAAAA"
    "AAAAAAAAAAAAAAAOcGl0bQAAAAAAAQAAAB5pbG9jAAAAAEQAAAEAAQAAAAEAAAETAAAAIgAAAChpaW5mAAAAAAABAAAA"
    "GmluZmUCAAAAAAEAAGF2MDFDb2xvcgAAAABqaXBycAAAAEtpcGNvAAAAFGlzcGUAAAAAAAAAEAAAABAAAAAQcGl4aQAA"
    "AAADCgoKAAAADGF2MUOBIEAAAAAAE2NvbHJuY2x4AAIAAgAAgAAAABdpcG1hAAAAAAAAAAEAAQQBAoMEAAAAKm1kYXQS"
    "AAoIOAz/+cCAgCQyFBAAAAAUt4i6y/gUb0x/RgTP8wPB"
)
JXL_16 = base64.b64decode(
    "AAAADEpYTCANCocKAAAAFGZ0eXBqeGwgAAAAAGp4bCAAAAAJanhsbAoAAAAdanhsY/8KQ/ADULQICAQBABwASxiLFYIDAA=="
)
JXL_10 = base64.b64decode(
    "AAAADEpYTCANCocKAAAAFGZ0eXBqeGwgAAAAAGp4bCAAAAAkanhsY/8KQ1BA0SIIBAEAPABLGIsVgN30/wAQlhhwwgI="
)
# Two frames of 24 x 16 px, grey 10 and 200.
JXL_FRAMES = base64.b64decode(
    "/woDBU0AICYIBAEAOABLGIsVgFX8fwAARVrUCQgEBQA8AEsYixWAXfj/AABSc6hDAg=="
)


def netpbm(kind: str, largest: int) -> bytes:
    """A picture of 2 x 2 px whose samples are large."""
    samples = [largest] * 12
    plain = " ".join(map(str, samples)).encode() + b"\n"
    body = plain if kind == "P3" else b"".join(one.to_bytes(2, "big") for one in samples)
    return f"{kind}\n2 2\n{largest}\n".encode() + body


def sgi(bytes_each: int) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (16, 16)).save(stream, "SGI", bpc=bytes_each)
    return stream.getvalue()


def jpeg_2000(bits: int) -> bytes:
    """As Pillow writes it, but that the header says another depth of each component."""
    stream = io.BytesIO()
    Image.new("RGB", (32, 32)).save(stream, "JPEG2000")
    data = bytearray(stream.getvalue())
    first = data.index(b"\xff\x4f\xff\x51") + 42
    data[first : first + 9 : 3] = bytes([bits - 1]) * 3
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "bits"),
    [
        (netpbm("P6", 65535), 16),
        (netpbm("P6", 1023), 10),
        (netpbm("P3", 65535), 16),
        (sgi(2), 16),
        (jpeg_2000(12), 12),
        (AVIF_10, 10),
        (JXL_10, 10),
        (JXL_16, 16),
    ],
    ids=["ppm 16", "ppm 10", "plain ppm", "sgi", "jpeg 2000", "avif", "jxl 10", "jxl 16"],
)
def test_depths_beyond_eight_bits_are_said(data: bytes, bits: int) -> None:
    if data in (JXL_10, JXL_16):
        pytest.importorskip("pillow_jxl")
    with pytest.warns(LossWarning, match=f"{bits} bits per channel; 8 are kept"):
        image = open_image(io.BytesIO(data))
    assert image.mode == "RGB"
    with pytest.raises(UnsupportedImage, match=f"{bits} bits per channel"):
        open_image(io.BytesIO(data), strict=True)


@pytest.mark.parametrize("form", ["PPM", "SGI", "AVIF", "JPEG2000", "JXL", "PNG", "TIFF"])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_eight_bits_are_not(form: str, mode: str) -> None:
    if form == "JXL":
        pytest.importorskip("pillow_jxl")
    stream = io.BytesIO()
    Image.new(mode, (33, 17)).save(stream, form)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        open_image(stream)


@pytest.mark.parametrize(
    ("primaries", "transfer", "says", "has_profile"),
    [(1, 13, "", False), (2, 2, "", False), (12, 13, "", True), (9, 16, "cICP 9/16", False)],
    ids=["sRGB", "nothing", "Display P3", "BT.2100 PQ"],
)
def test_colours_of_avif_without_a_profile(
    primaries: int, transfer: int, says: str, has_profile: bool
) -> None:
    """Kept as a profile, as those of PNG and HEIC are, or said to be lost."""
    codes = bytes([0, primaries, 0, transfer])
    data = AVIF_10.replace(b"nclx\0\2\0\2", b"nclx" + codes)
    with pytest.warns(LossWarning) as warned:
        source = source_of(open_image(io.BytesIO(data)))
    assert (ChunkType.ICC in source.metadata) == has_profile
    assert says in str(warned[-1].message) and len(warned) == 1 + bool(says)


def test_frames_of_jpeg_xl_are_said() -> None:
    pytest.importorskip("pillow_jxl")
    with pytest.warns(LossWarning, match="several frames; the last one is kept"):
        image = open_image(io.BytesIO(JXL_FRAMES))
    assert image.getpixel((0, 0)) == (200, 200, 200)
