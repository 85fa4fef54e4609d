"""XMP of more than 64 kB in JPEG files: a packet that points to others (XMP part 3, 1.1.3.1).

The rest stands in segments of its own, each with the MD5 of all of it, its length and an offset.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence

SIGNATURE = b"http://ns.adobe.com/xmp/extension/\0"
_LEAD_BYTES = len(SIGNATURE) + 32 + 4 + 4
_PIECE_BYTES = 65_000  # of the 65,533 that a segment has
_PACKET = b"""<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>\
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\
<rdf:Description rdf:about="" xmlns:xmpNote="http://ns.adobe.com/xmp/note/" \
xmpNote:HasExtendedXMP="%s"/></rdf:RDF></x:xmpmeta><?xpacket end="w"?>"""
_POINTER = re.compile(
    rb"""\s(xmpNote):HasExtendedXMP\s*=\s*["']([0-9A-Fa-f]{32})["']"""
    rb"""|<(xmpNote):HasExtendedXMP>\s*([0-9A-Fa-f]{32})\s*</xmpNote:HasExtendedXMP\s*>"""
)
_WRAPPER = re.compile(rb"<\?xpacket[^<>]*\?>")
_OPEN, _CLOSE = b"<rdf:RDF", b"</rdf:RDF"
_RDF_NAMESPACE = re.compile(rb"""^\s*xmlns:rdf\s*=\s*("[^"]*"|'[^']*')\s*$""")
_EMPTY = re.compile(
    rb"""^\s*<rdf:Description(\s+(rdf:about|xmlns:\w+)\s*=\s*("[^"]*"|'[^']*'))*\s*"""
    rb"""(/>|>\s*</rdf:Description\s*>)\s*$"""
)


def split(packet: bytes) -> tuple[bytes, list[bytes]]:
    """A packet that says where the rest is, and the contents of the segments with all of it."""
    whole = _WRAPPER.sub(b"", packet).strip()
    digest = hashlib.md5(whole, usedforsecurity=False).hexdigest().upper().encode()
    lead = SIGNATURE + digest + len(whole).to_bytes(4, "big")
    pieces = [
        lead + start.to_bytes(4, "big") + whole[start : start + _PIECE_BYTES]
        for start in range(0, len(whole), _PIECE_BYTES)
    ]
    return _PACKET % digest, pieces


def joined(packet: bytes, segments: Sequence[bytes]) -> bytes | None:
    """A packet with what it points to in the contents of segments; None where that is not all
    there, or cannot be put in."""
    pointer = _POINTER.search(packet)
    extension = _extension(pointer[2] or pointer[4], segments) if pointer else None
    own = _description(packet)
    if extension is None or pointer is None or own is None:
        return None
    rest = packet[own].replace(pointer[0], b"")
    if _EMPTY.match(rest):
        return extension
    more = _description(extension)
    if more is None:
        return None
    tag = extension[extension.find(_OPEN) + len(_OPEN) : more.start - 1]
    if not _RDF_NAMESPACE.match(tag):  # prefixes that the packet may not know
        return None
    return packet[: own.start] + rest + extension[more] + packet[own.stop :]


def _description(packet: bytes) -> slice | None:
    """What stands within the element rdf:RDF."""
    start = packet.find(b">", packet.find(_OPEN)) + 1
    stop = packet.rfind(_CLOSE)
    return slice(start, stop) if _OPEN in packet and 0 < start <= stop else None


def _extension(digest: bytes, segments: Sequence[bytes]) -> bytes | None:
    """What the segments with a digest hold, where they are complete."""
    whole = b"".join(piece for _, piece in sorted(_pieces(digest, segments)))
    found = hashlib.md5(whole, usedforsecurity=False).hexdigest().encode()
    return whole if found.lower() == digest.lower() else None


def _pieces(digest: bytes, segments: Sequence[bytes]) -> Iterator[tuple[int, bytes]]:
    """Offsets, and what stands there."""
    for data in segments:
        name = data[len(SIGNATURE) : len(SIGNATURE) + 32]
        if data.startswith(SIGNATURE) and name.lower() == digest.lower():
            yield int.from_bytes(data[_LEAD_BYTES - 4 : _LEAD_BYTES], "big"), data[_LEAD_BYTES:]
