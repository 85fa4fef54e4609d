"""Tiles cover an image once, and their halos make them invisible."""

from __future__ import annotations

import numpy as np
import pytest

import latentcodec
from latentcodec import container
from latentcodec.codec import _analyse_tile
from latentcodec.container import Colour
from latentcodec.decoder import Region, decode_picture
from latentcodec.families.family import Family
from latentcodec.image import Picture
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
        tile = _analyse_tile(family, Picture(pixels, Colour.RGB, {}), 500, down, right)
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


@pytest.fixture(scope="module")
def large(photo: np.ndarray) -> bytes:
    """Four tiles with alpha: 1536 x 1100 px."""
    pixels = np.tile(photo, (3, 2, 1))[:1100]
    alpha = np.add.outer(np.arange(1100), np.arange(1536)).astype(np.uint8)
    return latentcodec.encode(np.dstack([pixels, alpha]), quality=20)


@pytest.mark.parametrize(
    "region",
    [
        (0, 0, 1536, 1100),
        (0, 0, 1, 1),
        (1535, 1099, 1, 1),
        (1000, 1010, 60, 40),
        (333, 5, 7, 1095),
        (1023, 1023, 2, 2),
        (500, 500, 100, 100),
    ],
)
def test_a_region_is_a_part_of_the_whole(large: bytes, region: tuple[int, int, int, int]) -> None:
    left, top, width, height = region
    whole = np.asarray(latentcodec.decode(large)).astype(int)
    part = np.asarray(latentcodec.decode(large, region)).astype(int)
    wanted = whole[top : top + height, left : left + width]
    assert part.shape == wanted.shape
    assert np.abs(part - wanted).max() <= 1
    assert np.array_equal(part[..., 3], wanted[..., 3])


def test_a_region_needs_only_its_tiles(large: bytes) -> None:
    """A damaged payload elsewhere is not looked at."""
    file = container.read(large)
    file.tiles[3] = b""
    damaged = container.write(file)
    assert latentcodec.decode(damaged, (100, 100, 50, 50)).size == (50, 50)
    with pytest.raises(latentcodec.LatError):
        latentcodec.decode(damaged, (1010, 1010, 8, 8))


@pytest.mark.parametrize(
    "region", [(-1, 0, 5, 5), (0, 0, 0, 5), (1530, 0, 7, 1), (0, 1099, 1, 2), (9**9, 0, 1, 1)]
)
def test_regions_outside_are_refused(large: bytes, region: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="region"):
        decode_picture(large, Region(*region))
