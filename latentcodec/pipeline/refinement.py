"""Better latents for the tiles of a picture: the encoder's work from effort 3 on.

An effort is a number of passes over the picture, and has all passes of the efforts below it. A pass
looks for better latents for one tile after another, with those around it as they are by then, codes
them with the exact prior, and keeps them where that lowers lambda * error + bits of the whole
picture: so no effort is worse than a lower one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from latentcodec.errors import LatError
from latentcodec.format.container import tile_bytes
from latentcodec.images.canvas import grey_of
from latentcodec.images.picture import PictureSource
from latentcodec.pipeline.hidden_colours import HiddenColours
from latentcodec.pipeline.tiling import TILE_CELLS, Span, cells, grid, padded, pixels_of
from latentcodec.runtime.tile_view import TileView

if TYPE_CHECKING:
    from torch import Tensor

    from latentcodec.runtime.base import Family, TileCoder
    from latentcodec.runtime.model_store import Tune
    from latentcodec.runtime.torch_refinement import Descent

FIRST_EFFORT = 3  # that refines
_UPDATES = (3, 3, 6, 12, 24, 48, 96)  # of the passes, one for each effort from the first on
_COUNTED_CELLS = 3  # around a tile, whose error counts while its latents are looked for
_LEAST_CELLS = 12  # so many at least: enough for five scales of MS-SSIM
_BLOCK_CELLS = 16  # 256 px, which `models.distortion` measures one by one
# By this part of the cost at least must it fall: floating point makes differences far smaller.
_LEAST_GAIN = 1e-5

Progress = Callable[[float], None]  # given the part that is done, 0 to 1


def silent(done: float) -> None:
    """Progress that nobody looks at."""


@dataclasses.dataclass
class _Tile:
    """A tile, where it is in latent positions, and how it is coded by now."""

    rows: slice
    columns: slice
    coder: TileCoder
    payload: bytes
    v_hat: np.ndarray  # int16 or int32 [h, w, M] in 1/16 steps
    wanted: np.ndarray | None  # v, float32 [h, w, M] in steps, as it came from the analysis
    curvature: Tensor | None = None  # as earlier passes have learned it


class _Count:
    """How many updates are done of all that there may be."""

    def __init__(self, total: int, progress: Progress) -> None:
        self._total, self._progress = total, progress
        self._before = self._done = 0

    def one(self) -> None:
        """One more is done."""
        self._done += 1
        self._progress(self._done / self._total)

    def reach(self, updates: int) -> None:
        """A tile has had its updates, fewer than these perhaps."""
        self._before += updates
        if self._done < self._before:
            self._done = self._before
            self._progress(self._done / self._total)


class Refinement:
    """Of one picture."""

    def __init__(
        self,
        family: Family,
        picture: PictureSource,
        tenths: int,
        *,
        tune: Tune,
        hidden: HiddenColours | None,
    ) -> None:
        """tune: the measure of error. Raises LatError where the runtime has no gradients."""
        if not family.networks.differentiable:
            raise LatError("effort 3 to 9 need torch: ONNX Runtime gives no gradients")
        self._family, self._picture, self._tenths = family, picture, tenths
        self._hidden, self._tune = hidden, tune
        self._size = cells(picture.height), cells(picture.width)
        self._lambda = family.config.lambda_of(family.level(tenths))
        self._tiles: dict[int, _Tile] = {}

    def run(
        self, latents: Iterable[tuple[int, np.ndarray]], effort: int, progress: Progress
    ) -> Iterator[tuple[int, bytes, np.ndarray]]:
        """Number, payload and v_hat of each tile after the passes of an effort.

        latents: number and y, float32 [h, w, M], of each tile.
        """
        places = list(grid(*self._size, TILE_CELLS))
        for number, y in latents:
            self._tiles[number] = self._tile(*places[number], y)
            del y  # a view of a whole row of tiles
        passes = _UPDATES[: effort + 1 - FIRST_EFFORT]
        count = _Count(len(self._tiles) * sum(passes), progress)
        for tile in self._tiles.values():
            # What effort 1 would make: so that this one is no worse than that one either.
            assert tile.wanted is not None
            self._keep_better(tile, tile.wanted)
            tile.wanted = None
        for number, updates in enumerate(passes, 1):
            for _, tile in sorted(self._tiles.items()):
                self._refine(tile, updates, count, is_last=number == len(passes))
        for number, tile in self._tiles.items():
            yield number, tile.payload, tile.v_hat.astype(np.int32)

    def _tile(self, down: Span, right: Span, y: np.ndarray) -> _Tile:
        """As effort 2 codes it."""
        coder, v = self._family.tile(y, self._tenths), self._family.steps_of(y, self._tenths)
        payload, v_hat = coder.encode(v)
        return _Tile(down.own, right.own, coder, payload, _narrow(v_hat), v)

    def _refine(self, tile: _Tile, updates: int, count: _Count, is_last: bool) -> None:
        descent = self._descent(tile)
        v, curvature = descent.run(updates, count.one, tile.curvature)
        tile.curvature = None if is_last else curvature
        del descent  # and what it knows of the picture: the same comes again
        self._keep_better(tile, v)
        count.reach(updates)

    def _descent(self, tile: _Tile) -> Descent:
        from latentcodec.runtime.torch_refinement import Descent

        counted = [
            _around(span, max(_COUNTED_CELLS, _LEAST_CELLS - (span.stop - span.start)), side)
            for span, side in zip((tile.rows, tile.columns), self._size, strict=True)
        ]
        seen = [
            _around(span, self._family.synthesis_halo // 2, side)
            for span, side in zip(counted, self._size, strict=True)
        ]
        pixels, visible = self._pixels(*counted)
        view = TileView(
            around=self._window(*seen),
            rows=_within(tile.rows, seen[0]),
            columns=_within(tile.columns, seen[1]),
            shown=(
                pixels_of(_within(counted[0], seen[0])),
                pixels_of(_within(counted[1], seen[1])),
            ),
            pixels=pixels,
            counted=visible,
            is_grey=self._picture.colour.is_grey,
        )
        return Descent(
            self._family.networks,
            tile.coder,
            view,
            level=self._family.level(self._tenths),
            lambda_=self._lambda,
            tune=self._tune,
        )

    def _keep_better(self, tile: _Tile, v: np.ndarray) -> None:
        """Code a tile as v, float32 [h, w, M] in steps, where the picture gains by it."""
        payload, v_hat = tile.coder.encode(v, plain=True)
        if np.array_equal(v_hat, tile.v_hat):
            return
        before = self._lambda * self._error(tile, tile.v_hat) + 8 * tile_bytes(tile.payload)
        after = self._lambda * self._error(tile, v_hat) + 8 * tile_bytes(payload)
        if after < before * (1 - _LEAST_GAIN):
            tile.payload, tile.v_hat = payload, _narrow(v_hat)

    def _error(self, tile: _Tile, v_hat: np.ndarray) -> float:
        """The distortion of all pixels that a tile is seen in, if it were v_hat."""
        from latentcodec.runtime.torch_refinement import error_of

        halo = self._family.synthesis_halo
        shown = [
            _blocks_around(_around(span, halo, side), side)
            for span, side in zip((tile.rows, tile.columns), self._size, strict=True)
        ]
        seen = [_around(span, halo, side) for span, side in zip(shown, self._size, strict=True)]
        window = self._window(*seen)
        window[_within(tile.rows, seen[0]), _within(tile.columns, seen[1])] = v_hat
        rows, columns = (
            pixels_of(_within(one, other)) for one, other in zip(shown, seen, strict=True)
        )
        decoded = self._family.synthesise(window, self._tenths)[rows, columns]
        if self._picture.colour.is_grey:
            decoded = np.broadcast_to(grey_of(decoded)[..., None], decoded.shape)
        return error_of(decoded, *self._pixels(*shown), self._tune)

    def _window(self, rows: slice, columns: slice) -> np.ndarray:
        """v_hat of some positions, int32 [h, w, M]."""
        shape = rows.stop - rows.start, columns.stop - columns.start, self._family.config.latents
        window = np.empty(shape, dtype=np.int32)
        for tile in self._tiles_at(rows, columns):
            both = _shared(tile.rows, rows), _shared(tile.columns, columns)
            into = _within(both[0], rows), _within(both[1], columns)
            window[into] = tile.v_hat[_within(both[0], tile.rows), _within(both[1], tile.columns)]
        return window

    def _tiles_at(self, rows: slice, columns: slice) -> Iterator[_Tile]:
        across = -(-self._size[1] // TILE_CELLS)
        for down in range(rows.start // TILE_CELLS, -(-rows.stop // TILE_CELLS)):
            for right in range(columns.start // TILE_CELLS, -(-columns.stop // TILE_CELLS)):
                yield self._tiles[down * across + right]

    def _pixels(self, rows: slice, columns: slice) -> tuple[np.ndarray, np.ndarray | None]:
        """What is to be shown at some positions, uint8 [h, w, 3], and where that is seen: bool
        [h, w], or None if everywhere."""
        y, x = pixels_of(rows), pixels_of(columns)
        part = self._picture.part(y, x)
        pixels, visible = part.pixels, None
        if part.alpha is not None:
            assert self._hidden is not None
            pixels = self._hidden.smooth(y.start, x.start, pixels, part.alpha)
            visible = part.alpha > 0
        height, width, _ = pixels.shape
        whole = padded(pixels)
        if whole.shape != pixels.shape or visible is not None:
            seen = np.zeros(whole.shape[:2], dtype=bool)
            seen[:height, :width] = True if visible is None else visible
            visible = seen
        return whole, visible


def _narrow(v_hat: np.ndarray) -> np.ndarray:
    """In half the memory, where that holds it: the latents of all tiles are kept."""
    narrow = v_hat.astype(np.int16)
    return narrow if np.array_equal(narrow, v_hat) else v_hat


def _around(span: slice, halo: int, side: int) -> slice:
    """A span with what is beside it, within 0..side."""
    return slice(max(span.start - halo, 0), min(span.stop + halo, side))


def _blocks_around(span: slice, side: int) -> slice:
    """A span made longer to whole blocks of pixels, of which the last one takes what is left."""
    last = max(side // _BLOCK_CELLS - 1, 0) * _BLOCK_CELLS
    start = min(span.start // _BLOCK_CELLS * _BLOCK_CELLS, last)
    stop = -(-span.stop // _BLOCK_CELLS) * _BLOCK_CELLS
    return slice(start, side if stop > last else stop)


def _shared(one: slice, other: slice) -> slice:
    return slice(max(one.start, other.start), min(one.stop, other.stop))


def _within(span: slice, seen: slice) -> slice:
    """A span, counted from the start of another one."""
    return slice(span.start - seen.start, span.stop - seen.start)
