"""XMP packets, without what a picture is not to say, or what is no longer true of it."""

from __future__ import annotations

import re

# A property of XMP, as an attribute or as an element: exif:GPSLatitude and the like.
_GPS = re.compile(
    rb"""\s[\w.-]+:gps\w*\s*=\s*("[^"]*"|'[^']*')|<([\w.-]+:gps\w*)\b[^>]*(/>|>.*?</\2\s*>)""",
    re.IGNORECASE | re.DOTALL,
)
# Pictures and videos behind the photograph: Ultra HDR's gain map, motion photos, and the list of
# what the file holds.
_GAIN_MAP, _VIDEO = rb"(?:hdrgm|HDRGainMap|apdi):\w+", rb"(?:GCamera|Camera):Mi?(?:cro|otion)\w+"
_LIST = rb"(?:G?Container):Directory"
_COMPANIONS = re.compile(
    rb"""\s(?:xmlns:(?:hdrgm|HDRGainMap)|%s|%s)\s*=\s*(?:"[^"]*"|'[^']*')"""
    rb"""|<(%s|%s|%s)\b[^>]*?(?:/>|>.*?</\1\s*>)""" % (_GAIN_MAP, _VIDEO, _GAIN_MAP, _VIDEO, _LIST),
    re.DOTALL,
)
_TELLS_GAIN_MAP = re.compile(rb"\bhdrgm:Version|\bHDRGainMap:|Semantic\s*=\s*[\"']GainMap")
_TELLS_VIDEO = re.compile(rb"\bG?Camera:(?:MotionPhoto|MicroVideo)\s*(?:=\s*[\"']|>)\s*1")


def without_gps(packet: bytes) -> bytes:
    """A packet without such properties; nothing of it where some might be left."""
    rest = _GPS.sub(b"", packet)
    suspect = b"\0" in rest or b"gps" in rest.lower()  # UTF-16 and UTF-32 have zero bytes
    return b"" if suspect else rest


def companions(packet: bytes) -> list[str]:
    """What a packet says to lie beside the photograph in its file."""
    told = ((_TELLS_GAIN_MAP, "a gain map (HDR)"), (_TELLS_VIDEO, "a video (motion photo)"))
    return [name for pattern, name in told if pattern.search(packet)]


def without_companions(packet: bytes) -> bytes:
    """A packet that no longer tells of them."""
    return _COMPANIONS.sub(b"", packet) if companions(packet) else packet
