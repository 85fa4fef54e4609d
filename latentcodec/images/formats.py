"""What the formats that Pillow writes can hold, and images made ready for them."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from PIL import Image, ImageColor, ImageOps

from latentcodec.errors import UnsupportedImage
from latentcodec.images import exif, extended_xmp
from latentcodec.images.image_exif import for_avif, for_tiff
from latentcodec.images.metadata_kinds import IPTC_RESOURCE, IPTC_TAG, KEYS, held_by
from latentcodec.images.modes import lossy, to_rgb

_WITH_ALPHA = (
    *("PNG", "WEBP", "AVIF", "TIFF", "HEIF", "JXL", "JPEG2000", "TGA", "ICO"),
    *("DDS", "QOI", "SGI", "IM", "LAT"),
)
_WITHOUT_GREY = ("WEBP", "AVIF")  # whose files would have the profile of a grey picture with RGB
_TURNED = ("JXL",)  # whose readers pass over the orientation in EXIF (ISO/IEC 18181-2)
_LARGEST_PX = {"ICO": 256, "WEBP": 16383, "JPEG": 65500, "MPO": 65500}  # of JPEG, libjpeg's
_XMP_TAG = 700
_SEGMENT_BYTES = 65533  # of a JPEG file, behind its length
# What stands before the contents in such a segment.
_XMP_LEAD, _PHOTOSHOP_LEAD = 29, b"Photoshop 3.0\0" + b"8BIM\x04\x04\0\0"


def made_ready(
    image: Image.Image, form: str, *, strict: bool = False, background: str | None = None
) -> Image.Image:
    """An image as a format can hold it: `info` has only what is written, which it says if that is
    less than before; pixels are turned upright where the orientation has no place.

    background: the colour, by Pillow's names, that a picture with alpha is put on where the format
    has none. Raises UnsupportedImage without it, for what is too large for the format, and
    under `strict` for what is left out.
    """
    largest = _LARGEST_PX.get(form)
    if largest and max(image.size) > largest:
        raise UnsupportedImage(f"{form} holds pictures of up to {largest} x {largest} px")
    if image.mode in ("RGBA", "LA") and form not in _WITH_ALPHA:
        image = _on_background(image, form, background)
    if form in _WITHOUT_GREY and _is_of_grey(image):
        image = _grey_as_srgb(image)
    if form == "PNG" and "text" in image.info:
        _keep_texts_of_png(image, strict)
    if form in _TURNED:
        image = _turned(image)
    block = image.info.get("exif", b"")
    left_out = [key for key in KEYS if key in image.info and not _fits(image, form, key)]
    # An orientation alone is not lost where the pixels are turned by it.
    upright = "exif" in left_out and form not in ("JPEG", "MPO")
    silent = upright and block == exif.only_orientation(block)
    said = [key for key in left_out if not (silent and key == "exif")]
    if said:
        lossy(f"{form} {_reason(form, said)}: left out", strict)
    for key in left_out:
        del image.info[key]
    if "exif" in left_out and (turned := exif.only_orientation(block)):
        image.info["exif"] = turned
        return ImageOps.exif_transpose(image) if upright else image
    return image


def _turned(image: Image.Image) -> Image.Image:
    """An image whose pixels are upright, with all else that EXIF says as it was."""
    block = image.info.get("exif", b"")
    orientation = exif.only_orientation(block)
    if not orientation:
        return image
    image.info["exif"] = orientation
    result = ImageOps.exif_transpose(image)
    result.info["exif"] = exif.upright(block)
    return result


def _reason(form: str, keys: list[str]) -> str:
    not_such = [KEYS[key].words for key in keys if key in held_by(form)]
    no_place = [KEYS[key].words for key in keys if key not in held_by(form)]
    why = "cannot hold so much" if form in ("JPEG", "MPO") else "cannot hold this"
    reasons = ((why, not_such), ("has no place for", no_place))
    return " and ".join(f"{why} {', '.join(names)}" for why, names in reasons if names)


def _fits(image: Image.Image, form: str, key: str) -> bool:
    if key not in held_by(form):
        return False
    value = image.info[key]
    if form in ("JPEG", "MPO"):
        if key == "photoshop":
            return len(_photoshop_block(value)) <= _SEGMENT_BYTES
        return key not in ("exif", "comment") or len(value) <= _SEGMENT_BYTES
    return _is_written(image.mode, form, key, value)


def _is_written(mode: str, form: str, key: str, value: Any) -> bool:
    """Whether Pillow's writer takes this, with a tiny picture: it would refuse a large one, too."""
    tiny = Image.new(mode, (16, 16))
    tiny.info[key] = value
    try:
        tiny.save(io.BytesIO(), form, **save_options(tiny, form))
    except MemoryError:
        raise
    except Exception:  # Pillow raises nearly anything on a broken block
        return False
    return True


def _keep_texts_of_png(image: Image.Image, strict: bool) -> None:
    """Leave out texts whose names PNG does not allow, of 1 to 79 characters of Latin-1."""
    texts = image.info["text"]
    kept = {
        name: text
        for name, text in texts.items()
        if 0 < len(name) < 80 and name.isprintable() and all(ord(one) < 256 for one in name)
    }
    if len(kept) < len(texts):
        lossy("PNG allows no such names of texts: left out", strict)
        image.info["text"] = kept


def _on_background(image: Image.Image, form: str, colour: str | None) -> Image.Image:
    if colour is None:
        raise UnsupportedImage(f"{form} has no transparency: choose a background, such as white")
    stays_grey = image.mode == "LA" and len(set(ImageColor.getrgb(colour)[:3])) == 1
    if _is_of_grey(image) and not stays_grey:
        image = _grey_as_srgb(image)
    below = Image.new("RGBA", image.size, ImageColor.getrgb(colour))
    below.alpha_composite(image.convert("RGBA"))
    result = below.getchannel("R") if stays_grey else below.convert("RGB")
    result.info = image.info
    return result


def _is_of_grey(image: Image.Image) -> bool:
    """Whether there is a profile, and it is of grey samples."""
    return image.info.get("icc_profile", b"")[16:20] == b"GRAY"


def _grey_as_srgb(image: Image.Image) -> Image.Image:
    """A picture of mode L or LA, with a profile, as RGB or RGBA without one."""
    result = to_rgb(image.convert("L"))
    if image.mode == "LA":
        result.putalpha(image.getchannel("A"))
    result.info = {key: value for key, value in image.info.items() if key != "icc_profile"}
    return result


def check_colour(name: str) -> str:
    """`name`. Raises ValueError where it is no colour to Pillow."""
    if not isinstance(name, str):
        raise ValueError(f"a colour is a name such as white or #ff8000, not {name!r}")
    ImageColor.getrgb(name)
    return name


def save_options(image: Image.Image, form: str) -> dict[str, Any]:
    """Keyword arguments that make Pillow's writer of a format write what `info` holds."""
    info = {key: image.info[key] for key in held_by(form) if key in image.info}
    if form == "ICO":  # otherwise in the sizes of icons, instead of its own
        info["sizes"] = [image.size]
    return _OPTIONS.get(form, lambda info: info)(info)


def _photoshop_block(blocks: dict[int, bytes]) -> bytes:
    data = blocks.get(IPTC_RESOURCE, b"")
    return _PHOTOSHOP_LEAD + len(data).to_bytes(4, "big") + data + bytes(len(data) % 2)


def _segment(marker: bytes, body: bytes) -> bytes:
    return marker + (len(body) + 2).to_bytes(2, "big") + body


def _for_jpeg(info: dict[str, Any]) -> dict[str, Any]:
    blocks = info.pop("photoshop", None)
    extra = _segment(b"\xff\xed", _photoshop_block(blocks)) if blocks else b""
    if len(info.get("xmp", b"")) + _XMP_LEAD > _SEGMENT_BYTES:
        info["xmp"], pieces = extended_xmp.split(info["xmp"])
        extra += b"".join(_segment(b"\xff\xe1", piece) for piece in pieces)
    return info | ({"extra": extra} if extra else {})


def _for_png(info: dict[str, Any]) -> dict[str, Any]:
    from PIL.PngImagePlugin import PngInfo

    texts = dict(info.pop("text", {}))
    if "comment" in info:
        texts["Comment"] = info.pop("comment").decode(errors="replace")
    if not texts and "xmp" not in info:
        return info
    chunks = PngInfo()
    if "xmp" in info:  # this writer, alone, takes it as a text chunk
        chunks.add_itxt("XML:com.adobe.xmp", info["xmp"])
    for key, value in texts.items():
        chunks.add_itxt(key, value)
    return info | {"pnginfo": chunks}


def _for_tiff(info: dict[str, Any]) -> dict[str, Any]:
    tags = for_tiff(info.pop("exif")) if "exif" in info else Image.Exif()
    if "xmp" in info:
        tags[_XMP_TAG] = info.pop("xmp")
    if "photoshop" in info:
        tags[IPTC_TAG] = info.pop("photoshop")[IPTC_RESOURCE]
    return info | ({"exif": tags} if len(tags) else {})


def _for_avif(info: dict[str, Any]) -> dict[str, Any]:
    return info | ({"exif": for_avif(info["exif"])} if "exif" in info else {})


_OPTIONS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "AVIF": _for_avif,
    "JPEG": _for_jpeg,
    "MPO": _for_jpeg,
    "PNG": _for_png,
    "TIFF": _for_tiff,
}
