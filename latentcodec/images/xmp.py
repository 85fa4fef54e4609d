"""XMP packets, without what a picture is not to say, or what is no longer true of it."""

from __future__ import annotations

import bisect
import re

# Tags of elements with some names: whether one ends an element, its name, and whether it is all of
# the element. Of a packet each byte is looked at once, whatever is in it.
_TAG = rb"<(/?)(%s)\b[^<>]*?(/?)>"
_VALUE = rb"""\s*=\s*(?:"[^"]*"|'[^']*')"""
# A property of XMP, as an attribute or as an element: exif:GPSLatitude and the like.
_GPS = rb"[\w.-]+:gps\w*"
_GPS_ATTRIBUTE = re.compile(rb"\s" + _GPS + _VALUE, re.IGNORECASE)
_GPS_TAG = re.compile(_TAG % _GPS, re.IGNORECASE)
# Pictures and videos behind the photograph: Ultra HDR's gain map, motion photos, and the list of
# what the file holds.
_GAIN_MAP, _VIDEO = rb"(?:hdrgm|HDRGainMap|apdi):\w+", rb"(?:GCamera|Camera):Mi?(?:cro|otion)\w+"
_LIST = rb"(?:G?Container):Directory"
_COMPANION_ATTRIBUTE = re.compile(
    rb"\s(?:xmlns:(?:hdrgm|HDRGainMap)|%s|%s)" % (_GAIN_MAP, _VIDEO) + _VALUE
)
_COMPANION_TAG = re.compile(_TAG % b"|".join((_GAIN_MAP, _VIDEO, _LIST)))
_TELLS_GAIN_MAP = re.compile(rb"\bhdrgm:Version|\bHDRGainMap:|Semantic\s*=\s*[\"']GainMap")
_TELLS_VIDEO = re.compile(rb"\bG?Camera:(?:MotionPhoto|MicroVideo)\s*(?:=\s*[\"']|>)\s*1")


def without_gps(packet: bytes) -> bytes:
    """A packet without such properties; nothing of it where some might be left."""
    rest = _without_elements(_GPS_ATTRIBUTE.sub(b"", packet), _GPS_TAG)
    suspect = b"\0" in rest or b"gps" in rest.lower()  # UTF-16 and UTF-32 have zero bytes
    return b"" if suspect else rest


def companions(packet: bytes) -> list[str]:
    """What a packet says to lie beside the photograph in its file."""
    told = ((_TELLS_GAIN_MAP, "a gain map (HDR)"), (_TELLS_VIDEO, "a video (motion photo)"))
    return [name for pattern, name in told if pattern.search(packet)]


def without_companions(packet: bytes) -> bytes:
    """A packet that no longer tells of them."""
    if not companions(packet):
        return packet
    return _without_elements(_COMPANION_ATTRIBUTE.sub(b"", packet), _COMPANION_TAG)


def _without_elements(packet: bytes, tag: re.Pattern[bytes]) -> bytes:
    """A packet without the elements whose tags a pattern like `_TAG` finds; one that has no end
    stays."""
    found = list(tag.finditer(packet))
    ends: dict[bytes, list[int]] = {}
    for one in found:
        if one[1]:
            ends.setdefault(one[2], []).append(one.end())
    kept, position = [], 0
    for one in found:
        if one[1] or one.start() < position:
            continue
        end = one.end()
        if not one[3]:
            later = ends.get(one[2], [])
            place = bisect.bisect_right(later, end)
            if place == len(later):
                continue
            end = later[place]
        kept.append(packet[position : one.start()])
        position = end
    return b"".join([*kept, packet[position:]])
