"""Tiles and strips cover an image once, and nobody sees where they end."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

import latentcodec
from latentcodec.format import container
from latentcodec.format.container import Colour
from latentcodec.images.picture import Picture
from latentcodec.pipeline import encoder, tiling
from latentcodec.pipeline.tiling import cells, grid, spans, strips
from latentcodec.runtime.base import Family


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


@pytest.mark.parametrize("columns", [1, 63, 64, 200, 5000])
def test_strips_cover_once_and_are_no_larger_than_a_tile(columns: int) -> None:
    pieces = list(strips(slice(3, 300), columns))
    assert [row for piece in pieces for row in range(piece.start, piece.stop)] == list(
        range(3, 300)
    )
    for piece in pieces:
        rows = piece.stop - piece.start
        assert rows == 1 or rows * columns <= 64 * 64


@pytest.mark.parametrize(("tile", "column", "strip"), [(8, 16, 40), (8, 64, 21), (3, 6, 1000)])
def test_latents_of_tiles_are_those_of_the_whole(
    family_in_float32: Family,
    photo: np.ndarray,
    monkeypatch: pytest.MonkeyPatch,
    tile: int,
    column: int,
    strip: int,
) -> None:
    """tile: its side; column: width that is analysed at once; strip: positions in a strip."""
    monkeypatch.setattr(encoder, "TILE_CELLS", tile)
    monkeypatch.setattr(encoder, "_COLUMN_CELLS", column)
    monkeypatch.setattr(tiling, "_STRIP_CELLS", strip)
    picture = Picture(photo[:250, :330], Colour.RGB, {})
    whole = family_in_float32.analyse(tiling.padded(picture.pixels), 500)
    found = dict(encoder._latent_tiles(family_in_float32, picture, 500))
    places = list(grid(16, 21, tile))
    assert sorted(found) == list(range(len(places)))
    for number, (down, right) in enumerate(places):
        assert np.allclose(found[number], whole[down.own, right.own], atol=1e-4)


def test_synthesis_in_windows_has_no_seams(family: Family, photo: np.ndarray) -> None:
    _, v_hat = family.encode_latents(family.analyse(photo[:256, :320], 300), 300)
    whole = family.synthesise(v_hat, 300)
    halo = family.synthesis_halo
    for down, right in itertools.product(spans(16, 8, halo), spans(20, 8, halo)):
        x = family.synthesise(v_hat[down.seen, right.seen], 300)
        inner = x[tiling.pixels_of(down.inner), tiling.pixels_of(right.inner)]
        own = whole[tiling.pixels_of(down.own), tiling.pixels_of(right.own)]
        assert np.abs(inner.astype(int) - own).max() <= 1


@pytest.fixture(scope="module")
def large(photo: np.ndarray) -> bytes:
    """Four tiles with alpha: 1536 x 1100 px."""
    pixels = np.tile(photo, (3, 2, 1))[:1100]
    alpha = np.add.outer(np.arange(1100), np.arange(1536)).astype(np.uint8)
    return latentcodec.encode(np.dstack([pixels, alpha]), quality=20)


@pytest.mark.slow
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
    part = np.asarray(latentcodec.decode(large, region=region)).astype(int)
    wanted = whole[top : top + height, left : left + width]
    assert part.shape == wanted.shape
    assert np.abs(part - wanted).max() <= 1
    assert np.array_equal(part[..., 3], wanted[..., 3])


@pytest.mark.slow
def test_a_region_needs_only_its_tiles(large: bytes) -> None:
    """A damaged payload elsewhere is not looked at."""
    file = container.read(large)
    tiles = [tile if number != 3 else b"" for number, tile in enumerate(file.tiles)]
    damaged = container.write(dataclasses.replace(file, tiles=tiles))
    assert latentcodec.decode(damaged, region=(100, 100, 50, 50)).size == (50, 50)
    with pytest.raises(latentcodec.LatError):
        latentcodec.decode(damaged, region=(1010, 1010, 8, 8))


@pytest.mark.parametrize(
    "region", [(-1, 0, 5, 5), (0, 0, 0, 5), (1530, 0, 7, 1), (0, 1099, 1, 2), (9**9, 0, 1, 1)]
)
def test_regions_outside_are_refused(large: bytes, region: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="region"):
        latentcodec.decode(large, region=region)
