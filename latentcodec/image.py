"""Pictures in and out: what Pillow reads becomes uint8 RGB, and back."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from latentcodec.container import ChunkType, Colour
from latentcodec.errors import UnsupportedImage
from latentcodec.metadata import attach, collect

if TYPE_CHECKING:
    from numpy.typing import NDArray

_KEPT_MODES = {"RGB": Colour.RGB, "L": Colour.GREY, "1": Colour.GREY}


@dataclasses.dataclass(frozen=True)
class Picture:
    """Pixels uint8 [H, W, 3] (grey ones repeated), their colour mode, and metadata chunks."""

    pixels: NDArray[np.uint8]
    colour: Colour
    metadata: dict[ChunkType, bytes]


def open_image(path: Path) -> Image.Image:
    """Open and fully read an image file.

    Raises UnsupportedImage for anything that Pillow cannot read, and OSError where the file
    itself cannot be read.
    """
    try:
        with Image.open(path) as image:
            image.load()
            return image
    except UnidentifiedImageError:
        raise UnsupportedImage(f"{path} is not an image that Pillow can read") from None
    except Image.DecompressionBombError as error:
        raise UnsupportedImage(f"{path} is too large: {error}") from None
    except (SyntaxError, ValueError, EOFError) as error:
        raise UnsupportedImage(f"{path} is a damaged image: {error}") from None
    except OSError as error:
        if error.errno is None:  # Pillow's own word for a broken file
            raise UnsupportedImage(f"{path} is a damaged image: {error}") from None
        raise


def picture_of(image: Image.Image | NDArray[np.uint8]) -> Picture:
    """The picture to encode from a Pillow image or a uint8 array [H, W, 3] or [H, W].

    Raises UnsupportedImage for modes whose content would be lost.
    """
    if isinstance(image, np.ndarray):
        return _picture_of_array(image)
    if image.width == 0 or image.height == 0:
        raise UnsupportedImage("the image has no pixels")
    source = image
    if image.has_transparency_data:
        source = image.convert("RGBA")
        if np.asarray(source.getchannel("A")).min() < 255:
            raise UnsupportedImage("the image has transparency, which .lat files do not hold yet")
        source = source.convert("L" if image.mode == "LA" else "RGB")
    elif image.mode in ("P", "RGBX"):
        source = image.convert("RGB")
    if source.mode not in _KEPT_MODES:
        raise UnsupportedImage(
            f"images of mode {image.mode} cannot be encoded: convert them to 8-bit RGB or grey"
        )
    pixels = np.array(source.convert("RGB"))
    return Picture(pixels, _KEPT_MODES[source.mode], collect(image))


def _picture_of_array(array: NDArray[Any]) -> Picture:
    if array.dtype != np.uint8 or array.size == 0:
        raise UnsupportedImage("an array must hold uint8 pixels, at least one")
    if array.ndim == 2:
        return Picture(np.repeat(array[:, :, None], 3, axis=2), Colour.GREY, {})
    if array.ndim != 3 or array.shape[2] != 3:
        raise UnsupportedImage("an array must have the shape [H, W, 3] or [H, W]")
    return Picture(array, Colour.RGB, {})


def image_of(picture: Picture) -> Image.Image:
    """The Pillow image of a decoded picture, its metadata in `info`."""
    image = Image.fromarray(picture.pixels, "RGB")
    if picture.colour is Colour.GREY:
        image = image.convert("L")
    attach(image, picture.metadata)
    return image
