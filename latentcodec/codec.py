"""The chain: picture -> tiles -> analysis -> integers -> container, and back."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from latentcodec import container, model_store
from latentcodec.alpha import decode_alpha, encode_alpha, smooth_hidden
from latentcodec.container import Header, LatFile
from latentcodec.errors import LimitExceeded
from latentcodec.image import Picture
from latentcodec.tiling import CELL_PX, Span, cells, grid

if TYPE_CHECKING:
    from latentcodec.families.family import Family

_TILE_CELLS = container.TILE_PX // CELL_PX


def encode_picture(picture: Picture, quality: float, model: str) -> bytes:
    """A picture as the bytes of a `.lat` file.

    quality: 1 to 100, kept to a tenth. Raises UnknownModel, LimitExceeded and ValueError.
    """
    if not 1 <= quality <= 100:
        raise ValueError(f"quality must be 1 to 100, not {quality}")
    tenths = round(quality * 10)
    height, width, _ = picture.pixels.shape
    if max(height, width) > container.MAX_SIDE_PX or height * width > container.MAX_PIXELS:
        raise LimitExceeded(
            f"the picture has {width} x {height} px; a side may have {container.MAX_SIDE_PX} px, "
            f"a picture {container.MAX_PIXELS}"
        )
    entry = model_store.by_name(model)
    family = model_store.load_codec(entry)
    pixels, alphas = picture.pixels, []
    spans = _grid((height, width), family.analysis_halo)
    if picture.alpha is not None:
        pixels = smooth_hidden(pixels, picture.alpha)
        alphas = [encode_alpha(picture.alpha[_pixels(d.own), _pixels(r.own)]) for d, r in spans]
    tiles = [
        family.encode_latents(_analyse_tile(family, pixels, tenths, down, right), tenths)[0]
        for down, right in spans
    ]
    header = Header(width, height, picture.colour, tenths, entry.code, entry.short_hash)
    return container.write(LatFile(header, tiles, picture.metadata, alphas))


def decode_picture(data: bytes) -> Picture:
    """The picture in the bytes of a `.lat` file. Raises subclasses of LatError."""
    file = container.read(data)
    family = model_store.load_codec(
        model_store.by_code(file.header.model_code, file.header.weights_hash)
    )
    v_hat = decode_latents(file, family)
    pixels = np.empty((file.header.height_px, file.header.width_px, 3), dtype=np.uint8)
    tenths = file.header.quality_tenths
    for down, right in _grid(pixels.shape[:2], family.synthesis_halo):
        x = family.synthesise(v_hat[down.seen, right.seen], tenths)
        target = pixels[_pixels(down.own), _pixels(right.own)]
        target[:] = x[_pixels(down.inner), _pixels(right.inner)][: len(target), : target.shape[1]]
    return Picture(pixels, file.header.colour, file.metadata, _alpha_of(file))


def _alpha_of(file: LatFile) -> np.ndarray | None:
    """The alpha samples of a whole file, uint8 [H, W], if it has any."""
    if not file.header.colour.has_alpha:
        return None
    plane = np.empty((file.header.height_px, file.header.width_px), dtype=np.uint8)
    for payload, (down, right) in zip(file.alphas, _grid(plane.shape, halo=0), strict=True):
        target = plane[_pixels(down.own), _pixels(right.own)]
        target[:] = decode_alpha(payload, *target.shape)
    return plane


def decode_latents(file: LatFile, family: Family) -> np.ndarray:
    """The latents of a whole file, int32 [h, w, M] in 1/16 steps: the same on every machine."""
    height, width = cells(file.header.height_px), cells(file.header.width_px)
    v_hat = np.empty((height, width, family.config.latents), dtype=np.int32)
    tenths = file.header.quality_tenths
    for tile, (down, right) in zip(
        file.tiles, grid(height, width, _TILE_CELLS, halo=0), strict=True
    ):
        shape = down.stop - down.start, right.stop - right.start
        v_hat[down.own, right.own] = family.decode_latents(tile, tenths, *shape)
    return v_hat


def _grid(size_px: tuple[int, ...], halo: int) -> list[tuple[Span, Span]]:
    return list(grid(cells(size_px[0]), cells(size_px[1]), _TILE_CELLS, halo))


def _pixels(positions: slice) -> slice:
    return slice(positions.start * CELL_PX, positions.stop * CELL_PX)


def _analyse_tile(
    family: Family, pixels: np.ndarray, tenths: int, down: Span, right: Span
) -> np.ndarray:
    """y of one tile, float32 [h, w, M]; the image's last pixels are repeated beyond its edge."""
    seen = pixels[_pixels(down.seen), _pixels(right.seen)]
    below, beside = -seen.shape[0] % CELL_PX, -seen.shape[1] % CELL_PX
    padded = np.pad(seen, ((0, below), (0, beside), (0, 0)), mode="edge")
    return family.analyse(padded, tenths)[down.inner, right.inner]


def psnr_db(picture: Picture, data: bytes) -> float:
    """PSNR over all RGB samples of the picture in a `.lat` file against what went in.

    Colours that alpha hides do not count.
    """
    difference = decode_picture(data).pixels.astype(np.float32) - picture.pixels
    if picture.alpha is not None:
        difference = difference[picture.alpha > 0]
    mse = float(np.square(difference).mean()) if difference.size else 0.0
    return 10 * math.log10(255**2 / mse) if mse else math.inf
