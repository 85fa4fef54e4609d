"""EXIF, ICC and XMP: taken from Pillow images, put back into them, handed to savers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from latentcodec.container import ChunkType

if TYPE_CHECKING:
    from PIL import Image

_INFO_KEYS = {ChunkType.ICC: "icc_profile", ChunkType.EXIF: "exif", ChunkType.XMP: "xmp"}


def collect(image: Image.Image) -> dict[ChunkType, bytes]:
    """The metadata of an image, as chunk payloads."""
    found = {
        ChunkType.ICC: image.info.get("icc_profile"),
        ChunkType.EXIF: image.getexif().tobytes() if len(image.getexif()) else None,
        ChunkType.XMP: image.info.get("xmp") or image.info.get("XML:com.adobe.xmp"),
    }
    return {
        kind: value.encode() if isinstance(value, str) else bytes(value)
        for kind, value in found.items()
        if value
    }


def attach(image: Image.Image, metadata: dict[ChunkType, bytes]) -> None:
    """Put chunk payloads where Pillow keeps them: `image.info`."""
    for kind, payload in metadata.items():
        image.info[_INFO_KEYS[kind]] = payload


def save_options(image: Image.Image) -> dict[str, Any]:
    """Keyword arguments that make `Image.save` write the metadata in `image.info`."""
    return {key: image.info[key] for key in _INFO_KEYS.values() if key in image.info}
