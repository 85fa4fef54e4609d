"""XMP of any length goes to JPEG and comes back, and what cannot be joined is said to be lost."""

from __future__ import annotations

import hashlib
import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import latentcodec
from latentcodec.images.extended_xmp import SIGNATURE, joined, split
from tests.command_line import done

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"


def packet(inside: str, attributes: str = "") -> bytes:
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        f'<rdf:RDF xmlns:rdf="{RDF}"{attributes}>{inside}</rdf:RDF></x:xmpmeta>'
    ).encode()


def long_packet(length: int = 200_000) -> bytes:
    text = "".join(f"{number:x}é " for number in range(length // 5))[:length]
    return packet(
        f'<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" dc:x="{text}"/>'
    )


def as_written_by_adobe(own: str, more: bytes) -> tuple[bytes, list[bytes]]:
    """A packet with properties of its own, and segments with others."""
    digest = hashlib.md5(more).hexdigest().upper()
    whole = packet(
        '<rdf:Description rdf:about="" xmlns:xmpNote="http://ns.adobe.com/xmp/note/" '
        f'xmlns:xmp="http://ns.adobe.com/xap/1.0/" {own} xmpNote:HasExtendedXMP="{digest}"/>'
    )
    lead = SIGNATURE + digest.encode() + len(more).to_bytes(4, "big")
    starts = range(0, len(more), 1000)
    return whole, [lead + at.to_bytes(4, "big") + more[at : at + 1000] for at in starts]


@pytest.mark.parametrize("length", [70_000, 200_000])
def test_there_and_back(length: int, tmp_path: Path) -> None:
    """The whole of it, and without a warning, through a file of JPEG."""
    long = long_packet(length)
    image = Image.new("RGB", (16, 16))
    image.info["xmp"] = b'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>' + long
    (tmp_path / "a.lat").write_bytes(latentcodec.encode(image))
    done(f"decode --strict {tmp_path}/a.lat {tmp_path}/a.jpg")
    done(f"encode --strict {tmp_path}/a.jpg {tmp_path}/b.lat")
    assert latentcodec.decode(tmp_path / "b.lat").info["xmp"] == long


def test_a_packet_of_no_rdf_comes_back() -> None:
    long = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">' + b" " * 70_000 + b"</x:xmpmeta>"
    assert joined(*split(long)) == long


def test_the_segments_are_those_of_the_specification(tmp_path: Path) -> None:
    """Read here by its text: the pointer, then length, offsets and MD5 of each piece."""
    long = long_packet()
    image = Image.new("RGB", (16, 16))
    image.info["xmp"] = long
    (tmp_path / "a.lat").write_bytes(latentcodec.encode(image))
    done(f"decode {tmp_path}/a.lat {tmp_path}/a.jpg")
    with Image.open(tmp_path / "a.jpg") as written:
        pointer = re.search(rb'xmpNote:HasExtendedXMP="([0-9A-F]{32})"', written.info["xmp"])
        parts = [data for _, data in written.applist if data.startswith(SIGNATURE)]
    assert pointer is not None
    whole = bytearray(len(long))
    for part in parts:
        body = part[len(SIGNATURE) :]
        assert body[:32] == pointer[1] and int.from_bytes(body[32:36], "big") == len(long)
        start = int.from_bytes(body[36:40], "big")
        whole[start : start + len(body) - 40] = body[40:]
        assert len(part) <= 65533
    assert whole == long
    assert hashlib.md5(whole).hexdigest().upper().encode() == pointer[1]


def test_both_parts_of_another_writer_are_kept() -> None:
    more = packet('<rdf:Description rdf:about="" xmlns:a="urn:a" a:long="' + "x" * 5000 + '"/>')
    main, segments = as_written_by_adobe('xmp:Rating="5"', more)
    whole = joined(main, segments[::-1])
    assert whole is not None
    assert b'xmp:Rating="5"' in whole and b"x" * 5000 in whole and b"HasExtended" not in whole
    assert whole.count(b"<rdf:RDF") == whole.count(b"</rdf:RDF>") == 1


def test_what_cannot_be_joined_is_said_to_be_lost(tmp_path: Path) -> None:
    body = '<rdf:Description rdf:about="" a:long="' + "x" * 5000 + '"/>'
    main, segments = as_written_by_adobe('xmp:Rating="5"', packet(body, ' xmlns:a="urn:a"'))
    assert joined(main, segments) is None, "the packet does not know the prefix"
    main, segments = as_written_by_adobe('xmp:Rating="5"', packet(body))
    assert joined(main, segments) is not None
    for broken in (segments[1:], [*segments[:-1], segments[-1] + b"!"], []):
        assert joined(main, broken) is None
    stream = io.BytesIO()
    extra = b"".join(b"\xff\xe1" + (len(one) + 2).to_bytes(2, "big") + one for one in segments[1:])
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(stream, "JPEG", xmp=main, extra=extra)
    with pytest.warns(latentcodec.LossWarning, match="extended XMP"):
        latentcodec.encode(Image.open(stream))


def test_hostile_packets_end_soon() -> None:
    """No pattern goes back and forth."""
    for hostile in (
        b"<rdf:RDF " * 20_000,
        b" xmlns:a='" * 20_000,
        b"<xmpNote:HasExtendedXMP>" * 9999,
    ):
        main, pieces = split(hostile)
        assert joined(main, pieces) in (None, hostile.strip())
