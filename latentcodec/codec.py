"""The chain to a file: picture -> tiles -> analysis -> integers -> container."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from latentcodec import container, model_store
from latentcodec.alpha import encode_alpha, smooth_hidden
from latentcodec.container import Header, LatFile
from latentcodec.decoder import decode_picture
from latentcodec.errors import LimitExceeded, VerificationFailed
from latentcodec.image import Picture
from latentcodec.tiling import CELL_PX, TILE_CELLS, Span, cells, grid, pixels_of

if TYPE_CHECKING:
    from latentcodec.families.family import Family
    from latentcodec.model_store import ModelEntry


def encode_picture(
    picture: Picture,
    quality: float,
    model: str,
    verify: bool = False,
    load: Callable[[ModelEntry], Family] = model_store.load_codec,
) -> bytes:
    """A picture as the bytes of a `.lat` file.

    quality: 1 to 100, kept to a tenth. verify: decode the latents and compare. load: gives the
    working model. Raises UnknownModel, LimitExceeded, ValueError and, if it comes to that,
    VerificationFailed.
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
    family = load(entry)
    pixels, alphas = picture.pixels, []
    spans = _grid((height, width), family.analysis_halo)
    if picture.alpha is not None:
        pixels = smooth_hidden(pixels, picture.alpha)
        alphas = [encode_alpha(picture.alpha[pixels_of(d.own), pixels_of(r.own)]) for d, r in spans]
    tiles = []
    for down, right in spans:
        y = _analyse_tile(family, pixels, tenths, down, right)
        payload, v_hat = family.encode_latents(y, tenths)
        if verify and not _decodes_to(family, payload, v_hat, tenths):
            raise VerificationFailed("the file does not decode to the latents that were encoded")
        tiles.append(payload)
    header = Header(width, height, picture.colour, tenths, entry.code, entry.short_hash)
    return container.write(LatFile(header, tiles, picture.metadata, alphas))


def _grid(size_px: tuple[int, ...], halo: int) -> list[tuple[Span, Span]]:
    return list(grid(cells(size_px[0]), cells(size_px[1]), TILE_CELLS, halo))


def _analyse_tile(
    family: Family, pixels: np.ndarray, tenths: int, down: Span, right: Span
) -> np.ndarray:
    """y of one tile, float32 [h, w, M]; the image's last pixels are repeated beyond its edge."""
    seen = pixels[pixels_of(down.seen), pixels_of(right.seen)]
    below, beside = -seen.shape[0] % CELL_PX, -seen.shape[1] % CELL_PX
    padded = np.pad(seen, ((0, below), (0, beside), (0, 0)), mode="edge")
    return family.analyse(padded, tenths)[down.inner, right.inner]


def _decodes_to(family: Family, payload: bytes, v_hat: np.ndarray, tenths: int) -> bool:
    """Whether a tile's payload gives the encoder's latents, int32 [h, w, M]."""
    height, width, _ = v_hat.shape
    return np.array_equal(family.decode_latents(payload, tenths, height, width), v_hat)


def psnr_db(picture: Picture, data: bytes) -> float:
    """PSNR over all RGB samples of the picture in a `.lat` file against what went in.

    Colours that alpha hides do not count.
    """
    difference = decode_picture(data).pixels.astype(np.float32) - picture.pixels
    if picture.alpha is not None:
        difference = difference[picture.alpha > 0]
    mse = float(np.square(difference).mean()) if difference.size else 0.0
    return 10 * math.log10(255**2 / mse) if mse else math.inf
