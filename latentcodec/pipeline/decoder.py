"""The chain from a file: container -> integers -> synthesis -> pixels.

Of the whole picture or a region, full size or smaller, of a whole file or a damaged one.
"""

from __future__ import annotations

import dataclasses
import numbers
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np

from latentcodec.errors import CorruptChunk, LatError
from latentcodec.format import container
from latentcodec.format.container import Bytes, ChunkType, Header, LatFile, Region
from latentcodec.format.recovery import Damage, read_damaged
from latentcodec.options import DecodeOptions
from latentcodec.pipeline.alpha import decode_alpha
from latentcodec.pipeline.concealment import conceal
from latentcodec.pipeline.latent_tiles import LatentTiles
from latentcodec.pipeline.tiling import CELL_PX, cells, pixels_of
from latentcodec.runtime import model_store
from latentcodec.runtime.compute import without_autocast

if TYPE_CHECKING:
    from latentcodec.images.canvas import Canvas
    from latentcodec.runtime.base import Family
    from latentcodec.runtime.model_store import ModelEntry

SCALES = (1, 2, 4, 8, 16)

Result = TypeVar("Result")
# Left and top in pixels of what is decoded, and what stands there.
Part = tuple[int, int, np.ndarray]


@dataclasses.dataclass(frozen=True)
class Decoded(Generic[Result]):
    """A decoded picture, and what of a damaged file is missing in it.

    damaged: the damaged tiles, in pixels of the whole picture; their colours are filled from
    around them, and where only the transparency is lost they are opaque. problems: a sentence for
    each thing lost, metadata too.
    """

    picture: Result
    header: Header
    damaged: list[Region]
    problems: list[str]


@without_autocast()
def decode(
    data: Bytes,
    canvas: type[Canvas[Result]],
    options: DecodeOptions,
    *,
    load: Callable[[ModelEntry], Family] = model_store.load_codec,
) -> Decoded[Result]:
    """The picture in a `.lat` file, or a region of it.

    A region costs its own tiles and those within reach of the synthesis around it; its pixels are
    those of the whole picture within one grey level. What lies further than a tile from it is not
    read, but for the lengths of its chunks. Where the picture is made smaller, pixels of the last
    column and row may also see what the encoder put beyond its edge, its last pixels repeated. A
    damaged tile that is salvaged can show in pixels within 96 px of it (`ae` and `vae`: 80), too.

    load: gives the working model.

    Raises subclasses of LatError (with `salvage` only where the header is damaged, no tile is left,
    or the model is not installed), and ValueError for another scale or a region that is not inside
    the picture.
    """
    scale, (file, damage) = options.scale, _read(data, options)
    header = file.header
    family = family_of(header, load)
    area = options.area or header.whole
    area.check_inside(header.width_px, header.height_px)
    target = area.scaled(scale)
    onto = canvas(target.width, target.height, header.colour)
    for left, top, pixels in pixel_parts(file, family, area, scale, damage):
        onto.put_pixels(left, top, pixels)
    if damage:
        conceal(onto, _holes(file, damage, area, scale))
    if header.colour.has_alpha:
        for left, top, alpha in _alpha_parts(file, area, scale, damage):
            onto.put_alpha(left, top, alpha)
    damaged = damage.regions(header, area) if damage else []
    problems = damage.sentences(header, area) if damage else []
    return Decoded(onto.finished(file.metadata), header, damaged, problems)


def _read(data: Bytes, options: DecodeOptions) -> tuple[LatFile, Damage | None]:
    """The file, and with `salvage` what is damaged in it. Raises LatError and ValueError."""
    whole = isinstance(options.scale, numbers.Integral) and not isinstance(options.scale, bool)
    if not whole or options.scale not in SCALES:
        scales = ", ".join(map(str, SCALES))
        raise ValueError(f"the scale must be one of {scales}, not {options.scale}")
    if options.salvage:
        return read_damaged(data[:], options.max_pixels)
    return container.read(data, options.max_pixels, options.area), None


def family_of(
    header: Header, load: Callable[[ModelEntry], Family] = model_store.load_codec
) -> Family:
    """The working model that a file names. Raises UnknownModel and CorruptWeights."""
    return load(model_store.by_code(header.model_code, header.weights_hash))


def pixel_parts(
    file: LatFile, family: Family, area: Region, scale: int = 1, damage: Damage | None = None
) -> Iterator[Part]:
    """The pixels of an area, uint8 [h, w, 3], strip by strip. Raises LatError.

    With `damage`, tiles that are lost are noted there, as `LatentTiles` does, and stop nothing.
    """
    latents = LatentTiles(file, family, damage)
    rows = _seen(area.top, area.height, family.synthesis_halo, latents.rows)
    columns = _seen(area.left, area.width, family.synthesis_halo, latents.columns)
    left, top = pixels_of(columns).start // scale, pixels_of(rows).start // scale
    v_hat = latents.strips(rows, columns)
    for x in family.synthesise_strips(v_hat, file.header.quality_tenths, scale):
        part = _cut(left, top, x, area.scaled(scale))
        if part[2].size:  # strips above and below are there to be seen by others
            yield part
        top += len(x)


def _seen(start_px: int, size_px: int, halo: int, size: int) -> slice:
    """The positions, of 0..size, that some pixels are made of."""
    first, stop = start_px // CELL_PX, cells(start_px + size_px)
    return slice(max(first - halo, 0), min(stop + halo, size))


def _cut(left: int, top: int, samples: np.ndarray, target: Region) -> Part:
    """What of samples [h, w, ...], which begin at a place of the picture, lies in the target."""
    whole = Region(left, top, samples.shape[1], samples.shape[0])
    part = whole.intersection(target)
    inner, outer = part.relative_to(whole), part.relative_to(target)
    samples = samples[inner.top : inner.bottom, inner.left : inner.right]
    return outer.left, outer.top, samples


def _holes(file: LatFile, damage: Damage, area: Region, scale: int) -> list[Region]:
    """Where in what is decoded tiles are lost. Raises CorruptChunk where all are."""
    lost = damage.tiles()
    if len(lost) == len(file.tiles):
        reason = damage.lost[0, ChunkType.TILE]
        raise CorruptChunk(f"no tile of the file is whole: {reason}")
    holes = [file.header.tile_region(number).intersection(area) for number in lost]
    target = area.scaled(scale)
    return [hole.scaled(scale).relative_to(target) for hole in holes if not hole.is_empty]


def _alpha_parts(file: LatFile, area: Region, scale: int, damage: Damage | None) -> Iterator[Part]:
    """The alpha samples of an area, uint8 [h, w], tile by tile.

    With `damage`, those of damaged chunks are opaque, and what is wrong is noted there.
    """
    header = file.header
    for number, payload in enumerate(file.alphas):
        tile = header.tile_region(number)
        if area.intersection(tile).is_empty:
            continue
        try:
            plane = decode_alpha(payload, tile.height, tile.width)
        except LatError as error:
            if damage is None:
                raise header.at_tile(error, number) from None
            damage.lost.setdefault((number, ChunkType.ALPHA), str(error))
            plane = np.full((tile.height, tile.width), 255, dtype=np.uint8)
        small = tile.scaled(scale)
        yield _cut(small.left, small.top, _means(plane, scale), area.scaled(scale))


def _means(plane: np.ndarray, scale: int) -> np.ndarray:
    """Means over scale x scale samples of uint8 [h, w], the last ones repeated, rounded."""
    if scale == 1:
        return plane
    below, beside = -plane.shape[0] % scale, -plane.shape[1] % scale
    full = np.pad(plane, ((0, below), (0, beside)), mode="edge")
    height, width = full.shape[0] // scale, full.shape[1] // scale
    total = full.reshape(height, scale, width, scale).sum((1, 3), dtype=np.uint32)
    return ((total + scale**2 // 2) // scale**2).astype(np.uint8)
