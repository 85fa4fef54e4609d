"""Pictures in and out: what Pillow reads becomes uint8 RGB, and back."""

from __future__ import annotations

import dataclasses
import io
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from latentcodec.container import ChunkType, Colour
from latentcodec.errors import UnsupportedImage
from latentcodec.metadata import attach, collect, save_options

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.ImageFile import ImageFile

# Pillow's raw modes of 16 bits per channel, in any byte order, of which it may load only 8.
_DEEP = re.compile(r";16[BLN]")
_FRAME_MS = 120
_QUALITY = 95  # of written files; formats without losses ignore it
_COLOUR_OF_MODE = {
    **dict.fromkeys(("RGB", "RGBA", "RGBa", "RGBX", "P", "PA"), Colour.RGB),
    **dict.fromkeys(("L", "LA", "1"), Colour.GREY),
}


@dataclasses.dataclass(frozen=True)
class Picture:
    """Pixels uint8 [H, W, 3] (grey ones repeated), their colour mode, and metadata chunks."""

    pixels: NDArray[np.uint8]
    colour: Colour
    metadata: dict[ChunkType, bytes]


def open_image(path: Path) -> Image.Image:
    """Open and fully read an image file.

    Raises UnsupportedImage for anything that Pillow cannot read or reads only in part, and
    OSError where the file itself cannot be read.
    """
    try:
        with Image.open(path) as image:
            _refuse_reduced(image)
            image.load()
            return image
    except (UnsupportedImage, MemoryError):
        raise
    except UnidentifiedImageError:
        raise UnsupportedImage(f"{path} is not an image that Pillow can read") from None
    except Image.DecompressionBombError as error:
        raise UnsupportedImage(f"{path} is too large: {error}") from None
    except Exception as error:  # Pillow's plugins raise nearly anything on a broken file
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise UnsupportedImage(f"{path} is a damaged image: {error}") from None


def _refuse_reduced(image: ImageFile) -> None:
    """Raise UnsupportedImage where Pillow would load less than the opened file holds."""
    # The further pictures of an MPO file are previews and depth maps of the first.
    if image.format != "MPO" and getattr(image, "is_animated", False):
        raise UnsupportedImage("the image has several frames or pages; a .lat file holds one")
    if any(_DEEP.search(str(tile[3])) for tile in image.tile):
        raise UnsupportedImage("the image has 16 bits per channel; convert it to 8 bits")


def picture_of(image: Image.Image | NDArray[np.uint8]) -> Picture:
    """The picture to encode from a Pillow image or a uint8 array [H, W, 3] or [H, W].

    Of an animated image that is the current frame, as in Pillow's own `save`. Raises
    UnsupportedImage for modes whose content would be lost.
    """
    if isinstance(image, np.ndarray):
        return _picture_of_array(image)
    if image.width == 0 or image.height == 0:
        raise UnsupportedImage("the image has no pixels")
    if image.mode not in _COLOUR_OF_MODE:
        raise UnsupportedImage(
            f"images of mode {image.mode} cannot be encoded: convert them to 8-bit RGB or grey"
        )
    source = image
    if image.has_transparency_data:
        source = image.convert("RGBA")
        if np.asarray(source.getchannel("A")).min() < 255:
            raise UnsupportedImage("the image has transparency, which .lat files do not hold yet")
    pixels = np.array(source.convert("RGB"))
    return Picture(pixels, _COLOUR_OF_MODE[image.mode], collect(image))


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


def writable_format(path: Path) -> str | None:
    """Pillow's name of the format that `path` has by its extension, if Pillow writes it."""
    form = Image.registered_extensions().get(path.suffix.lower())
    return form if form in Image.SAVE else None


def file_bytes(image: Image.Image, form: str, **options: Any) -> bytes:
    """An image as a file of a format, with its metadata. Raises UnsupportedImage.

    Lossy formats are written at quality 95, as djxl does; `options` go to Pillow's `save`.
    """
    buffer = io.BytesIO()
    try:
        image.save(buffer, format=form, quality=_QUALITY, **save_options(image), **options)
    except MemoryError:
        raise
    except Exception as error:  # Pillow's writers raise nearly anything they cannot hold
        raise UnsupportedImage(f"Pillow cannot write this image as {form}: {error}") from error
    return buffer.getvalue()


def frames_bytes(frames: list[NDArray[np.uint8]], form: str) -> bytes:
    """Pixels [H, W, 3] as a file of a format; several frames make an endless animation."""
    images = [Image.fromarray(pixels) for pixels in frames]
    if len(images) == 1:
        return file_bytes(images[0], form)
    return file_bytes(
        images[0], form, save_all=True, append_images=images[1:], duration=_FRAME_MS, loop=0
    )


def fitted(image: Image.Image, width: int, height: int) -> Image.Image:
    """`image` scaled and cropped around its middle to a size."""
    return ImageOps.fit(image, (width, height))


def psnr_db(image: Image.Image, data: bytes) -> float:
    """PSNR over all RGB samples of the picture in a `.lat` file against what went in."""
    from latentcodec.codec import decode_picture

    difference = decode_picture(data).pixels.astype(np.float64) - picture_of(image).pixels
    mse = float(np.square(difference).mean())
    return 10 * math.log10(255**2 / mse) if mse else math.inf
