"""The kinds of metadata, a row each: what it is called, where Pillow keeps it, who writes it.

A new kind is a chunk type in `format/header.py` and a row here.
"""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Literal, get_args

from latentcodec.format.container import MAX_METADATA_BYTES, ChunkType
from latentcodec.images import extended_xmp, xmp

if TYPE_CHECKING:
    from PIL import Image

# What can be left out by name. `gps` is where a photograph was taken, in EXIF and in XMP,
# `thumbnail` the small picture in EXIF.
MetadataName = Literal[
    "icc", "exif", "xmp", "iptc", "resolution", "text", "gps", "thumbnail", "all"
]


def check_names(names: Iterable[str]) -> list[MetadataName]:
    """`names`, of which a single string is one. Raises ValueError for what is no metadata."""
    known: dict[str, MetadataName] = {name: name for name in get_args(MetadataName)}
    checked = []
    if not isinstance(names, Iterable):
        raise ValueError(f"metadata is left out by its names, not by {names!r}")
    for name in [names] if isinstance(names, str) else names:
        if not (isinstance(name, str) and name in known):
            raise ValueError(f"there is no metadata {name!r}; known are {', '.join(known)}")
        checked.append(known[name])
    return checked


IPTC_RESOURCE, IPTC_TAG = 0x0404, 33723  # of Photoshop's blocks in JPEG, of TIFF
COMMENT = "Comment"  # PNG's keyword for what other formats have but one of
# PNG's texts that are other metadata.
OTHER_TEXTS = ("XML:com.adobe.xmp", "Raw profile type exif", "Raw profile type xmp")
_USUAL_DPI = 72  # which readers give where a file has none


@dataclasses.dataclass(frozen=True)
class InfoKey:
    """An entry of Pillow's `info`: in words, and the formats whose writer puts it into files."""

    name: str
    words: str
    formats: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Kind:
    """One kind of metadata, which stands in a chunk of its own.

    taken: the payload that an image has, if any. info: the entries of `info` that a payload makes.
    """

    chunk: ChunkType
    keys: tuple[InfoKey, ...]
    taken: Callable[[Image.Image], bytes | str | None]
    info: Callable[[bytes], dict[str, Any]]


def _exif_of(image: Image.Image) -> bytes | None:
    from latentcodec.images.image_exif import exif_of

    return exif_of(image)


def _profile_of(image: Image.Image) -> bytes | None:
    """Its own, or what says the same of the colours as other entries of `info`."""
    if profile := image.info.get("icc_profile"):
        return profile
    from latentcodec.images.colour_space import colour_space_of

    space = colour_space_of(image)
    return space.profile if space else None


def _xmp_of(image: Image.Image) -> bytes | None:
    packet = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp")
    if not packet:
        return None
    whole = as_bytes(packet)
    return xmp.without_companions(extended_xmp.joined(whole, jpeg_segments(image)) or whole)


def jpeg_segments(image: Image.Image) -> list[bytes]:
    """The segments of a JPEG file that belong to programs, without their markers and lengths."""
    return [data for _, data in getattr(image, "applist", ())]


def as_bytes(value: str | bytes) -> bytes:
    """Text in UTF-8."""
    return value.encode() if isinstance(value, str) else bytes(value)


def _iptc_of(image: Image.Image) -> bytes | None:
    blocks = image.info.get("photoshop")
    if isinstance(blocks, dict):
        return blocks.get(IPTC_RESOURCE)
    value = getattr(image, "tag_v2", {}).get(IPTC_TAG)
    if isinstance(value, tuple):  # of numbers, where the writer said so
        return b"".join(int(word).to_bytes(4, "little") for word in value)
    return value if isinstance(value, bytes) else None


def _resolution_of(image: Image.Image) -> bytes | None:
    """Hundredths of pixels per inch, across and down: two uint32, little-endian."""
    try:
        across, down = (round(100 * float(one)) for one in image.info["dpi"])
    except (KeyError, TypeError, ValueError, OverflowError, ZeroDivisionError):
        return None
    usual = across == down == 100 * _USUAL_DPI
    if usual or min(across, down) < 1 or max(across, down) >= 1 << 32:
        return None
    return across.to_bytes(4, "little") + down.to_bytes(4, "little")


def _dpi_in(payload: bytes) -> dict[str, Any]:
    numbers = payload[:4], payload[4:8]
    return {"dpi": tuple(int.from_bytes(one, "little") / 100 for one in numbers)}


def _texts_of(image: Image.Image) -> Iterator[tuple[str, str]]:
    """Keywords and texts, as PNG has them; the comment of other formats."""
    texts = image.info.get("text")
    if isinstance(texts, dict):
        yield from texts.items()
    elif image.format == "PNG":
        for key, value in image.info.items():
            if isinstance(key, str) and isinstance(value, str) and key not in OTHER_TEXTS:
                yield key, value
    comment = image.info.get("comment")
    if isinstance(comment, bytes):
        comment = _decoded(comment)
    if isinstance(comment, str) and comment:
        yield COMMENT, comment


def _decoded(text: bytes) -> str:
    """Text whose encoding is not said."""
    try:
        return text.decode().rstrip("\0")
    except UnicodeDecodeError:
        return text.decode("latin-1").rstrip("\0")


def _fitting_texts(image: Image.Image) -> tuple[list[tuple[str, str]], list[str]]:
    """The texts that a reader will inflate, and the keywords of those that are too long for it."""
    kept, left_out, room = [], [], MAX_METADATA_BYTES
    for key, text in _texts_of(image):
        size = len(_plain([(key, text)]))
        if size > room:
            left_out.append(key)
            continue
        kept.append((key, text))
        room -= size
    return kept, left_out


def texts_left_out(image: Image.Image) -> list[str]:
    """The texts of an image that a file has no room for, in words."""
    return [f"the text {key}, which is too long" for key in _fitting_texts(image)[1]]


def _plain(texts: Iterable[tuple[str, str]]) -> bytes:
    """Keywords and texts, a zero byte behind each."""
    pairs = [(key.replace("\0", ""), text.replace("\0", "")) for key, text in texts]
    return "".join(f"{key}\0{text}\0" for key, text in pairs).encode(errors="replace")


def _packed(texts: Iterable[tuple[str, str]]) -> bytes:
    """A zlib stream of keywords and texts; nothing of none."""
    plain = _plain(texts)
    return zlib.compress(plain, 9) if plain else b""


def texts_in(payload: bytes) -> dict[str, str]:
    """Keywords and texts of a TEXT chunk; what is no such thing is left out."""
    try:
        plain = zlib.decompressobj().decompress(payload, MAX_METADATA_BYTES)
    except zlib.error:
        return {}
    parts = plain.decode(errors="replace").split("\0")
    return dict(zip(parts[:-1:2], parts[1:-1:2], strict=False))


def _info_of_texts(payload: bytes) -> dict[str, Any]:
    """As `text`, and the comment by itself."""
    texts = texts_in(payload)
    comment = {"comment": texts.pop(COMMENT).encode()} if COMMENT in texts else {}
    return comment | ({"text": texts} if texts else {})


_JPEG = ("JPEG", "MPO")
_MODERN = ("WEBP", "AVIF", "HEIF")

KINDS = (
    Kind(
        ChunkType.EXIF,
        (InfoKey("exif", "EXIF", (*_JPEG, "PNG", "TIFF", *_MODERN, "JXL")),),
        _exif_of,
        lambda payload: {"exif": payload},
    ),
    Kind(
        ChunkType.ICC,
        (InfoKey("icc_profile", "ICC profile", (*_JPEG, "PNG", "TIFF", *_MODERN, "JXL")),),
        _profile_of,
        lambda payload: {"icc_profile": payload},
    ),
    Kind(
        ChunkType.XMP,
        (InfoKey("xmp", "XMP", (*_JPEG, "PNG", "TIFF", *_MODERN, "JXL")),),
        _xmp_of,
        lambda payload: {"xmp": payload},
    ),
    Kind(
        ChunkType.IPTC,
        (InfoKey("photoshop", "IPTC data", (*_JPEG, "TIFF")),),
        _iptc_of,
        lambda payload: {"photoshop": {IPTC_RESOURCE: payload}},
    ),
    Kind(
        ChunkType.RESOLUTION,
        (InfoKey("dpi", "resolution", (*_JPEG, "PNG", "TIFF", "BMP", "DIB")),),
        _resolution_of,
        _dpi_in,
    ),
    Kind(
        ChunkType.TEXT,
        (
            InfoKey("text", "text", ("PNG",)),
            InfoKey("comment", "comment", (*_JPEG, "PNG", "GIF", "JPEG2000")),
        ),
        lambda image: _packed(_fitting_texts(image)[0]),
        _info_of_texts,
    ),
)
KEYS = {key.name: key for kind in KINDS for key in kind.keys}


def held_by(form: str) -> list[str]:
    """The entries of `info` that Pillow's writer of a format puts into its files."""
    return [name for name, key in KEYS.items() if form in key.formats]
