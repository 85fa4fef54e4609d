"""Image files, read and written by Pillow."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from PIL import Image, ImageOps, UnidentifiedImageError

from latentcodec.errors import LatError, UnsupportedImage
from latentcodec.format import container
from latentcodec.images.metadata import save_options
from latentcodec.images.modes import lossy

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.ImageFile import ImageFile

# Pillow's raw modes of 16 bits per channel, in any byte order, of which it may load only 8.
_DEEP = re.compile(r";16[BLN]")
# Formats that Pillow opens but cannot load by itself, and what is encoded already.
_NO_PIXELS = ("BUFR", "GRIB", "HDF5", "MPEG", "LAT")
_FRAME_MS = 120
_QUALITY = 95  # of written files; formats without losses ignore it


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
