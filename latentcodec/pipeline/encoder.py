"""The chain to a file: picture -> strips -> analysis -> tiles -> integers -> container."""

from __future__ import annotations

import functools
import math
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from latentcodec.errors import VerificationFailed
from latentcodec.format import container
from latentcodec.format.container import ChunkType, Header, LatFile
from latentcodec.format.header import tenths_of
from latentcodec.images.canvas import grey_of
from latentcodec.images.picture import Picture, PictureSource
from latentcodec.images.preview import SIDE_PX
from latentcodec.options import EncodeOptions
from latentcodec.pipeline.alpha import encode_alpha
from latentcodec.pipeline.decoder import family_of, pixel_parts
from latentcodec.pipeline.hidden_colours import HiddenColours
from latentcodec.pipeline.preview import preview_of
from latentcodec.pipeline.refinement import FIRST_EFFORT, Progress, Refinement, silent
from latentcodec.pipeline.tiling import (
    TILE_CELLS,
    Span,
    cells,
    grid,
    padded,
    pixels_of,
    spans,
    strips,
)
from latentcodec.runtime import model_store
from latentcodec.runtime.compute import without_autocast
from latentcodec.runtime.crew import Task, crew

if TYPE_CHECKING:
    from latentcodec.runtime.base import Family
    from latentcodec.runtime.model_store import ModelEntry

_CODED_BESIDE = 8  # tiles whose latents wait at most
_COLUMN_CELLS = 8 * TILE_CELLS  # of a very wide picture, analysed at once


@without_autocast()
def encode(
    picture: PictureSource,
    options: EncodeOptions,
    *,
    model: str,
    load: Callable[[ModelEntry], Family] = model_store.load_codec,
    progress: Progress = silent,
) -> bytes:
    """A picture as the bytes of a `.lat` file.

    options: of which a goal instead of a quality is for `rate_control.encode`. load: gives the
    working model. progress: told of what takes long. Raises UnknownModel, LimitExceeded, LatError
    for an effort that the runtime does not have and, if it comes to that, VerificationFailed.
    """
    tenths = tenths_of(options.quality)
    container.check_size(picture.width, picture.height)
    entry = model_store.by_name(model)
    family = load(entry)
    hidden = _hidden_colours(picture) if picture.colour.has_alpha else None
    latents = _latent_tiles(family, picture, tenths, hidden)
    if options.effort < FIRST_EFFORT:
        coded = _coded(family, latents, tenths, plain=options.effort == 1)
    else:
        tune = model_store.tune_of(entry)
        refinement = Refinement(family, picture, tenths, tune=tune, hidden=hidden)
        coded = refinement.run(latents, options.effort, progress)
    tiles: dict[int, bytes] = {}
    for number, payload, v_hat in coded:
        if options.verify and not _decodes_to(family, payload, v_hat, tenths):
            raise VerificationFailed("the file does not decode to the latents that were encoded")
        tiles[number] = payload
    header = Header(
        picture.width, picture.height, picture.colour, tenths, entry.code, entry.short_hash
    )
    payloads = [tiles[number] for number in sorted(tiles)]
    before = dict(picture.metadata)
    if options.preview and max(picture.width, picture.height) > SIDE_PX:
        before[ChunkType.PREVIEW] = preview_of(picture)
    return container.write(LatFile(header, payloads, before, list(_alphas(picture))))


def _coded(
    family: Family, latents: Iterator[tuple[int, np.ndarray]], tenths: int, plain: bool
) -> Iterator[tuple[int, bytes, np.ndarray]]:
    """Number, payload and v_hat of each tile, which are coded beside the analysis of those below.

    plain: round to the nearest symbols.
    """

    def code(y: np.ndarray) -> tuple[bytes, np.ndarray]:
        return family.tile(y, tenths).encode(family.steps_of(y, tenths), plain)

    waiting: deque[tuple[int, Task[tuple[bytes, np.ndarray]]]] = deque()
    with crew(family) as beside:
        for number, y in latents:
            waiting.append((number, beside.submit(functools.partial(code, y))))
            beside.share()
            if len(waiting) > _CODED_BESIDE:
                number, task = waiting.popleft()
                yield number, *task.result()
        for number, task in waiting:
            yield number, *task.result()


def _tile_parts(picture: PictureSource) -> Iterator[tuple[slice, slice, Picture]]:
    """Rows, columns and content of each tile of a picture."""
    for down, right in grid(cells(picture.height), cells(picture.width), TILE_CELLS):
        rows, columns = pixels_of(down.own), pixels_of(right.own)
        yield rows, columns, picture.part(rows, columns)


def _alphas(picture: PictureSource) -> Iterator[bytes]:
    """The alpha chunks of a picture, if it has any."""
    if picture.colour.has_alpha:
        for _, _, part in _tile_parts(picture):
            assert part.alpha is not None
            yield encode_alpha(part.alpha)


def _hidden_colours(picture: PictureSource) -> HiddenColours:
    def parts() -> Iterator[tuple[int, int, np.ndarray, np.ndarray]]:
        for rows, columns, part in _tile_parts(picture):
            assert part.alpha is not None
            yield rows.start, columns.start, part.pixels, part.alpha

    return HiddenColours((picture.height, picture.width), parts())


def _latent_tiles(
    family: Family, picture: PictureSource, tenths: int, hidden: HiddenColours | None = None
) -> Iterator[tuple[int, np.ndarray]]:
    """The number and y of each tile, float32 [h, w, M].

    Very wide pictures are analysed in columns, so that the latents kept for a row of tiles stay
    few; others as a whole.
    """
    across = math.ceil(cells(picture.width) / TILE_CELLS)
    for column in spans(cells(picture.width), _COLUMN_CELLS, family.analysis_halo):
        tiles = spans(column.stop - column.start, TILE_CELLS)
        strips_of_y = family.analyse_strips(_strips(picture, column, hidden), tenths)
        for down, y in enumerate(_rows_of_tiles(strips_of_y)):
            y = y[:, column.inner]
            for right, tile in enumerate(tiles, column.start // TILE_CELLS):
                yield down * across + right, y[:, tile.own]


def _strips(
    picture: PictureSource, column: Span, hidden: HiddenColours | None
) -> Iterator[np.ndarray]:
    """What the analysis sees of a column, uint8 [h, w, 3]; the image's last pixels are repeated
    beyond its edge."""
    columns = pixels_of(column.seen)
    for strip in strips(slice(0, cells(picture.height)), column.high - column.low):
        rows = pixels_of(strip)
        part = picture.part(rows, columns)
        seen = part.pixels
        if hidden is not None and part.alpha is not None:
            seen = hidden.smooth(rows.start, columns.start, seen, part.alpha)
        yield padded(seen)


def _rows_of_tiles(strips_of_y: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    """Cut strips of y anew: into rows of tiles."""
    filled = 0
    for strip in strips_of_y:
        while len(strip):
            if not filled:
                tiles = np.empty((TILE_CELLS, *strip.shape[1:]), dtype=strip.dtype)
            part = strip[: TILE_CELLS - filled]
            tiles[filled : filled + len(part)] = part
            filled = (filled + len(part)) % TILE_CELLS
            strip = strip[len(part) :]
            if not filled:
                yield tiles
    if filled:
        yield tiles[:filled]


def _decodes_to(family: Family, payload: bytes, v_hat: np.ndarray, tenths: int) -> bool:
    """Whether a tile's payload gives the encoder's latents, int32 [h, w, M]."""
    height, width, _ = v_hat.shape
    return np.array_equal(family.decode_latents(payload, tenths, height, width), v_hat)


@without_autocast()
def psnr_db(
    picture: PictureSource,
    data: bytes,
    load: Callable[[ModelEntry], Family] = model_store.load_codec,
) -> float:
    """PSNR of the picture in a `.lat` file against what went in, over all samples of R, G and B, or
    of grey as it is shown, which is the luma of what was decoded.

    Colours that alpha hides do not count.
    """
    file = container.read(data)
    error, samples = 0, 0
    for left, top, decoded in pixel_parts(file, family_of(file.header, load), file.header.whole):
        height, width, _ = decoded.shape
        part = picture.part(slice(top, top + height), slice(left, left + width))
        shown = grey_of(decoded)[..., None] if file.header.colour.is_grey else decoded
        difference = shown.astype(np.int32) - part.pixels[..., : shown.shape[2]]
        if part.alpha is not None:
            difference = difference[part.alpha > 0]
        error += int(np.square(difference).sum(dtype=np.int64))
        samples += difference.size
    return 10 * math.log10(255**2 * samples / error) if error else math.inf
