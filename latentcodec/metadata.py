"""EXIF, ICC and XMP: taken from Pillow images, put back into them, handed to savers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from latentcodec.container import ChunkType

if TYPE_CHECKING:
    from PIL import Image

# In a TIFF file the directory also describes strips, the profile and so on: only these of its
# tags are about the photograph (description, camera, orientation, resolution, software, date,
# artist, copyright, and the EXIF and GPS directories).
_TIFF_TAGS = (270, 271, 272, 274, 282, 283, 296, 305, 306, 315, 33432, 34665, 34853)

_INFO_KEYS = {ChunkType.ICC: "icc_profile", ChunkType.EXIF: "exif", ChunkType.XMP: "xmp"}


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
