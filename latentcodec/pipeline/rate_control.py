"""The quality at which a file has a wanted size, or a picture a wanted fidelity.

An encoder that takes long is not searched with: a fast one finds the quality, and `finish` is asked
for it, and for the few beside it that differences between the two lead to.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from latentcodec.errors import GoalMissed
from latentcodec.format.container import QUALITY_TENTHS
from latentcodec.format.header import tenths_of
from latentcodec.images.picture import PictureSource
from latentcodec.options import GOALS, EncodeOptions
from latentcodec.pipeline import encoder
from latentcodec.pipeline.refinement import FIRST_EFFORT, Progress, silent
from latentcodec.runtime import model_store

if TYPE_CHECKING:
    from latentcodec.runtime.base import Family
    from latentcodec.runtime.model_store import ModelEntry

_NO_GOAL: dict[str, Any] = dict.fromkeys(GOALS)
_NEAR = 0.01  # a file this little below the wanted size is good enough
_FINISHED_NEAR = 0.02  # of a finished one
_FINISHED_NEAR_DB = 0.05  # and a picture this little above the wanted fidelity
_MOST_FINISHED = 6  # files, from which the best is taken
_LOWEST, _HIGHEST = QUALITY_TENTHS.start, QUALITY_TENTHS.stop - 1
_COARSE = range(100, _HIGHEST, 100)

Encode = Callable[[float], bytes]  # from a quality, 1 to 100, to the bytes of a file


@dataclasses.dataclass(frozen=True)
class Found:
    """A file, its quality, and whether it is what was wanted or only as near as the scale goes."""

    data: bytes
    quality: float
    reached: bool


def encode(
    picture: PictureSource,
    options: EncodeOptions,
    *,
    model: str,
    load: Callable[[ModelEntry], Family] = model_store.load_codec,
    progress: Progress = silent,
) -> Found:
    """The file at the quality of the options, or at that which their goal asks for.

    Raises GoalMissed where no quality reaches it, and as `encoder.encode` does.
    """

    def encoded(effort: int, quality: float) -> bytes:
        at = dataclasses.replace(options, quality=quality, effort=effort, **_NO_GOAL)
        return encoder.encode(picture, at, model=model, load=load, progress=progress)

    fast = functools.partial(encoded, min(options.effort, FIRST_EFFORT - 1))
    finish = functools.partial(encoded, options.effort) if options.effort >= FIRST_EFFORT else None
    limit_bytes, wanted_db = _limit_bytes(picture, options), options.target_psnr
    if limit_bytes is not None:
        found = for_size(fast, limit_bytes, finish)
        problem = (
            f"the smallest file of this picture has {len(found.data)} bytes, "
            f"more than the {limit_bytes:.0f} that are wanted"
        )
    elif wanted_db is not None:
        psnr_db = functools.partial(encoder.psnr_db, picture, load=load)
        found = for_psnr(fast, psnr_db, wanted_db, finish)
        problem = f"even quality 100 falls short of {wanted_db:g} dB with this picture"
    else:
        quality = tenths_of(options.quality) / 10  # as the file has it
        return Found(encoded(options.effort, quality), quality, reached=True)
    if not found.reached:
        raise GoalMissed(problem)
    return found


def _limit_bytes(picture: PictureSource, options: EncodeOptions) -> float | None:
    """What the file may have, if one of the three limits is given."""
    pixels = picture.height * picture.width
    if options.target_bpp is not None:
        return options.target_bpp * pixels / 8
    if options.ratio is not None:
        return picture.colour.channels * pixels / options.ratio
    return options.target_size


def for_size(encode: Encode, size_bytes: float, finish: Encode | None = None) -> Found:
    """The best quality whose file has at most `size_bytes` bytes: a few encodings.

    encode: sizes rise with the quality. Not reached where even the smallest file is larger; that
    one is returned then. finish: as `encode`, but slow: its file is returned, not more than 2 %
    smaller than wanted where the scale allows.
    """
    encode = functools.cache(encode)
    found = _for_size(encode, size_bytes)
    if finish is None:
        return found
    low, high, best = _LOWEST - 1, _HIGHEST + 1, found
    tenths = round(found.quality * 10)
    for _ in range(_MOST_FINISHED):
        data = finish(tenths / 10)
        if len(data) <= size_bytes:
            low, best = tenths, Found(data, tenths / 10, reached=True)
            if len(data) >= size_bytes * (1 - _FINISHED_NEAR):
                break
        else:
            high = tenths
            if tenths == _LOWEST:
                return Found(data, tenths / 10, reached=False)
        # A fast file that is larger than the slow one by as much as here, and a little to spare.
        aim = size_bytes * (1 - _NEAR / 2) * len(encode(tenths / 10)) / len(data)
        tenths = min(max(round(_for_size(encode, aim).quality * 10), low + 1), high - 1)
        if not low < tenths < high:
            break
    return best


def _for_size(encode: Encode, size_bytes: float) -> Found:
    low, high = _LOWEST, _HIGHEST
    best, largest = encode(low / 10), encode(high / 10)
    if len(best) > size_bytes:
        return Found(best, low / 10, reached=False)
    if len(largest) <= size_bytes:
        return Found(largest, high / 10, reached=True)
    above, straight = len(largest), True
    while high - low > 1 and len(best) < size_bytes * (1 - _NEAR):
        # The logarithm of the size is nearly straight over the quality; halving every other time
        # bounds the number of encodings where it is not.
        share = math.log(size_bytes / len(best)) / math.log(above / len(best)) if straight else 0.5
        straight = not straight
        middle = min(max(low + round((high - low) * share - 0.5), low + 1), high - 1)
        data = encode(middle / 10)
        if len(data) <= size_bytes:
            low, best = middle, data
        else:
            high, above = middle, len(data)
    return Found(best, low / 10, reached=True)


def for_psnr(
    encode: Encode,
    psnr_db: Callable[[bytes], float],
    wanted_db: float,
    finish: Encode | None = None,
) -> Found:
    """The lowest quality whose picture has at least `wanted_db`.

    psnr_db: of the picture in a file. Not reached where even the best quality falls short.
    finish: as `encode`, but slow: its file is returned, with not more than 0.05 dB too many where
    the scale allows.
    """
    encode = functools.cache(encode)
    found = _for_psnr(encode, psnr_db, wanted_db)
    if finish is None:
        return found
    low, high, best = _LOWEST - 1, _HIGHEST + 1, found
    tenths = round(found.quality * 10)
    for _ in range(_MOST_FINISHED):
        data = finish(tenths / 10)
        reached_db = psnr_db(data)
        if reached_db >= wanted_db:
            high, best = tenths, Found(data, tenths / 10, reached=True)
            if reached_db <= wanted_db + _FINISHED_NEAR_DB:
                break
        else:
            low = tenths
            if tenths == _HIGHEST:
                return Found(data, tenths / 10, reached=False)
        aim = wanted_db + _FINISHED_NEAR_DB / 2 - reached_db + psnr_db(encode(tenths / 10))
        aimed = _for_psnr(encode, psnr_db, aim)
        tenths = min(max(round(aimed.quality * 10), low + 1), high - 1)
        if not low < tenths < high:
            break
    return best


def _for_psnr(encode: Encode, psnr_db: Callable[[bytes], float], wanted_db: float) -> Found:
    low, high = _LOWEST, _HIGHEST
    smallest, best = encode(low / 10), encode(high / 10)
    if psnr_db(smallest) >= wanted_db:
        return Found(smallest, low / 10, reached=True)
    if psnr_db(best) < wanted_db:
        # On patterns of single lines PSNR falls again with the quality: then a coarse look.
        for middle in _COARSE:
            if psnr_db(data := encode(middle / 10)) >= wanted_db:
                high, best = middle, data
                break
        else:
            return Found(best, high / 10, reached=False)
    while high - low > 1:
        middle = (low + high) // 2
        data = encode(middle / 10)
        if psnr_db(data) >= wanted_db:
            high, best = middle, data
        else:
            low = middle
    return Found(best, high / 10, reached=True)
