"""The chain to a file: picture -> tiles -> analysis -> integers -> container."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from latentcodec import container, model_store
from latentcodec.alpha import HiddenColours, encode_alpha
from latentcodec.container import Header, LatFile
from latentcodec.decoder import family_of, pixel_parts
from latentcodec.errors import VerificationFailed
from latentcodec.header import tenths_of
from latentcodec.image import Source
from latentcodec.tiling import TILE_CELLS, Span, cells, grid, padded, pixels_of

if TYPE_CHECKING:
    from latentcodec.families.family import Family
    from latentcodec.model_store import ModelEntry


def encode_picture(
    picture: Source,
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
    tenths = tenths_of(quality)
    container.check_size(picture.width, picture.height)
    entry = model_store.by_name(model)
    family = load(entry)
    hidden = _hidden_colours(picture) if picture.colour.has_alpha else None
    tiles, alphas = [], []
    for down, right in _grid(picture, family.analysis_halo):
        y = _analyse_tile(family, picture, tenths, down, right, hidden)
        payload, v_hat = family.encode_latents(y, tenths)
        if verify and not _decodes_to(family, payload, v_hat, tenths):
            raise VerificationFailed("the file does not decode to the latents that were encoded")
        tiles.append(payload)
        if hidden is not None:
            alpha = picture.part(pixels_of(down.own), pixels_of(right.own)).alpha
            assert alpha is not None
            alphas.append(encode_alpha(alpha))
    header = Header(
        picture.width, picture.height, picture.colour, tenths, entry.code, entry.short_hash
    )
    return container.write(LatFile(header, tiles, picture.metadata, alphas))


def _grid(picture: Source, halo: int) -> Iterator[tuple[Span, Span]]:
    return grid(cells(picture.height), cells(picture.width), TILE_CELLS, halo)


def _hidden_colours(picture: Source) -> HiddenColours:
    def parts() -> Iterator[tuple[int, int, np.ndarray, np.ndarray]]:
        for down, right in _grid(picture, 0):
            rows, columns = pixels_of(down.own), pixels_of(right.own)
            part = picture.part(rows, columns)
            assert part.alpha is not None
            yield rows.start, columns.start, part.pixels, part.alpha

    return HiddenColours((picture.height, picture.width), parts())


def _analyse_tile(
    family: Family,
    picture: Source,
    tenths: int,
    down: Span,
    right: Span,
    hidden: HiddenColours | None = None,
) -> np.ndarray:
    """y of one tile, float32 [h, w, M]; the image's last pixels are repeated beyond its edge."""
    rows, columns = pixels_of(down.seen), pixels_of(right.seen)
    part = picture.part(rows, columns)
    seen = part.pixels
    if hidden is not None and part.alpha is not None:
        seen = hidden.smooth(rows.start, columns.start, seen, part.alpha)
    return family.analyse(padded(seen), tenths)[down.inner, right.inner]


def _decodes_to(family: Family, payload: bytes, v_hat: np.ndarray, tenths: int) -> bool:
    """Whether a tile's payload gives the encoder's latents, int32 [h, w, M]."""
    height, width, _ = v_hat.shape
    return np.array_equal(family.decode_latents(payload, tenths, height, width), v_hat)


def psnr_db(picture: Source, data: bytes) -> float:
    """PSNR over all RGB samples of the picture in a `.lat` file against what went in.

    Colours that alpha hides do not count.
    """
    file = container.read(data)
    error, samples = 0, 0
    for left, top, decoded in pixel_parts(file, family_of(file.header)):
        height, width, _ = decoded.shape
        part = picture.part(slice(top, top + height), slice(left, left + width))
        difference = decoded.astype(np.int32) - part.pixels
        if part.alpha is not None:
            difference = difference[part.alpha > 0]
        error += int(np.square(difference).sum(dtype=np.int64))
        samples += difference.size
    return 10 * math.log10(255**2 * samples / error) if error else math.inf
