"""Tiles cover an image once, and their halos make them invisible."""

from __future__ import annotations

import numpy as np
import pytest

from latentcodec.codec import _analyse_tile
from latentcodec.families.family import Family
from latentcodec.tiling import cells, grid, spans


@pytest.mark.parametrize("size", [1, 63, 64, 65, 200])
def test_spans_cover_once(size: int) -> None:
    pieces = spans(size, 64, 5)
    owned = [i for s in pieces for i in range(size)[s.own]]
    assert owned == list(range(size))
    for s in pieces:
        assert list(range(size))[s.seen][s.inner] == list(range(size))[s.own]
        assert s.low == max(s.start - 5, 0)
        assert s.high == min(s.stop + 5, size)


def test_cells_round_up() -> None:
    assert [cells(n) for n in (1, 16, 17)] == [1, 1, 2]


def test_analysis_in_tiles_is_the_analysis_of_the_whole(family: Family, photo: np.ndarray) -> None:
    pixels = photo[:250, :330]
    padded = np.pad(pixels, ((0, 6), (0, 6), (0, 0)), mode="edge")
    whole = family.analyse(padded, 500)
    for down, right in grid(16, 21, 8, family.analysis_halo):
        tile = _analyse_tile(family, pixels, 500, down, right)
        assert np.allclose(tile, whole[down.own, right.own], atol=1e-3)


def test_synthesis_in_tiles_has_no_seams(family: Family, photo: np.ndarray) -> None:
    _, v_hat = family.encode_latents(family.analyse(photo[:256, :320], 300), 300)
    whole = family.synthesise(v_hat, 300)
    for down, right in grid(16, 20, 8, family.synthesis_halo):
        x = family.synthesise(v_hat[down.seen, right.seen], 300)
        cell = 16
        inner = x[
            down.inner.start * cell : down.inner.stop * cell,
            right.inner.start * cell : right.inner.stop * cell,
        ]
        own = whole[down.start * cell : down.stop * cell, right.start * cell : right.stop * cell]
        assert np.abs(inner.astype(int) - own).max() <= 1
