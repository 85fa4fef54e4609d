"""EXIF, ICC and XMP: taken from Pillow images, put back into them, handed to savers."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any, Literal, get_args

from latentcodec.format.container import ChunkType

if TYPE_CHECKING:
    from PIL import Image

# In a TIFF file the directory also describes strips, the profile and so on: only these of its
# tags are about the photograph (description, camera, orientation, resolution, software, date,
# artist, copyright, and the EXIF and GPS directories).
_TIFF_TAGS = (270, 271, 272, 274, 282, 283, 296, 305, 306, 315, 33432, 34665, 34853)

_INFO_KEYS = {ChunkType.ICC: "icc_profile", ChunkType.EXIF: "exif", ChunkType.XMP: "xmp"}

# What can be left out by name. `gps` is where a photograph was taken, in EXIF and in XMP.
MetadataName = Literal["icc", "exif", "xmp", "gps", "all"]

_ORIENTATION, _GPS_DIRECTORY = 0x112, 0x8825
# A property of XMP, as an attribute or as an element: exif:GPSLatitude and the like.
_XMP_GPS = re.compile(
    rb"""\s[\w.-]+:gps\w*\s*=\s*("[^"]*"|'[^']*')|<([\w.-]+:gps\w*)\b[^>]*(/>|>.*?</\2\s*>)""",
    re.IGNORECASE | re.DOTALL,
)


def collect(image: Image.Image) -> dict[ChunkType, bytes]:
    """The metadata of an image, as chunk payloads."""
    found = {
        ChunkType.ICC: image.info.get("icc_profile"),
        ChunkType.EXIF: _exif_of(image),
        ChunkType.XMP: image.info.get("xmp") or image.info.get("XML:com.adobe.xmp"),
    }
    return {
        kind: value.encode() if isinstance(value, str) else bytes(value)
        for kind, value in found.items()
        if value
    }


def _exif_of(image: Image.Image) -> bytes | None:
    """The EXIF data anew, without thumbnails; none where Pillow cannot make sense of it."""
    try:
        exif = image.getexif()
        if image.format == "TIFF":
            for tag in set(exif) - set(_TIFF_TAGS):
                del exif[tag]
        return exif.tobytes() if len(exif) else None
    except Exception:  # Pillow raises nearly anything on a broken directory
        return None


def check_names(names: Iterable[str]) -> list[MetadataName]:
    """`names` as they are. Raises ValueError for one that names no metadata."""
    known: dict[str, MetadataName] = {name: name for name in get_args(MetadataName)}
    checked = []
    for name in names:
        if name not in known:
            raise ValueError(f"there is no metadata {name!r}; known are {', '.join(known)}")
        checked.append(known[name])
    return checked


def stripped(
    metadata: dict[ChunkType, bytes], names: Collection[MetadataName]
) -> dict[ChunkType, bytes]:
    """Chunk payloads without what is named. Raises ValueError for a name that is not known.

    Of EXIF the orientation stays, or else the picture would lie on its side.
    """
    names = check_names(names)
    kept = dict(metadata)
    for name, kind in (("icc", ChunkType.ICC), ("xmp", ChunkType.XMP)):
        if name in names or "all" in names:
            kept.pop(kind, None)
    exif, xmp = kept.pop(ChunkType.EXIF, b""), kept.pop(ChunkType.XMP, b"")
    if exif and ("exif" in names or "all" in names):
        exif = _only_orientation(exif)
    elif exif and "gps" in names:
        exif = _exif_without_gps(exif)
    if "gps" in names:
        xmp = _xmp_without_gps(xmp)
    return kept | {
        kind: value for kind, value in ((ChunkType.EXIF, exif), (ChunkType.XMP, xmp)) if value
    }


def _only_orientation(payload: bytes) -> bytes:
    """EXIF of the orientation alone, or nothing where that is the usual one."""
    from PIL import Image

    old, new = Image.Exif(), Image.Exif()
    old.load(payload)
    turned = old.get(_ORIENTATION, 1)
    if turned not in range(2, 9):
        return b""
    new[_ORIENTATION] = turned
    return new.tobytes()


def _exif_without_gps(payload: bytes) -> bytes:
    from PIL import Image

    exif = Image.Exif()
    exif.load(payload)
    if _GPS_DIRECTORY not in exif:
        return payload
    del exif[_GPS_DIRECTORY]
    return exif.tobytes() if len(exif) else b""


def _xmp_without_gps(payload: bytes) -> bytes:
    """XMP without such properties; nothing of it where some might be left."""
    rest = _XMP_GPS.sub(b"", payload)
    suspect = b"\0" in rest or b"gps" in rest.lower()  # UTF-16 and UTF-32 have zero bytes
    return b"" if suspect else rest


def attach(image: Image.Image, metadata: dict[ChunkType, bytes]) -> None:
    """Put chunk payloads where Pillow keeps them: `image.info`."""
    for kind, payload in metadata.items():
        image.info[_INFO_KEYS[kind]] = payload


def save_options(image: Image.Image) -> dict[str, Any]:
    """Keyword arguments that make `Image.save` write the metadata in `image.info`."""
    from PIL.PngImagePlugin import PngInfo

    options = {key: image.info[key] for key in _INFO_KEYS.values() if key in image.info}
    if "xmp" in options:  # the PNG writer, alone, takes it as a text chunk
        options["pnginfo"] = PngInfo()
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", options["xmp"])
    return options
