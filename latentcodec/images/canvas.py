"""What a picture is decoded onto, rectangle by rectangle."""

from __future__ import annotations

import abc
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from latentcodec.format.container import ChunkType, Colour, Region
from latentcodec.images.metadata import attach
from latentcodec.images.modes import rectangle_of

Result = TypeVar("Result", covariant=True)

# The conversions from RGB to the mode of a decoded image.
_FROM_RGB: dict[Colour, tuple[str, ...]] = {
    Colour.RGB: (),
    Colour.GREY: ("L",),
    Colour.RGB_ALPHA: ("RGBA",),
    Colour.GREY_ALPHA: ("L", "LA"),
}


class Canvas(abc.ABC, Generic[Result]):
    """A picture of some size and colour mode. It needs no memory before the first rectangle comes:
    until then a small file may claim any size."""

    def __init__(self, width: int, height: int, colour: Colour) -> None:
        self.whole = Region(0, 0, width, height)
        self._colour = colour

    @abc.abstractmethod
    def put_pixels(self, left: int, top: int, pixels: NDArray[np.uint8]) -> None:
        """Put uint8 [h, w, 3] somewhere; opaque, where there is alpha."""

    @abc.abstractmethod
    def put_alpha(self, left: int, top: int, alpha: NDArray[np.uint8]) -> None:
        """Put uint8 [h, w] over pixels that are there."""

    @abc.abstractmethod
    def pixels(self, region: Region) -> NDArray[np.uint8]:
        """What was put there: uint8 [h, w, 3], grey ones repeated."""

    @abc.abstractmethod
    def finished(self, metadata: dict[ChunkType, bytes]) -> Result:
        """The picture, with metadata where its kind has a place for it."""


class ImageCanvas(Canvas[Image.Image]):
    """A Pillow image of mode RGB, RGBA, L or LA, with metadata in its `info`."""

    _image: Image.Image | None = None

    def put_pixels(self, left: int, top: int, pixels: NDArray[np.uint8]) -> None:
        part = Image.fromarray(pixels)
        for mode in _FROM_RGB[self._colour]:
            part = part.convert(mode)
        size = self.whole.width, self.whole.height
        if self._image is None and part.size == size:
            self._image = part
            return
        if self._image is None:
            self._image = Image.new(self._colour.pillow_mode, size)
        self._image.paste(part, (left, top))

    def put_alpha(self, left: int, top: int, alpha: NDArray[np.uint8]) -> None:
        assert self._image is not None
        part = rectangle_of(self._image, left, top, alpha.shape[1], alpha.shape[0])
        part.putalpha(Image.fromarray(alpha))
        if part is not self._image:
            self._image.paste(part, (left, top))

    def pixels(self, region: Region) -> NDArray[np.uint8]:
        assert self._image is not None
        part = rectangle_of(self._image, region.left, region.top, region.width, region.height)
        return np.asarray(part.convert("RGB"))

    def finished(self, metadata: dict[ChunkType, bytes]) -> Image.Image:
        assert self._image is not None
        attach(self._image, metadata)
        return self._image


def grey_of(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The grey picture, [h, w], that is shown of decoded pixels, [h, w, 3]: their luma."""
    return np.asarray(Image.fromarray(pixels).convert("L"))


class ArrayCanvas(Canvas[NDArray[np.uint8]]):
    """An array [H, W], [H, W, 2] with alpha, [H, W, 3] or [H, W, 4], which has no metadata."""

    _array: NDArray[np.uint8] | None = None

    def put_pixels(self, left: int, top: int, pixels: NDArray[np.uint8]) -> None:
        if self._array is None:
            size = self.whole.height, self.whole.width
            self._array = np.empty((*size, self._colour.channels), dtype=np.uint8)
        place = self._array[top : top + pixels.shape[0], left : left + pixels.shape[1]]
        if self._colour.is_grey:
            place[..., 0] = grey_of(pixels)
        else:
            place[..., :3] = pixels
        if self._colour.has_alpha:
            place[..., -1] = 255

    def put_alpha(self, left: int, top: int, alpha: NDArray[np.uint8]) -> None:
        assert self._array is not None
        self._array[top : top + alpha.shape[0], left : left + alpha.shape[1], -1] = alpha

    def pixels(self, region: Region) -> NDArray[np.uint8]:
        assert self._array is not None
        part = self._array[region.top : region.bottom, region.left : region.right]
        return np.broadcast_to(part[..., : 1 if self._colour.is_grey else 3], (*part.shape[:2], 3))

    def finished(self, metadata: dict[ChunkType, bytes]) -> NDArray[np.uint8]:
        assert self._array is not None
        return self._array[..., 0] if self._array.shape[2] == 1 else self._array
