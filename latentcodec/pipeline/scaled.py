"""The chain from a file to a smaller picture: its full-size pixels never exist."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from latentcodec.errors import LatError
from latentcodec.format import container
from latentcodec.format.container import Bytes, Header, LatFile, Region
from latentcodec.images.picture import Picture
from latentcodec.pipeline.alpha import decode_alpha
from latentcodec.pipeline.decoder import decode_picture, family_of
from latentcodec.pipeline.latent_tiles import LatentTiles
from latentcodec.runtime import model_store

if TYPE_CHECKING:
    from latentcodec.runtime.base import Family
    from latentcodec.runtime.model_store import ModelEntry

SCALES = (1, 2, 4, 8, 16)


def decode_at(
    data: Bytes,
    scale: int,
    region: Region | None = None,
    load: Callable[[ModelEntry], Family] = model_store.load_codec,
    max_pixels: int | None = None,
) -> Picture:
    """The picture in the bytes of a file: at a scale, or of the full size and a region of it.

    Raises as `decode_scaled` and `decoder.decode_picture` do, and ValueError for a region at
    another scale than 1.
    """
    if scale == 1:
        return decode_picture(data, region, load, limit(max_pixels))
    if region is not None:
        raise ValueError("a region cannot be combined with a scale")
    return decode_scaled(data, scale, load, limit(max_pixels))


def limit(max_pixels: int | None) -> int:
    """The most pixels that a picture may have; None stands for the usual number."""
    return container.MAX_PIXELS if max_pixels is None else max_pixels


def decode_scaled(
    data: Bytes,
    scale: int,
    load: Callable[[ModelEntry], Family] = model_store.load_codec,
    max_pixels: int = container.MAX_PIXELS,
) -> Picture:
    """The picture in the bytes of a `.lat` file, its width and height divided by `scale`.

    Each pixel is the mean of scale x scale. Sizes are rounded up: the last column and row may
    also see what the encoder put beyond the picture's edge, its last pixels repeated.
    load, max_pixels: as for `decoder.decode_picture`; the pixels are those of the full size.

    Raises subclasses of LatError, and ValueError for a scale that is not one of SCALES.
    """
    if scale not in SCALES:
        raise ValueError(f"the scale must be one of {', '.join(map(str, SCALES))}, not {scale}")
    file = container.read(data, max_pixels)
    header = file.header
    height, width = math.ceil(header.height_px / scale), math.ceil(header.width_px / scale)
    pixels = np.empty((0, 0, 3), dtype=np.uint8)
    top = 0
    for part in _strips(file, family_of(header, load), scale):
        if not pixels.size:  # a file that is damaged in its first tile has by now failed
            pixels = np.empty((height, width, 3), dtype=np.uint8)
        pixels[top : top + len(part)] = part[: height - top, :width]
        top += len(part)
    return Picture(pixels, header.colour, file.metadata, _alpha_of(file, scale))


def _strips(file: LatFile, family: Family, scale: int) -> Iterator[np.ndarray]:
    """The pixels of the small picture strip by strip, to the end of its last cells."""
    latents = LatentTiles(file, family)
    v_hat = latents.strips(slice(0, latents.rows), slice(0, latents.columns))
    return family.synthesise_strips(v_hat, file.header.quality_tenths, scale)


def _alpha_of(file: LatFile, scale: int) -> np.ndarray | None:
    """Means of the alpha samples, uint8 [H / scale, W / scale], if the file has any."""
    header = file.header
    if not header.colour.has_alpha:
        return None
    shape = math.ceil(header.height_px / scale), math.ceil(header.width_px / scale)
    plane = np.empty(shape, dtype=np.uint8)
    for number, payload in enumerate(file.alphas):
        tile = header.tile_region(number)
        small = _mean(_alpha_tile(header, number, payload), scale)
        y, x = tile.top // scale, tile.left // scale
        plane[y : y + small.shape[0], x : x + small.shape[1]] = small
    return plane


def _alpha_tile(header: Header, number: int, payload: bytes) -> np.ndarray:
    tile = header.tile_region(number)
    try:
        return decode_alpha(payload, tile.height, tile.width)
    except LatError as error:
        raise header.at_tile(error, number) from None


def _mean(plane: np.ndarray, scale: int) -> np.ndarray:
    """Means over scale x scale samples of uint8 [h, w], the last ones repeated, rounded."""
    below, beside = -plane.shape[0] % scale, -plane.shape[1] % scale
    full = np.pad(plane, ((0, below), (0, beside)), mode="edge")
    height, width = full.shape[0] // scale, full.shape[1] // scale
    total = full.reshape(height, scale, width, scale).sum((1, 3), dtype=np.uint32)
    return ((total + scale**2 // 2) // scale**2).astype(np.uint8)
