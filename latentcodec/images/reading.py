"""Pillow's images loaded, and what it will not load of them said or refused."""

from __future__ import annotations

import re

from PIL import Image

from latentcodec.errors import LatError, UnsupportedImage
from latentcodec.images.bit_depth import bits_of
from latentcodec.images.jxl_boxes import note_boxes
from latentcodec.images.jxl_header import header_of
from latentcodec.images.losses import note_cicp
from latentcodec.images.modes import lossy

# Pillow's raw modes of PNG's grey samples of less than 8 bits, and the largest of each.
_SHORT_GREY = {"L;2": 3, "L;4": 15}
# How Pillow says that a file is whole but of a kind that it cannot read.
_NOT_KNOWN = re.compile(
    "unsupported|unrecogni[sz]ed|unknown|not supported|not implemented|not available|cannot decode"
    "|install|more than one frame",
    re.IGNORECASE,
)
# Tags of TIFF files that are a camera's raw data: DNG's version, samples of a colour filter, and a
# first directory that is a smaller copy of what others hold.
_DNG_VERSION, _PHOTOMETRIC, _CFA = 50706, 262, 32803
_NEW_SUBFILE_TYPE, _SUB_DIRECTORIES = 254, 330


def load(image: Image.Image, strict: bool, name: str = "the image") -> None:
    """Read the pixels of an image, if they are not there yet.

    Raises UnsupportedImage for what Pillow cannot read, for raw files, of which it would read a
    preview, and under `strict` for what it reads only in part (otherwise a LossWarning); OSError
    where the file cannot be read.
    """
    if image._im is not None and not getattr(image, "tile", None):  # loaded already, or made
        return
    try:
        _refuse_raw(image)
        _note_reduced(image, strict)
        _scale_transparency(image)
        note_cicp(image)
        note_boxes(image)
        image.load()
    except (LatError, MemoryError):
        raise
    except Exception as error:  # Pillow's plugins raise nearly anything on a broken file
        raise described(error, name) from error


def described(error: Exception, name: str) -> Exception:
    """What Pillow's plugins raise on a file, as an error of this package; the system's as it is."""
    if isinstance(error, OSError) and error.errno is not None:
        return error
    if isinstance(error, Image.DecompressionBombError):
        return UnsupportedImage(f"{name} is too large: {error}")
    if _NOT_KNOWN.search(str(error)) or isinstance(error, NotImplementedError):
        return UnsupportedImage(f"{name} cannot be read: {error}")
    return UnsupportedImage(f"{name} is a damaged image: {error}")


def _refuse_raw(image: Image.Image) -> None:
    tags = getattr(image, "tag_v2", None)
    if tags is None:
        return
    smaller = tags.get(_NEW_SUBFILE_TYPE, 0) & 1 and _SUB_DIRECTORIES in tags
    if _DNG_VERSION in tags or tags.get(_PHOTOMETRIC) == _CFA or smaller:
        kind = "DNG" if _DNG_VERSION in tags else "TIFF"
        raise UnsupportedImage(
            f"the image is a camera's raw file ({kind}), of which only a preview could be read: "
            "develop it first"
        )


def _scale_transparency(image: Image.Image) -> None:
    """Let the transparent colour of a PNG (tRNS) be one of the samples that Pillow makes of its.

    It is given as the file has it, of 2, 4 or 16 bits, and Pillow's conversion finds it nowhere.
    """
    colour = image.info.get("transparency")
    tiles = getattr(image, "tile", ()) if image.format == "PNG" else ()
    raw = str(tiles[0][3]) if tiles else ""
    if raw in _SHORT_GREY and isinstance(colour, int):
        image.info["transparency"] = colour * 255 // _SHORT_GREY[raw]
    elif raw == "RGB;16B" and isinstance(colour, tuple):
        image.info["transparency"] = tuple(sample >> 8 for sample in colour)


def _note_reduced(image: Image.Image, strict: bool) -> None:
    """Say where Pillow will load less than the opened file holds."""
    # The further pictures of an MPO file are previews and depth maps of the first; and who has gone
    # to another frame knows that there are several.
    first = getattr(image, "is_animated", False) and image.tell() == 0
    if first and image.format != "MPO":
        lossy("the image has several frames or pages; the first one is kept", strict)
    if header_of(image).is_animated:  # Pillow's plugin writes each over the one before
        lossy("the image has several frames; the last one is kept", strict)
    bits = bits_of(image)
    # Modes of integers still have all bits, and are noted later; floats are refused.
    if bits > 8 and not image.mode.startswith(("I", "F")):
        lossy(f"the image has {bits} bits per channel; 8 are kept", strict)
