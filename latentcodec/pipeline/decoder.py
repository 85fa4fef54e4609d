"""The chain from a file: container -> integers -> synthesis -> pixels, of the whole or a region."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol

import numpy as np

from latentcodec.errors import LatError
from latentcodec.format import container
from latentcodec.format.container import Bytes, ChunkType, Header, LatFile, Region
from latentcodec.format.recovery import Lost
from latentcodec.images.canvas import ImageCanvas
from latentcodec.images.picture import Picture
from latentcodec.pipeline.alpha import decode_alpha
from latentcodec.pipeline.latent_tiles import LatentTiles
from latentcodec.pipeline.tiling import CELL_PX, cells, pixels_of
from latentcodec.runtime import model_store

if TYPE_CHECKING:
    from PIL import Image

    from latentcodec.runtime.base import Family
    from latentcodec.runtime.model_store import ModelEntry


class Canvas(Protocol):
    """What a picture is decoded onto, rectangle by rectangle. It needs no memory before the first
    one: until then a small file may claim any size."""

    def put_pixels(self, left: int, top: int, pixels: np.ndarray) -> None:
        """Put uint8 [h, w, 3] somewhere."""

    def put_alpha(self, left: int, top: int, alpha: np.ndarray) -> None:
        """Put uint8 [h, w] over pixels that are there."""


def decode_picture(
    data: Bytes,
    region: Region | None = None,
    load: Callable[[ModelEntry], Family] = model_store.load_codec,
    max_pixels: int = container.MAX_PIXELS,
) -> Picture:
    """The picture in the bytes of a `.lat` file, or a region of it.

    A region costs its own tiles and those within reach of the synthesis around it; its pixels are
    those of the whole picture within one grey level. What lies further than a tile from it is not
    read, but for the lengths of its chunks. load: gives the working model. max_pixels: larger
    files are refused, whatever the region.

    Raises subclasses of LatError, and ValueError for a region that is not inside the picture.
    """
    return picture_in(_read(data, region, max_pixels), region, load)


def decode_image(
    data: Bytes,
    region: Region | None = None,
    load: Callable[[ModelEntry], Family] = model_store.load_codec,
    max_pixels: int = container.MAX_PIXELS,
) -> Image.Image:
    """The same as a Pillow image, which is filled tile by tile: there are no arrays of all pixels.

    Metadata is in its `info`. Raises as `decode_picture` does.
    """
    file = _read(data, region, max_pixels)
    region = region or file.header.whole
    canvas = ImageCanvas(region.width, region.height, file.header.colour)
    _decode_onto(canvas, file, region, load)
    return canvas.finished(file.metadata)


def picture_in(
    file: LatFile,
    region: Region | None = None,
    load: Callable[[ModelEntry], Family] = model_store.load_codec,
    lost: Lost | None = None,
) -> Picture:
    """The picture in a file that is taken apart, or a region of it.

    With `lost`, damaged tiles are noted there, as in `LatentTiles`, and do not stop the others.
    Raises as `decode_picture` does.
    """
    region = region or file.header.whole
    canvas = _ArrayCanvas(region)
    _decode_onto(canvas, file, region, load, lost)
    alpha = canvas.alpha if file.header.colour.has_alpha else None
    return Picture(canvas.pixels, file.header.colour, file.metadata, alpha)


def _read(data: Bytes, region: Region | None, max_pixels: int) -> LatFile:
    return container.read(data, max_pixels, region)


def family_of(
    header: Header, load: Callable[[ModelEntry], Family] = model_store.load_codec
) -> Family:
    """The working model that a file names. Raises UnknownModel and CorruptWeights."""
    return load(model_store.by_code(header.model_code, header.weights_hash))


class _ArrayCanvas:
    """A canvas of two arrays."""

    def __init__(self, region: Region) -> None:
        self._size = region.height, region.width
        self.pixels, self.alpha = np.empty((0, 0, 3), np.uint8), np.empty((0, 0), np.uint8)

    def put_pixels(self, left: int, top: int, pixels: np.ndarray) -> None:
        if not self.pixels.size:
            self.pixels = np.empty((*self._size, 3), np.uint8)
        self.pixels[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels

    def put_alpha(self, left: int, top: int, alpha: np.ndarray) -> None:
        if not self.alpha.size:
            self.alpha = np.empty(self._size, np.uint8)
        self.alpha[top : top + alpha.shape[0], left : left + alpha.shape[1]] = alpha


def _decode_onto(
    canvas: Canvas,
    file: LatFile,
    region: Region,
    load: Callable[[ModelEntry], Family],
    lost: Lost | None = None,
) -> None:
    header = file.header
    family = family_of(header, load)
    region.check_inside(header.width_px, header.height_px)
    for left, top, pixels in pixel_parts(file, family, region, lost):
        canvas.put_pixels(left, top, pixels)
    if header.colour.has_alpha:
        for left, top, alpha in _alpha_parts(file, region, lost):
            canvas.put_alpha(left, top, alpha)


# Left and top in pixels of a region, and what stands there.
Part = tuple[int, int, np.ndarray]


def pixel_parts(
    file: LatFile, family: Family, region: Region | None = None, lost: Lost | None = None
) -> Iterator[Part]:
    """The pixels of a picture or a region of it, uint8 [h, w, 3], strip by strip."""
    region = region or file.header.whole
    latents = LatentTiles(file, family, lost)
    rows = _seen(region.top, region.height, family.synthesis_halo, latents.rows)
    columns = _seen(region.left, region.width, family.synthesis_halo, latents.columns)
    left, top = pixels_of(columns).start, pixels_of(rows).start
    for x in family.synthesise_strips(latents.strips(rows, columns), file.header.quality_tenths):
        part = _cut(left, top, x, region)
        if part[2].size:  # strips above and below are there to be seen by others
            yield part
        top += len(x)


def _seen(start_px: int, size_px: int, halo: int, size: int) -> slice:
    """The positions, of 0..size, that some pixels are made of."""
    first, stop = start_px // CELL_PX, cells(start_px + size_px)
    return slice(max(first - halo, 0), min(stop + halo, size))


def _cut(left: int, top: int, samples: np.ndarray, region: Region) -> Part:
    """What of samples [h, w, ...], which begin at a place of the picture, lies in the region."""
    whole = Region(left, top, samples.shape[1], samples.shape[0])
    part = whole.intersection(region)
    inner, outer = part.relative_to(whole), part.relative_to(region)
    samples = samples[inner.top : inner.bottom, inner.left : inner.right]
    return outer.left, outer.top, samples


def _alpha_parts(file: LatFile, region: Region, lost: Lost | None) -> Iterator[Part]:
    """The alpha samples of a region, uint8 [h, w], tile by tile.

    With `lost`, those of damaged chunks are opaque, and what is wrong is noted there.
    """
    header = file.header
    for number, payload in enumerate(file.alphas):
        tile = header.tile_region(number)
        if region.intersection(tile).is_empty:
            continue
        try:
            plane = decode_alpha(payload, tile.height, tile.width)
        except LatError as error:
            if lost is None:
                raise header.at_tile(error, number) from None
            lost.setdefault((number, ChunkType.ALPHA), str(error))
            plane = np.full((tile.height, tile.width), 255, dtype=np.uint8)
        yield _cut(tile.left, tile.top, plane, region)
