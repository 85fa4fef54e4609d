"""Pillow's many modes become the four that a file can hold: RGB or grey, with alpha or without.

What is lost on the way is said by a LossWarning, or refused where the caller is strict.
"""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from latentcodec.errors import UnsupportedImage, warn_of_loss
from latentcodec.format.container import Colour

# Modes that hold nothing that the four do not.
_KEPT = {
    "RGB": "RGB",
    "RGBX": "RGB",
    "RGBA": "RGBA",
    "RGBa": "RGBA",
    "P": "RGB",
    "PA": "RGBA",
    "L": "L",
    "LA": "LA",
    "1": "L",
}
# Modes whose colours change, so that their profile no longer describes them.
CONVERTED_MODES = ("CMYK", "YCbCr", "LAB", "HSV")
# Formats whose samples of 16 bits Pillow reads as 32, and pictures that a program has made.
_SIXTEEN_BITS_IN_I = (None, "PNG", "PPM")
_THIRTY_TWO_BITS = "the image has 32 bits per channel; convert it to 8 bits"
_STRIP_PX = 256


def lossy(message: str, strict: bool) -> None:
    """Warn that something is lost, or refuse: raises UnsupportedImage under `strict`."""
    if strict:
        raise UnsupportedImage(f"something would be lost: {message}")
    warn_of_loss(message)


def storable(image: Image.Image, strict: bool) -> tuple[Image.Image, Colour]:
    """`image` in one of the modes RGB, RGBA, L and LA, and the colour mode to store it in.

    Alpha counts only where something is transparent: an RGBA image may be of colour RGB. What is
    in such a mode is not copied. Raises UnsupportedImage for modes without a meaning as a
    photograph, and under `strict` for those that lose something.
    """
    if image.mode in _KEPT:
        return _without_needless_alpha(image)
    if image.mode == "I" and image.format not in _SIXTEEN_BITS_IN_I:
        raise UnsupportedImage(_THIRTY_TWO_BITS)
    if image.mode in ("I", "I;16", "I;16L", "I;16B", "I;16N"):
        lossy("the image has 16 bits per channel; 8 are kept", strict)
        return _eight_bits(image)
    if image.mode in CONVERTED_MODES:
        lossy(f"the image is in {image.mode}; it is stored as RGB", strict)
        return to_rgb(image), Colour.RGB
    if image.mode == "La":
        return _without_needless_alpha(image.convert("LA"))
    raise UnsupportedImage(
        f"images of mode {image.mode} cannot be encoded: convert them to 8-bit RGB or grey"
    )


def _without_needless_alpha(image: Image.Image) -> tuple[Image.Image, Colour]:
    grey = _KEPT[image.mode] in ("L", "LA")
    plain, mode = (Colour.GREY, "L") if grey else (Colour.RGB, "RGB")
    if image.has_transparency_data:
        full = image
        if image.mode not in ("RGBA", "LA"):
            full = image.convert("RGBA")  # which knows of transparent colours and palettes
        if full.getchannel("A").getextrema() != (255, 255):
            if grey:
                return _grey_with_alpha(full), Colour.GREY_ALPHA
            return full, Colour.RGB_ALPHA
        if full is image or not grey:  # straight from a palette, Pillow would warn of the alpha
            return full, plain
    return image if image.mode == mode else image.convert(mode), plain


def _grey_with_alpha(image: Image.Image) -> Image.Image:
    """RGBA of equal channels as LA; Pillow's own conversion would round them anew."""
    if image.mode == "LA":
        return image
    return Image.merge("LA", (image.getchannel("R"), image.getchannel("A")))


def _eight_bits(image: Image.Image) -> tuple[Image.Image, Colour]:
    """Samples of 0..65535 as mode L, or LA where one of them is to be transparent and occurs;
    larger ones have no such meaning."""
    clear, result = image.info.get("transparency"), Image.new("L", image.size)
    alpha = Image.new("L", image.size, 255) if isinstance(clear, int) else None
    for top in range(0, image.height, _STRIP_PX):
        height = min(_STRIP_PX, image.height - top)
        samples = np.asarray(rectangle_of(image, 0, top, image.width, height)).astype(np.int64)
        if samples.min() < 0 or samples.max() > 65535:
            raise UnsupportedImage(_THIRTY_TWO_BITS)
        eight = ((samples * 255 + 32767) // 65535).astype(np.uint8)
        result.paste(Image.fromarray(eight), (0, top))
        if alpha:
            shown = np.where(samples == clear, 0, 255).astype(np.uint8)
            alpha.paste(Image.fromarray(shown), (0, top))
    if alpha is None or alpha.getextrema() == (255, 255):
        return result, Colour.GREY
    return Image.merge("LA", (result, alpha)), Colour.GREY_ALPHA


def rectangle_of(image: Image.Image, left: int, top: int, width: int, height: int) -> Image.Image:
    """A copy of the pixels of a rectangle, or the image itself where that is all of it.

    Pillow's `crop` would hold the rectangle against MAX_IMAGE_PIXELS, which is about files.
    """
    if (left, top, width, height) == (0, 0, *image.size):
        return image
    part = Image.new(image.mode, (width, height))
    part.paste(image, (-left, -top))
    return part


def to_rgb(image: Image.Image) -> Image.Image:
    """By its ICC profile into sRGB if it has one that works, or else by Pillow's formulas."""
    profile = image.info.get("icc_profile")
    if image.mode != "LAB" and not profile:
        return image.convert("RGB")
    from PIL import ImageCms  # few pictures need it, and it takes its time

    try:
        source = ImageCms.ImageCmsProfile(
            ImageCms.createProfile("LAB") if image.mode == "LAB" else io.BytesIO(profile or b"")
        )
        result = ImageCms.profileToProfile(
            image, source, ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
    except (ImageCms.PyCMSError, OSError):  # of another colour space, or damaged
        return image.convert("RGB")
    assert result is not None  # not in place
    return result
