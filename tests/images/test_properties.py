"""What holds for all metadata, on those that hypothesis builds."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from latentcodec.format.container import ChunkType
from latentcodec.images import metadata
from tests.steady import steady

pytestmark = pytest.mark.slow


PIECES = st.sampled_from(
    [
        b"<x:xmpmeta",
        b' exif:GPSLatitude="1,2N"',
        b" gps:x='3'",
        b">",
        b"<exif:GPSAltitude>2</exif:GPSAltitude>",
        b"<a:gps/>",
        b" GPS ",
        b"Gps\0",
        b"<dc:title>",
        b"</dc:title>",
        b"/>",
    ]
)
XMP = st.lists(st.one_of(PIECES, st.binary(max_size=5)), max_size=12).map(b"".join)
TAGS = st.dictionaries(
    st.sampled_from([0x010E, 0x010F, 0x0131]),
    st.text(st.characters(codec="ascii", exclude_characters="\0"), min_size=1, max_size=9),
)


def exif_bytes(tags: dict[int, str], orientation: int | None, placed: bool) -> bytes:
    exif = Image.Exif()
    for tag, value in tags.items():
        exif[tag] = value
    if orientation is not None:
        exif[0x0112] = orientation
    if placed:
        exif.get_ifd(0x8825)[1] = "N"
    return exif.tobytes()


class TestMetadata:
    @steady
    @given(XMP, TAGS, st.none() | st.integers(1, 8), st.booleans())
    def test_no_place_is_left(
        self, xmp: bytes, tags: dict[int, str], orientation: int | None, placed: bool
    ) -> None:
        payloads = {
            ChunkType.EXIF: exif_bytes(tags, orientation, placed),
            ChunkType.XMP: xmp,
            ChunkType.ICC: b"profile",
        }
        kept = metadata.stripped(payloads, ["gps"])
        assert b"gps" not in kept.get(ChunkType.XMP, b"").lower()
        assert kept[ChunkType.ICC] == b"profile"
        left = Image.Exif()
        left.load(kept.get(ChunkType.EXIF, b""))
        assert 0x8825 not in left
        assert {tag: left[tag] for tag in tags} == tags
        assert left.get(0x0112) == orientation
        assert metadata.stripped(kept, ["gps"]) == kept
        if not re.search(rb"gps|\0", xmp, re.IGNORECASE) and xmp:
            assert kept[ChunkType.XMP] == xmp

    @steady
    @given(TAGS, st.none() | st.integers(0, 9), st.booleans())
    def test_of_all_only_a_turn_is_left(
        self, tags: dict[int, str], orientation: int | None, placed: bool
    ) -> None:
        payloads = {ChunkType.EXIF: exif_bytes(tags, orientation, placed), ChunkType.XMP: b"<x/>"}
        kept = metadata.stripped(payloads, ["all"])
        turned = orientation in range(2, 9)
        assert set(kept) == ({ChunkType.EXIF} if turned else set())
        if turned:
            left = Image.Exif()
            left.load(kept[ChunkType.EXIF])
            assert dict(left) == {0x0112: orientation}
