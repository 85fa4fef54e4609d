"""Metadata of pictures: taken from Pillow images as chunks, left out by name, put back."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from latentcodec.format.container import ChunkType
from latentcodec.images import exif, xmp
from latentcodec.images.metadata_kinds import (
    KEYS,
    KINDS,
    OTHER_TEXTS,
    MetadataName,
    as_bytes,
    check_names,
)

if TYPE_CHECKING:
    from PIL import Image


def collect(image: Image.Image) -> dict[ChunkType, bytes]:
    """The metadata of an image, as chunk payloads: what `info` holds, and of TIFF the tags."""
    found = {kind.chunk: kind.taken(image) for kind in KINDS}
    return {chunk: as_bytes(value) for chunk, value in found.items() if value}


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
    for kind in KINDS:
        if kind.chunk in metadata:
            image.info.update(kind.info(metadata[kind.chunk]))


def strip_image(image: Image.Image, names: Collection[MetadataName]) -> None:
    """Leave out metadata of a decoded image, as `stripped` does."""
    if names:
        kept = stripped(collect(image), names)
        forget(image)
        attach(image, kept)


def forget(image: Image.Image) -> None:
    """Take all metadata out of `image.info`."""
    for key in (*KEYS, *OTHER_TEXTS):
        image.info.pop(key, None)
