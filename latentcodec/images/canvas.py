"""What a picture is decoded onto, rectangle by rectangle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image

from latentcodec.format.container import ChunkType, Colour
from latentcodec.images.metadata import attach
from latentcodec.images.modes import rectangle_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# The conversions from RGB to the mode of a decoded image.
_FROM_RGB: dict[str, tuple[str, ...]] = {
    "RGB": (),
    "L": ("L",),
    "RGBA": ("RGBA",),
    "LA": ("L", "LA"),
}


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
