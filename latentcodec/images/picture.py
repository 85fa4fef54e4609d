"""Pictures in and out: what Pillow reads becomes uint8 RGB, and back."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from latentcodec.errors import LatError, UnsupportedImage
from latentcodec.format import container
from latentcodec.format.container import ChunkType, Colour
from latentcodec.images.metadata import MetadataName, attach, collect, save_options, stripped
from latentcodec.images.modes import CONVERTED_MODES, lossy, rectangle_of, storable
from latentcodec.images.tensors import is_tensor, pixels_of_tensor

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
# The conversions from RGB to the mode of a decoded image.
_FROM_RGB: dict[str, tuple[str, ...]] = {
    "RGB": (),
    "L": ("L",),
    "RGBA": ("RGBA",),
    "LA": ("L", "LA"),
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

    @property
    def height(self) -> int:
        return self.pixels.shape[0]

    @property
    def width(self) -> int:
        return self.pixels.shape[1]

    def part(self, rows: slice, columns: slice) -> Picture:
        """A rectangle of it; slices may reach beyond the edge."""
        alpha = None if self.alpha is None else self.alpha[rows, columns]
        return Picture(self.pixels[rows, columns], self.colour, self.metadata, alpha)

    def without(self, names: Collection[MetadataName]) -> Picture:
        """The picture without the metadata that `names` names. Raises ValueError."""
        return dataclasses.replace(self, metadata=stripped(self.metadata, names))


@dataclasses.dataclass(frozen=True)
class ImageSource:
    """A picture to encode that stays in a loaded Pillow image of mode RGB, RGBA, L or LA.

    Only the rectangles that are asked for become arrays. colour: without alpha, that of the image
    is ignored. Threads may share one.
    """

    image: Image.Image
    colour: Colour
    metadata: dict[ChunkType, bytes]

    @property
    def height(self) -> int:
        return self.image.height

    @property
    def width(self) -> int:
        return self.image.width

    def part(self, rows: slice, columns: slice) -> Picture:
        """A rectangle of it; slices may reach beyond the edge."""
        top, bottom, _ = rows.indices(self.height)
        left, right, _ = columns.indices(self.width)
        samples = np.asarray(rectangle_of(self.image, left, top, right - left, bottom - top))
        samples = samples.reshape(bottom - top, right - left, -1)
        colours = 1 if self.colour.is_grey else 3
        pixels = np.broadcast_to(samples[..., :colours], (*samples.shape[:2], 3))
        alpha = samples[..., -1] if self.colour.has_alpha else None
        return Picture(pixels, self.colour, self.metadata, alpha)

    def without(self, names: Collection[MetadataName]) -> ImageSource:
        """The picture without the metadata that `names` names. Raises ValueError."""
        return dataclasses.replace(self, metadata=stripped(self.metadata, names))


Source = Picture | ImageSource


@contextlib.contextmanager
def pillow_limit(pixels: int) -> Iterator[None]:
    """Let Pillow open files of so many pixels without a warning, in all threads.

    It refuses those of more than twice as many.
    """
    usual = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = pixels
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = usual


def open_image(source: Path | IO[bytes], strict: bool = False) -> Image.Image:
    """Open and fully read an image file, of an animation its first frame.

    Raises LimitExceeded for what no `.lat` file holds, before it is read, UnsupportedImage for
    anything that Pillow cannot read, under `strict` also for what it reads only in part (otherwise
    a LossWarning), and OSError where the file cannot be read.
    """
    path = source if isinstance(source, Path) else "the input"
    try:
        with Image.open(source) as image:
            container.check_size(*image.size)
            _note_reduced(image, strict)
            image.load()
            return image
    except (LatError, MemoryError):
        raise
    except UnidentifiedImageError:
        raise UnsupportedImage(f"{path} is not an image that Pillow can read") from None
    except Image.DecompressionBombError as error:
        raise UnsupportedImage(f"{path} is too large: {error}") from None
    except Exception as error:  # Pillow's plugins raise nearly anything on a broken file
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise UnsupportedImage(f"{path} is a damaged image: {error}") from None


def pixels_in(path: Path) -> int:
    """How many pixels an image file holds, by its header. Raises as `Image.open` does."""
    with Image.open(path) as image:
        return image.width * image.height


def _note_reduced(image: ImageFile, strict: bool) -> None:
    """Say where Pillow will load less than the opened file holds."""
    # The further pictures of an MPO file are previews and depth maps of the first.
    if image.format != "MPO" and getattr(image, "is_animated", False):
        lossy("the image has several frames or pages; the first one is kept", strict)
    deep = any(_DEEP.search(str(tile[3])) for tile in image.tile)
    if deep and not image.mode.startswith("I"):  # those still have all bits, and are noted later
        lossy("the image has 16 bits per channel; 8 are kept", strict)


def source_of(image: Image.Image | NDArray[np.uint8] | Tensor, strict: bool = False) -> Source:
    """The picture to encode, from a Pillow image, a uint8 array or a tensor, without a copy of it
    where its kind allows.

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
    image.load()
    metadata = collect(image)
    source, colour = storable(image, strict)
    if image.mode in CONVERTED_MODES:  # the profile was of the old colours
        metadata.pop(ChunkType.ICC, None)
    return ImageSource(source, colour, metadata)


def picture_of(image: Image.Image | NDArray[np.uint8] | Tensor, strict: bool = False) -> Picture:
    """All pixels of what `source_of` takes; raises the same."""
    return source_of(image, strict).part(slice(None), slice(None))


def _picture_of_array(array: NDArray[Any]) -> Picture:
    if array.dtype != np.uint8 or array.size == 0:
        raise UnsupportedImage("an array must hold uint8 pixels, at least one")
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3 or array.shape[2] not in (1, 2, 3, 4):
        raise UnsupportedImage("an array must have the shape [H, W] or [H, W, 2, 3 or 4]")
    grey = array.shape[2] < 3
    alpha = array[:, :, -1] if array.shape[2] in (2, 4) else None
    if alpha is not None and alpha.min() == 255:
        alpha = None
    pixels = np.broadcast_to(array[:, :, : 1 if grey else 3], (*array.shape[:2], 3))
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


class ImageCanvas:
    """A Pillow image that is filled rectangle by rectangle; it is made when the first one comes."""

    def __init__(self, width: int, height: int, colour: Colour) -> None:
        self._size, self._mode = (width, height), colour.pillow_mode
        self._image: Image.Image | None = None

    def put_pixels(self, left: int, top: int, pixels: NDArray[np.uint8]) -> None:
        """Put uint8 [h, w, 3] somewhere; opaque, where there is alpha."""
        part = Image.fromarray(pixels)
        for mode in _FROM_RGB[self._mode]:
            part = part.convert(mode)
        if self._image is None and part.size == self._size:
            self._image = part
            return
        if self._image is None:
            self._image = Image.new(self._mode, self._size)
        self._image.paste(part, (left, top))

    def put_alpha(self, left: int, top: int, alpha: NDArray[np.uint8]) -> None:
        """Put uint8 [h, w] over pixels that are there."""
        assert self._image is not None
        part = rectangle_of(self._image, left, top, alpha.shape[1], alpha.shape[0])
        part.putalpha(Image.fromarray(alpha))
        if part is not self._image:
            self._image.paste(part, (left, top))

    def finished(self, metadata: dict[ChunkType, bytes]) -> Image.Image:
        """The image, with metadata in its `info`."""
        assert self._image is not None
        attach(self._image, metadata)
        return self._image


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


def write_image(image: Image.Image, stream: IO[bytes], form: str, **options: Any) -> None:
    """Write an image in a format, with its metadata. Raises UnsupportedImage and OSError.

    Lossy formats are written at quality 95, as djxl does; `options` go to Pillow's `save`.
    """
    direct, buffer = form != "JPEG2000", io.BytesIO()  # OpenJPEG never ends where a write fails
    target = stream if direct else buffer
    try:
        image.save(target, format=form, quality=_QUALITY, **save_options(image), **options)
    except MemoryError:
        raise
    except Exception as error:  # Pillow's writers raise nearly anything they cannot hold
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise UnsupportedImage(f"Pillow cannot write this image as {form}: {error}") from error
    if not direct:
        stream.write(buffer.getbuffer())


def file_bytes(image: Image.Image, form: str, **options: Any) -> bytes:
    """An image as a file of a format, as `write_image` writes it. Raises UnsupportedImage."""
    buffer = io.BytesIO()
    write_image(image, buffer, form, **options)
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
