"""A preview of a picture that is encoded: means over squares of its pixels, a strip at a time."""

from __future__ import annotations

import numpy as np

from latentcodec.images.picture import PictureSource
from latentcodec.images.preview import SIDE_PX, preview_bytes


def preview_of(picture: PictureSource) -> bytes:
    """The payload of a PREVIEW chunk. Raises UnsupportedImage where Pillow has no WebP."""
    longest = max(picture.height, picture.width)
    side = max(longest // SIDE_PX, 1)  # what is still larger then is scaled by less than 2
    rows = [_row(picture, top, side) for top in range(0, picture.height, side)]
    width, height = (
        max(round(SIDE_PX * px / longest), 1) for px in (picture.width, picture.height)
    )
    return preview_bytes(np.stack(rows), (width, height))


def _row(picture: PictureSource, top: int, side: int) -> np.ndarray:
    """Means over squares of `side` px beside each other, uint8 [w, 3] or [w, 4].

    Colours count as much as they can be seen.
    """
    part = picture.part(slice(top, top + side), slice(None))
    starts = np.arange(0, picture.width, side)
    if part.alpha is None:
        total = np.add.reduceat(part.pixels.sum(0, dtype=np.int64), starts)
        return _divided(total, len(part.pixels) * _widths(starts, picture.width))
    alpha = part.alpha[..., None].astype(np.int64)
    weights = np.add.reduceat(alpha.sum(0), starts)
    colours = np.add.reduceat((part.pixels * alpha).sum(0), starts)
    opacity = _divided(weights, len(alpha) * _widths(starts, picture.width))
    return np.concatenate([_divided(colours, np.maximum(weights, 1)), opacity], axis=-1)


def _widths(starts: np.ndarray, width: int) -> np.ndarray:
    """Of the squares that begin there, the last cut off at the edge: [w, 1]."""
    return np.diff(starts, append=width)[:, None]


def _divided(total: np.ndarray, count: np.ndarray) -> np.ndarray:
    return ((total + count // 2) // count).astype(np.uint8)
