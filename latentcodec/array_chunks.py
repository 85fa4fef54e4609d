"""Chunks of image arrays as `.lat` files: what the Zarr and the numcodecs codec share.

A chunk of several pictures is their files, one behind another: each says where it ends.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from latentcodec import defaults
from latentcodec.codec import decode_array
from latentcodec.errors import LimitExceeded, UnsupportedImage
from latentcodec.format import container
from latentcodec.format.header import tenths_of
from latentcodec.images.picture import picture_of_array
from latentcodec.options import EncodeOptions
from latentcodec.pipeline import encoder


def check_quality(quality: float) -> float:
    """A quality as a number that JSON can hold. Raises ValueError unless it is 1 to 100."""
    tenths_of(quality)
    return float(quality)


def encode_chunk(
    chunk: NDArray[np.uint8], quality: float, model: str, effort: int = defaults.EFFORT
) -> bytes:
    """The `.lat` files of a chunk, uint8, one behind another; `pictures_shape` says of what shape.

    Alpha is kept, even where all of it is opaque, so that a chunk has its shape again. Raises
    UnsupportedImage for other shapes and types, and as `encode` does.
    """
    options = EncodeOptions(quality=quality, effort=effort)
    return b"".join(
        encoder.encode(picture_of_array(pixels, keep_alpha=True), options, model=model)
        for pixels in chunk.reshape(pictures_shape(chunk.shape))
    )


def decode_chunk(data: bytes, shape: Sequence[int] | None = None) -> NDArray[np.uint8]:
    """A chunk, uint8, of the shape that it has to have.

    Without `shape` the picture in it, [H, W] or [H, W, C], or several, [N, H, W] or [N, H, W, C].
    Raises, before anything is decoded, UnsupportedImage where the pictures are others and
    LimitExceeded where they have more pixels than a file may have; a LatError for damaged ones.
    """
    files = list(_files_in(data))
    found = {_shape_in(file) for file in files}
    if len(found) > 1:
        raise UnsupportedImage("the pictures of a chunk differ in size or colour mode")
    picture = found.pop()
    if shape is not None and (len(files), *picture) != pictures_shape(shape):
        raise UnsupportedImage(
            f"the pictures of a chunk are {[len(files), *picture]}, "
            f"the array's chunks are {list(shape)}"
        )
    if len(files) * math.prod(picture[:2]) > container.MAX_PIXELS:
        raise LimitExceeded(f"the pictures of a chunk have more than {container.MAX_PIXELS} pixels")
    pixels = [decode_array(file) for file in files]
    chunk = pixels[0] if len(pixels) == 1 else np.stack(pixels)
    return chunk if shape is None else chunk.reshape(shape)


def pictures_shape(shape: Sequence[int]) -> tuple[int, int, int, int]:
    """[N, H, W, C] of a chunk's shape, N pictures of C channels.

    A last axis of 1 to 4 is the channels, as for `encode`, if two others are before it; all axes
    before the picture count pictures. Raises UnsupportedImage for less than two axes.
    """
    if len(shape) < 2:
        raise UnsupportedImage(
            f"a chunk must hold pictures, [..., H, W] or [..., H, W, channels], not {list(shape)}"
        )
    channels = shape[-1] if len(shape) > 2 and shape[-1] <= 4 else 1
    *others, height, width = shape[:-1] if len(shape) > 2 and shape[-1] <= 4 else shape
    return math.prod(others), height, width, channels


def _files_in(data: bytes) -> Iterator[bytes]:
    """The `.lat` files that stand one behind another, at least one. Raises a LatError."""
    rest = memoryview(data)
    while True:
        end = container.length_of(rest)
        yield bytes(rest[:end])
        rest = rest[end:]
        if not rest:
            return


def _shape_in(file: bytes) -> tuple[int, int, int]:
    """[H, W, C] of the picture in a file."""
    header = container.read_header(file)
    return header.height_px, header.width_px, header.colour.channels
