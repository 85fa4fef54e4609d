"""`.lat` files in Pillow: `import latentcodec.pillow`, then `Image.open` and `Image.save`.

Opening reads the header and the metadata; the first access to pixels decodes.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
from io import BytesIO
from typing import IO, Any

from PIL import Image, ImageFile, UnidentifiedImageError

from latentcodec.errors import LatError, NotALatFile
from latentcodec.format import container
from latentcodec.images.metadata import attach, collect, forget
from latentcodec.images.reading import load
from latentcodec.previews import read_preview
from latentcodec.storage import remote
from latentcodec.storage.names import is_url

FORMAT = "LAT"
# Metadata among the keywords of `Image.save`, by Pillow's names, and what they may be.
_CHOSEN = {
    "exif": (bytes, Image.Exif),
    "icc_profile": (bytes,),
    "xmp": (bytes, str),
    "dpi": (tuple, list),
    "comment": (bytes, str),
}


def _accept(prefix: bytes) -> bool:
    return prefix.startswith(container.SIGNATURE)


class LatImageFile(ImageFile.ImageFile):
    """A `.lat` file of which only the header and the metadata have been read."""

    format = FORMAT
    format_description = "latentcodec photograph"

    def _open(self) -> None:
        assert self.fp is not None
        self._data = self.fp.read()
        try:
            header = container.read_header(self._data)
        except NotALatFile as error:
            raise SyntaxError(str(error)) from error  # Pillow then asks the next plugin
        except LatError as error:
            raise OSError(str(error)) from error
        self._size = header.width_px, header.height_px
        self._mode = header.colour.pillow_mode
        self._scale = 1
        self._preview: Image.Image | None = None
        self.info["quality"] = header.quality_tenths / 10
        # A file that is cut off in its metadata still opens; `load` says what is wrong.
        with contextlib.suppress(LatError):
            attach(self, container.read_metadata(self._data))
        self.tile = [ImageFile._Tile("raw", (0, 0, *self.size), 0, self.mode)]

    def verify(self) -> None:
        """Check the whole file but its tiles' payloads. Raises OSError for a damaged one."""
        try:
            container.read(self._data)
        except LatError as error:
            raise OSError(str(error)) from error
        super().verify()

    def draft(
        self, mode: str | None, size: tuple[int, int] | None
    ) -> tuple[str, tuple[int, int, float, float]] | None:
        """Choose the preview, if that fills a box of `size`, or the smallest picture that is not
        smaller; the mode stays.

        Returns the mode, and the box of the full picture in the pixels that `load` will give;
        None where nothing was chosen, or a scale has been already.
        """
        if not self.tile or self._scale > 1 or self._preview or size is None:
            return None
        preview = self._stored_preview()
        if preview and max(preview.size) >= max(size):  # `thumbnail` gives the box to fit into
            self._preview, self._size = preview, preview.size
            self.tile = [ImageFile._Tile("raw", (0, 0, *self.size), 0, self.mode)]
            return self.mode, (0, 0, float(self.width), float(self.height))
        width, height = self.size
        shrink = min(width // max(round(size[0]), 1), height // max(round(size[1]), 1))
        self._scale = next((scale for scale in (16, 8, 4, 2) if scale <= shrink), 1)
        self._size = -(-width // self._scale), -(-height // self._scale)
        self.tile = [ImageFile._Tile("raw", (0, 0, *self.size), 0, self.mode)]
        return self.mode, (0, 0, width / self._scale, height / self._scale)

    def load(self) -> Any:
        """Decode. Raises OSError for a damaged file, and for a model that is not installed."""
        if self.tile:
            try:
                pixels = self._decoded().tobytes()
            except LatError as error:
                raise OSError(str(error)) from error
            if self.fp and self._exclusive_fp:
                self.fp.close()
            self.fp = BytesIO(pixels)
        return super().load()

    def _stored_preview(self) -> Image.Image | None:
        with contextlib.suppress(LatError):  # a damaged one is as none
            return read_preview(self._data)
        return None

    def _decoded(self) -> Image.Image:
        if self._preview:
            return self._preview
        from latentcodec.codec import decode

        return decode(self._data, scale=self._scale)

    def load_seek(self, pos: int) -> None:
        """Nothing to seek: `load` leaves the pixels at the start of a buffer."""


def open(source: str | os.PathLike[str] | IO[bytes]) -> Image.Image:
    """Open a `.lat` file as a Pillow image, which is decoded when its pixels are first asked for.

    Args:
        source: a path; a URL, which is read as a whole; or a file open for reading, which is read
            from where it stands.

    Returns:
        A Pillow image with size, mode, metadata and `info["quality"]`. As with all of Pillow's
        images, `load` raises OSError where the rest of the file is damaged.

    Raises:
        latentcodec.LatError: it is no `.lat` file, or its header is damaged.
        OSError: it cannot be read.
        ValueError: it is neither a path nor a file.
    """
    if isinstance(source, str) and is_url(source):
        source = BytesIO(remote.read(source))
    elif not isinstance(source, (str, os.PathLike)):
        if not hasattr(source, "read"):
            raise ValueError(f"a {type(source).__name__} is no file: give a path or an open file")
        source = BytesIO(source.read())  # Pillow would go back to the start
    try:
        return Image.open(source, formats=[FORMAT])
    except UnidentifiedImageError:
        raise NotALatFile("this is not a .lat file") from None
    except OSError as error:
        if isinstance(error.__cause__, LatError):
            raise error.__cause__ from None
        raise


def _save(image: Image.Image, stream: IO[bytes], filename: str | bytes) -> None:
    from latentcodec.codec import encode
    from latentcodec.options import EncodeOptions

    options: dict[str, Any] = image.encoderinfo
    names = ("model", "tune", *(field.name for field in dataclasses.fields(EncodeOptions)))
    own = {key: options[key] for key in names if key in options}
    try:
        load(image, bool(options.get("strict")))
        source = image.copy()
        source.format = image.format
        forget(source)
        attach(source, collect(image))
        source.info.update(_chosen(options))  # before what the image has
        data = encode(source, **own)
    except LatError as error:
        raise OSError(str(error)) from error
    stream.write(data)


def _chosen(options: dict[str, Any]) -> dict[str, Any]:
    """The metadata among the keywords of `save`. Raises TypeError for values of other kinds."""
    chosen = {key: options[key] for key in _CHOSEN if key in options}
    for key, value in chosen.items():
        if value is not None and not isinstance(value, _CHOSEN[key]):
            kinds = " or ".join(kind.__name__ for kind in _CHOSEN[key])
            raise TypeError(f"{key} is of type {type(value).__name__}, not {kinds}")
    return chosen


Image.register_open(FORMAT, LatImageFile, _accept)
Image.register_save(FORMAT, _save)
Image.register_extension(FORMAT, ".lat")
Image.register_mime(FORMAT, "image/x-lat")
