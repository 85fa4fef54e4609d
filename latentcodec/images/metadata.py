"""Metadata of pictures: taken from Pillow images as chunks, left out by name, put back."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from latentcodec.format.container import MAX_METADATA_BYTES, ChunkType
from latentcodec.images import exif, xmp
from latentcodec.images.image_exif import exif_of
from latentcodec.images.metadata_names import MetadataName, check_names

if TYPE_CHECKING:
    from PIL import Image

IPTC_RESOURCE, IPTC_TAG = 0x0404, 33723  # of Photoshop's blocks in JPEG, of TIFF
COMMENT = "Comment"  # PNG's keyword for what other formats have but one of
# PNG's texts that are other metadata.
_OTHER_TEXTS = ("XML:com.adobe.xmp", "Raw profile type exif", "Raw profile type xmp")
# Where metadata stand in `info`, whoever has read them.
_INFO_KEYS = (
    *("icc_profile", "exif", "xmp", "photoshop", "dpi", "text", "comment"),
    *_OTHER_TEXTS,
)
_USUAL_DPI = 72  # which readers give where a file has none


def collect(image: Image.Image) -> dict[ChunkType, bytes]:
    """The metadata of an image, as chunk payloads: what `info` holds, and of TIFF the tags."""
    packet = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp")
    found = {
        ChunkType.ICC: image.info.get("icc_profile"),
        ChunkType.EXIF: exif_of(image),
        ChunkType.XMP: xmp.without_companions(_as_bytes(packet)) if packet else None,
        ChunkType.IPTC: _iptc_of(image),
        ChunkType.RESOLUTION: _resolution_of(image),
        ChunkType.TEXT: _packed(_texts_of(image)),
    }
    return {kind: _as_bytes(value) for kind, value in found.items() if value}


def _as_bytes(value: str | bytes) -> bytes:
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


def _texts_of(image: Image.Image) -> Iterator[tuple[str, str]]:
    """Keywords and texts, as PNG has them; the comment of other formats."""
    texts = image.info.get("text")
    if isinstance(texts, dict):
        yield from texts.items()
    elif image.format == "PNG":
        for key, value in image.info.items():
            if isinstance(key, str) and isinstance(value, str) and key not in _OTHER_TEXTS:
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


def _packed(texts: Iterable[tuple[str, str]]) -> bytes:
    """A zlib stream of keywords and texts, a zero byte behind each; nothing of none."""
    pairs = [(key.replace("\0", ""), text.replace("\0", "")) for key, text in texts]
    plain = "".join(f"{key}\0{text}\0" for key, text in pairs).encode(errors="replace")
    return zlib.compress(plain, 9) if plain else b""


def texts_in(payload: bytes) -> dict[str, str]:
    """Keywords and texts of a TEXT chunk; what is no such thing is left out."""
    try:
        plain = zlib.decompressobj().decompress(payload, MAX_METADATA_BYTES)
    except zlib.error:
        return {}
    parts = plain.decode(errors="replace").split("\0")
    return dict(zip(parts[:-1:2], parts[1:-1:2], strict=False))


def stripped(
    metadata: dict[ChunkType, bytes], names: Collection[MetadataName]
) -> dict[ChunkType, bytes]:
    """Chunk payloads without what is named. Raises ValueError for a name that is not known.

    Of EXIF the orientation stays, or else the picture would lie on its side.
    """
    names = check_names(names)
    kept = {
        kind: payload
        for kind, payload in metadata.items()
        if kind is ChunkType.EXIF or not {kind.name.lower(), "all"} & set(names)
    }
    block, packet = kept.pop(ChunkType.EXIF, b""), kept.pop(ChunkType.XMP, b"")
    if "exif" in names or "all" in names:
        block = exif.only_orientation(block)
    elif block:
        block = _edited(block, names)
    if "gps" in names:
        packet = xmp.without_gps(packet)
    kept |= {ChunkType.EXIF: block, ChunkType.XMP: packet}
    return {kind: payload for kind, payload in kept.items() if payload}


def _edited(block: bytes, names: Collection[MetadataName]) -> bytes:
    """EXIF without what is named; nothing of a block that cannot be read."""
    try:
        if "gps" in names:
            block = exif.without(block, [(exif.MAIN, exif.GPS_DIRECTORY)])
        if "thumbnail" in names:
            block = exif.without_thumbnail(block)
        return block if not names or exif.has_entries(block) else b""
    except ValueError:
        return block if not {"gps", "thumbnail"} & set(names) else b""


def attach(image: Image.Image, metadata: dict[ChunkType, bytes]) -> None:
    """Put chunk payloads where Pillow keeps them: `image.info`."""
    for kind, payload in metadata.items():
        image.info.update(_info_of(kind, payload))


def _info_of(kind: ChunkType, payload: bytes) -> dict[str, Any]:
    """Entries of `info`. texts: as `text`, and the comment by itself."""
    if kind is ChunkType.IPTC:
        return {"photoshop": {IPTC_RESOURCE: payload}}
    if kind is ChunkType.RESOLUTION:
        numbers = payload[:4], payload[4:8]
        return {"dpi": tuple(int.from_bytes(one, "little") / 100 for one in numbers)}
    if kind is ChunkType.TEXT:
        texts = texts_in(payload)
        comment = {"comment": texts.pop(COMMENT).encode()} if COMMENT in texts else {}
        return comment | ({"text": texts} if texts else {})
    return {{ChunkType.ICC: "icc_profile", ChunkType.EXIF: "exif"}.get(kind, "xmp"): payload}


def strip_image(image: Image.Image, names: Collection[MetadataName]) -> None:
    """Leave out metadata of a decoded image, as `stripped` does."""
    if names:
        kept = stripped(collect(image), names)
        forget(image)
        attach(image, kept)


def forget(image: Image.Image) -> None:
    """Take all metadata out of `image.info`."""
    for key in _INFO_KEYS:
        image.info.pop(key, None)
