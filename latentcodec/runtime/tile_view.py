"""What is to be looked at while the latents of a tile are refined."""

from __future__ import annotations

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class TileView:
    """A tile among what is around it, in latent positions unless it is in pixels.

    around: v_hat of the tile and its surroundings, int32 [H, W, M] in 1/16 steps. rows, columns:
    the tile's. pixels: uint8 [h, w, 3], what is to be shown at the rows and columns `shown`, in
    pixels; counted: bool [h, w], those whose error counts, or None for all. is_grey: whether only
    the luma of pixels is shown.
    """

    around: np.ndarray
    rows: slice
    columns: slice
    shown: tuple[slice, slice]
    pixels: np.ndarray
    counted: np.ndarray | None
    is_grey: bool = False
