"""Pictures in and out: what Pillow reads becomes uint8 RGB, and back."""

from __future__ import annotations

import dataclasses
import io
import re
from collections.abc import Collection
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from latentcodec.container import ChunkType, Colour
from latentcodec.errors import UnsupportedImage
from latentcodec.metadata import MetadataName, attach, collect, save_options, stripped
from latentcodec.modes import CONVERTED_MODES, lossy, storable
from latentcodec.tensors import is_tensor, pixels_of_tensor

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.ImageFile import ImageFile
    from torch import Tensor

# Pillow's raw modes of 16 bits per channel, in any byte order, of which it may load only 8.
_DEEP = re.compile(r";16[BLN]")
# Formats that Pillow opens but cannot load by itself, and what is encoded already.
_NO_PIXELS = ("BUFR", "GRIB", "HDF5", "MPEG", "LAT")
_FRAME_MS = 120
_QUALITY = 95  # of written files; formats without losses ignore it
_COLOUR_OF_MODE = {
    "RGB": Colour.RGB,
    "L": Colour.GREY,
    "RGBA": Colour.RGB_ALPHA,
    "LA": Colour.GREY_ALPHA,
}


@dataclasses.dataclass(frozen=True)
class Picture:
    """Pixels uint8 [H, W, 3] (grey ones repeated), their colour mode, and metadata chunks.

    alpha: uint8 [H, W] where the colour mode has it.
    """

    pixels: NDArray[np.uint8]
    colour: Colour
    metadata: dict[ChunkType, bytes]
    alpha: NDArray[np.uint8] | None = None

    def without(self, names: Collection[MetadataName]) -> Picture:
        """The picture without the metadata that `names` names. Raises ValueError."""
        return dataclasses.replace(self, metadata=stripped(self.metadata, names))


def open_image(source: Path | IO[bytes], strict: bool = False) -> Image.Image:
    """Open and fully read an image file, of an animation its first frame.

    Raises UnsupportedImage for anything that Pillow cannot read, under `strict` also for what it
    reads only in part (otherwise a LossWarning), and OSError where the file cannot be read.
    """
    path = source if isinstance(source, Path) else "the input"
    try:
        with Image.open(source) as image:
            _note_reduced(image, strict)
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


def _note_reduced(image: ImageFile, strict: bool) -> None:
    """Say where Pillow will load less than the opened file holds."""
    # The further pictures of an MPO file are previews and depth maps of the first.
    if image.format != "MPO" and getattr(image, "is_animated", False):
        lossy("the image has several frames or pages; the first one is kept", strict)
    deep = any(_DEEP.search(str(tile[3])) for tile in image.tile)
    if deep and not image.mode.startswith("I"):  # those still have all bits, and are noted later
        lossy("the image has 16 bits per channel; 8 are kept", strict)


def picture_of(image: Image.Image | NDArray[np.uint8] | Tensor, strict: bool = False) -> Picture:
    """The picture to encode from a Pillow image, a uint8 array or a tensor.

    Arrays are [H, W], [H, W, 2] (grey and alpha), [H, W, 3] or [H, W, 4], tensors [C, H, W], uint8
    or floats in 0..1. Of an animated image it is the current frame, as in Pillow's own `save`.
    Modes that lose something give a LossWarning.

    Raises UnsupportedImage for other modes, and under `strict` where something would be lost.
    """
    if is_tensor(image):
        image = pixels_of_tensor(image)
    if isinstance(image, np.ndarray):
        return _picture_of_array(image)
    if image.width == 0 or image.height == 0:
        raise UnsupportedImage("the image has no pixels")
    metadata = collect(image)
    source = storable(image, strict)
    if image.mode in CONVERTED_MODES:  # the profile was of the old colours
        metadata.pop(ChunkType.ICC, None)
    alpha = np.array(source.getchannel("A")) if source.mode in ("RGBA", "LA") else None
    if source.mode == "LA":
        source = source.getchannel("L")
        return Picture(_rgb(source), Colour.GREY_ALPHA, metadata, alpha)
    return Picture(_rgb(source), _COLOUR_OF_MODE[source.mode], metadata, alpha)


def _rgb(image: Image.Image) -> NDArray[np.uint8]:
    """The colours of an image of mode RGB, RGBA or L; those under alpha as they are."""
    if image.mode == "RGBA":
        return np.array(image)[:, :, :3].copy()
    return np.array(image.convert("RGB"))


def _picture_of_array(array: NDArray[Any]) -> Picture:
    if array.dtype != np.uint8 or array.size == 0:
        raise UnsupportedImage("an array must hold uint8 pixels, at least one")
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3 or array.shape[2] not in (1, 2, 3, 4):
        raise UnsupportedImage("an array must have the shape [H, W] or [H, W, 2, 3 or 4]")
    grey = array.shape[2] < 3
    alpha = array[:, :, -1].copy() if array.shape[2] in (2, 4) else None
    if alpha is not None and alpha.min() == 255:
        alpha = None
    pixels = np.repeat(array[:, :, :1], 3, axis=2) if grey else array[:, :, :3]
    return Picture(pixels, Colour(grey + 2 * (alpha is not None)), {}, alpha)


def image_of(picture: Picture) -> Image.Image:
    """The Pillow image of a decoded picture, its metadata in `info`."""
    image = Image.fromarray(picture.pixels)
    if picture.colour.is_grey:
        image = image.convert("L")
    if picture.alpha is not None:
        image.putalpha(Image.fromarray(picture.alpha))
    attach(image, picture.metadata)
    return image


def array_of(picture: Picture) -> NDArray[np.uint8]:
    """The pixels of a decoded picture: [H, W], [H, W, 2], [H, W, 3] or [H, W, 4], by its mode."""
    return picture.pixels if picture.colour is Colour.RGB else np.array(image_of(picture))


def is_readable(path: Path) -> bool:
    """Whether `path` has the extension of a format whose pixels Pillow reads."""
    form = Image.registered_extensions().get(path.suffix.lower())
    return form in Image.OPEN and form not in _NO_PIXELS


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
