"""Metadata left out by name: what was named is gone, the rest is as it was."""

from __future__ import annotations

import io
import struct
import time
from typing import Any, cast

import pytest
from PIL import Image

import latentcodec
from latentcodec.format import container
from latentcodec.format.container import ChunkType
from latentcodec.images import exif, extended_xmp, xmp
from latentcodec.images.metadata_kinds import MetadataName

CAMERA, ORIENTATION, GPS_IFD, EXIF_IFD, TAKEN = 0x10F, 0x112, 0x8825, 0x8769, 0x9003
ICC = b"a profile"
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description xmlns:exif="http://ns.adobe.com/exif/"'
    b' exif:GPSLatitude="47,3.1N" drone-dji:GpsLongitude = \'8\' dc:format="image/jpeg">'
    b"<exif:GPSAltitude>4/1</exif:GPSAltitude><exif:GPSMapDatum/><dc:title>Alps</dc:title>"
    b"</rdf:Description></x:xmpmeta>"
)


def picture(orientation: int = 6) -> Image.Image:
    exif = Image.Exif()
    exif[CAMERA] = "a camera"
    exif[ORIENTATION] = orientation
    exif.get_ifd(EXIF_IFD)[TAKEN] = "2024:05:06 07:08:09"
    exif.get_ifd(GPS_IFD).update({1: "N", 2: (47.0, 3.0, 6.0)})
    stream = io.BytesIO()
    Image.new("RGB", (20, 10)).save(stream, "JPEG", exif=exif, icc_profile=ICC, xmp=XMP)
    return Image.open(stream)


def kept(*names: Any, orientation: int = 6) -> dict[ChunkType, bytes]:
    return container.read_metadata(latentcodec.encode(picture(orientation), strip=names))


def exif_of(payload: bytes) -> Image.Exif:
    exif = Image.Exif()
    exif.load(payload)
    return exif


def test_nothing_is_left_out_by_default() -> None:
    found = kept()
    assert found[ChunkType.ICC] == ICC
    assert found[ChunkType.XMP] == XMP
    assert exif_of(found[ChunkType.EXIF]).get_ifd(GPS_IFD)[1] == "N"


def test_each_by_its_name() -> None:
    everything = kept()
    for name, kind in (("icc", ChunkType.ICC), ("xmp", ChunkType.XMP)):
        assert kept(name) == {k: v for k, v in everything.items() if k is not kind}
    assert kept("exif", "icc", "xmp", orientation=1) == {}
    assert kept("all", orientation=1) == {}


@pytest.mark.parametrize("name", ["exif", "all"])
def test_the_orientation_stays(name: str) -> None:
    assert dict(exif_of(kept(name)[ChunkType.EXIF])) == {ORIENTATION: 6}


def test_gps_alone() -> None:
    found = kept("gps")
    exif = exif_of(found[ChunkType.EXIF])
    assert GPS_IFD not in exif and not exif.get_ifd(GPS_IFD)
    assert (exif[CAMERA], exif[ORIENTATION]) == ("a camera", 6)
    assert exif.get_ifd(EXIF_IFD)[TAKEN] == "2024:05:06 07:08:09"
    assert found[ChunkType.ICC] == ICC
    xmp = found[ChunkType.XMP]
    assert b"gps" not in xmp.lower()
    assert b"<dc:title>Alps</dc:title>" in xmp and b'dc:format="image/jpeg">' in xmp


@pytest.mark.parametrize("xmp", [XMP.decode().encode("utf-16"), b"<exif:GPSLatitude>47,3"])
def test_xmp_that_might_still_tell_goes_whole(xmp: bytes) -> None:
    image = Image.new("RGB", (20, 10))
    image.info["xmp"] = xmp
    assert container.read_metadata(latentcodec.encode(image, strip=["gps"])) == {}


def test_pictures_without_metadata() -> None:
    image = Image.new("RGB", (20, 10))
    for name in ("icc", "exif", "xmp", "gps", "all"):
        assert latentcodec.encode(image, strip=[name]) == latentcodec.encode(image)


def test_a_single_name_is_no_list_of_letters() -> None:
    assert kept("gps") == container.read_metadata(
        latentcodec.encode(picture(), strip=cast("list[MetadataName]", "gps"))
    )


def test_a_name_that_is_not_known() -> None:
    with pytest.raises(ValueError, match="'place'"):
        kept("place")


def test_an_empty_element_takes_nothing_else_with_it() -> None:
    packet = b"<a:GPSX/><dc:title>Alps</dc:title><a:GPSX>4</a:GPSX><dc:rights/>"
    assert xmp.without_gps(packet) == b"<dc:title>Alps</dc:title><dc:rights/>"


@pytest.mark.parametrize(
    "piece", [b"<a:gpsX/>", b"<a:gps", b"<a:gps>", b"<hdrgm:a>", b"<?xpacket", b' a:gps="']
)
def test_hostile_packets_take_no_longer_than_others(piece: bytes) -> None:
    """Two megabytes, of which no part is looked at again for every other; a `.lat` file has 16."""
    packet = b'<x hdrgm:Version="1">' + piece * (2_000_000 // len(piece))
    before = time.process_time()
    xmp.without_gps(packet)
    xmp.without_companions(packet)
    extended_xmp.split(packet)
    assert time.process_time() - before < 30


def test_hostile_exif_takes_no_longer_than_other() -> None:
    """Thousands of entries whose values are the same four megabytes."""
    size, count = 4_000_000, 6000
    entry = struct.pack(">HHII", 0x9000, 7, size // 2, size // 4)
    entries = entry * count + struct.pack(">HHII", GPS_IFD, 4, 1, 8)
    block = b"Exif\0\0MM\0*\0\0\0\x08" + struct.pack(">H", count + 1) + entries
    before = time.process_time()
    exif.without(block.ljust(size, b"\0"), [(exif.MAIN, GPS_IFD)])
    assert time.process_time() - before < 30
