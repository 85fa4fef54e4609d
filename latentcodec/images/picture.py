"""Pictures to encode and decoded ones, from and to Pillow images, arrays and tensors."""

from __future__ import annotations

import dataclasses
import io
import os
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from latentcodec.errors import UnsupportedImage
from latentcodec.format.container import MAX_METADATA_BYTES, ChunkType, Colour
from latentcodec.images.exif import orientation
from latentcodec.images.files import open_image
from latentcodec.images.losses import losses_of
from latentcodec.images.metadata import collect, stripped
from latentcodec.images.metadata_kinds import MetadataName, check_names, texts_left_out
from latentcodec.images.modes import CONVERTED_MODES, lossy, rectangle_of, storable
from latentcodec.images.reading import load
from latentcodec.images.resizing import resized, resized_array
from latentcodec.images.tensors import is_tensor, pixels_of_tensor
from latentcodec.storage import remote
from latentcodec.storage.names import is_url, local_path

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    AnyImage = Image.Image | NDArray[np.uint8] | Tensor | str | os.PathLike[str]


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


PictureSource = Picture | ImageSource


def one_by_one(images: Iterable[AnyImage] | NDArray[np.uint8] | Tensor) -> Iterable[AnyImage]:
    """The pictures of a batch. Raises UnsupportedImage for arrays that are no batch."""
    if is_tensor(images):
        return images.unsqueeze(0) if images.ndim == 3 else images
    if isinstance(images, np.ndarray) and images.ndim != 4:
        raise UnsupportedImage("an array of several pictures must have the shape [B, H, W, C]")
    return images


def source_of(
    image: AnyImage,
    strict: bool = False,
    strip: Collection[MetadataName] = (),
    resize: tuple[int, int] | None = None,
) -> PictureSource:
    """The picture to encode, from a Pillow image, a uint8 array or a tensor, without a copy of it
    where its kind allows.

    Arrays are [H, W], [H, W, 2] (grey and alpha), [H, W, 3] or [H, W, 4], tensors [C, H, W], uint8
    or floats in 0..1. Of an animated image it is the current frame, as in Pillow's own `save`.
    What is lost gives a LossWarning. strip: metadata to leave out, which is no loss. resize: width
    and height of the upright picture, as `resized` takes them.

    Raises UnsupportedImage for other modes, and under `strict` where something would be lost, and
    ValueError where `strip` names no metadata.
    """
    strip = check_names(strip)
    if is_tensor(image):
        image = pixels_of_tensor(image)
    if isinstance(image, np.ndarray):
        picture = picture_of_array(image)
        return picture_of_array(resized_array(image, resize)) if resize else picture
    if isinstance(image, str) and is_url(image):
        image = open_image(io.BytesIO(remote.read(image)), strict)
    if isinstance(image, (str, os.PathLike)):
        image = open_image(local_path(image), strict)
    if not isinstance(image, Image.Image):
        raise ValueError(f"a {type(image).__name__} is no picture: give an image, array or path")
    if image.width == 0 or image.height == 0:
        raise UnsupportedImage("the image has no pixels")
    load(image, strict)
    source, colour = storable(image, strict)
    metadata = _metadata_of(image, strict, strip)
    if resize:
        block = metadata.get(ChunkType.EXIF)
        source = resized(source, resize, orientation(block) if block else 1)
    return ImageSource(source, colour, metadata)


def _metadata_of(
    image: Image.Image, strict: bool, strip: Collection[MetadataName]
) -> dict[ChunkType, bytes]:
    """What is kept beside the pixels; what is not is said, or refused, but for what was to go."""
    collected = collect(image)
    found = stripped(collected, strip)
    lost = [] if "all" in strip else losses_of(image, has_profile=ChunkType.ICC in collected)
    if not {"text", "all"} & set(strip):
        lost += texts_left_out(image)
    for kind, payload in list(found.items()):
        if len(payload) > MAX_METADATA_BYTES:
            lost.append(f"{kind.name} data of {len(found.pop(kind))} bytes")
    if lost:
        lossy(f"the image has what is not kept: {', '.join(lost)}", strict)
    if image.mode in CONVERTED_MODES:  # the profile was of the old colours
        found.pop(ChunkType.ICC, None)
    return found


def picture_of(image: AnyImage, strict: bool = False) -> Picture:
    """All pixels of what `source_of` takes; raises the same."""
    return source_of(image, strict).part(slice(None), slice(None))


def picture_of_array(array: NDArray[Any], keep_alpha: bool = False) -> Picture:
    """The picture of a uint8 array; of alpha that is opaque everywhere, only if it is to be kept.

    Raises UnsupportedImage for other types and shapes than `source_of` takes.
    """
    if array.dtype != np.uint8 or array.size == 0:
        raise UnsupportedImage("an array must hold uint8 pixels, at least one")
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3 or array.shape[2] not in (1, 2, 3, 4):
        raise UnsupportedImage("an array must have the shape [H, W] or [H, W, 2, 3 or 4]")
    grey = array.shape[2] < 3
    alpha = array[:, :, -1] if array.shape[2] in (2, 4) else None
    if alpha is not None and not keep_alpha and alpha.min() == 255:
        alpha = None
    pixels = np.broadcast_to(array[:, :, : 1 if grey else 3], (*array.shape[:2], 3))
    return Picture(pixels, Colour(grey + 2 * (alpha is not None)), {}, alpha)
