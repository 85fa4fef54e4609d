"""Image files, read and written by Pillow."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from PIL import Image, ImageOps, PngImagePlugin, UnidentifiedImageError

from latentcodec.defaults import IMAGE_QUALITY
from latentcodec.errors import LatError, UnsupportedImage
from latentcodec.format import container
from latentcodec.images import plugins
from latentcodec.images.formats import save_options
from latentcodec.images.reading import described, load

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Those that Pillow has without importing all of its plugins, which takes longer than most pictures.
_USUAL = ("JPEG", "PNG", "GIF", "BMP", "PPM")
# Formats that Pillow opens but cannot load by itself, and what is encoded already.
_NO_PIXELS = ("BUFR", "GRIB", "HDF5", "MPEG", "LAT")
_FRAME_MS = 120


@contextlib.contextmanager
def wide_limits(pixels: int) -> Iterator[None]:
    """Let Pillow open files of so many pixels without a warning, and as much text and profile as a
    `.lat` file holds, in all threads.

    It refuses those of more than twice as many pixels.
    """
    usual = Image.MAX_IMAGE_PIXELS, PngImagePlugin.MAX_TEXT_CHUNK
    Image.MAX_IMAGE_PIXELS, PngImagePlugin.MAX_TEXT_CHUNK = pixels, container.MAX_METADATA_BYTES
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS, PngImagePlugin.MAX_TEXT_CHUNK = usual


def open_image(
    source: Path | IO[bytes], strict: bool = False, name: str = "the input"
) -> Image.Image:
    """Open and fully read an image file, of an animation its first frame.

    name: what errors call a source that is no path. Raises LimitExceeded for what no `.lat` file
    holds, before it is read, UnsupportedImage for anything that Pillow cannot read, under `strict`
    also for what it reads only in part (otherwise a LossWarning), and OSError where the file cannot
    be read.
    """
    name = str(source) if isinstance(source, Path) else name
    try:
        with _opened(source) as image:
            container.check_size(*image.size)
            load(image, strict, name)
            return image
    except (LatError, MemoryError):
        raise
    except UnidentifiedImageError:
        reason = _reason(source) if isinstance(source, Path) else ""
        raise UnsupportedImage(f"{name} is not an image that Pillow can read{reason}") from None
    except Exception as error:  # Pillow's plugins raise nearly anything on a broken file
        raise described(error, name) from None


def _opened(source: Path | IO[bytes]) -> Image.Image:
    if not isinstance(source, Path) or source.is_file():  # a pipe can be opened but once
        with contextlib.suppress(UnidentifiedImageError):
            return Image.open(source, formats=_USUAL)
    plugins.register()
    return Image.open(source)


def _reason(path: Path) -> str:
    """What the plugin of its extension says of a file that none knows, as the end of a sentence."""
    form = Image.registered_extensions().get(path.suffix.lower(), "")
    advice = plugins.advice(path.suffix)
    if advice or form not in Image.OPEN:
        return advice
    try:
        with path.open("rb") as stream:
            Image.OPEN[form][0](stream, str(path))
    except Exception as error:  # a SyntaxError, if it is a plugin of Pillow's own
        known = "its header has no size or no mode that is known"
        said = str(error).replace("not identified by this driver", known)
        return f": {said}" if said else ""
    return ""


def pixels_in(source: Path | IO[bytes]) -> int:
    """How many pixels an image file holds, by its header. Raises as `Image.open` does."""
    with Image.open(source) as image:
        return image.width * image.height


def is_readable(suffix: str) -> bool:
    """Whether an extension, such as .png, is that of a format whose pixels Pillow reads."""
    form = _format_of(suffix)
    return (form in Image.OPEN and form not in _NO_PIXELS) or form == "MPO"  # opened as JPEG


def writable_format(suffix: str) -> str | None:
    """Pillow's name of the format that has an extension, such as .png, if Pillow writes it."""
    form = _format_of(suffix)
    # Icons of Apple have sizes of their own.
    return form if form in Image.SAVE and form != "ICNS" else None


def _format_of(suffix: str) -> str | None:
    Image.preinit()
    usual = Image.EXTENSION.get(suffix.lower())
    if usual in _USUAL:
        return usual
    plugins.register()
    return Image.registered_extensions().get(suffix.lower())


def write_image(image: Image.Image, stream: IO[bytes], form: str, **options: Any) -> None:
    """Write an image in a format, with its metadata. Raises UnsupportedImage and OSError.

    Formats with losses get `defaults.IMAGE_QUALITY`, unless `options` for Pillow say another.
    """
    direct, buffer = form != "JPEG2000", io.BytesIO()  # OpenJPEG never ends where a write fails
    target = stream if direct else buffer
    try:
        chosen = {"quality": IMAGE_QUALITY} | save_options(image, form) | options
        image.save(target, format=form, **chosen)
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
