"""Error concealment: what stands where a picture is lost."""

from __future__ import annotations

from typing import Any

import numpy as np

from latentcodec.format.container import Region
from latentcodec.images.canvas import Canvas

_MID_GREY = 128


def conceal(canvas: Canvas[Any], holes: list[Region]) -> None:
    """Fill holes in what is on a canvas from around them."""
    for hole in holes:
        canvas.put_pixels(hole.left, hole.top, _filling(canvas, hole, holes))


def _filling(canvas: Canvas[Any], hole: Region, holes: list[Region]) -> np.ndarray:
    """Pixels for a hole, uint8 [h, w, 3]: means of the four pixels beside it in their row and
    column, each weighted by its nearness; mid grey where there are none."""
    down = np.arange(1, hole.height + 1, dtype=np.float32)[:, None, None]
    across = np.arange(1, hole.width + 1, dtype=np.float32)[None, :, None]
    total = np.zeros((hole.height, hole.width, 3), dtype=np.float32)
    weights = np.zeros((hole.height, hole.width, 1), dtype=np.float32)
    for line, distance in (
        (Region(hole.left, hole.top - 1, hole.width, 1), down),
        (Region(hole.left, hole.bottom, hole.width, 1), down[::-1]),
        (Region(hole.left - 1, hole.top, 1, hole.height), across),
        (Region(hole.right, hole.top, 1, hole.height), across[:, ::-1]),
    ):
        inside = canvas.whole.contains(line.left, line.top)
        if inside and not any(other.contains(line.left, line.top) for other in holes):
            total += canvas.pixels(line) / distance
            weights += 1 / distance
    if not weights.any():
        return np.full(total.shape, _MID_GREY, dtype=np.uint8)
    return np.rint(total / weights).astype(np.uint8)
