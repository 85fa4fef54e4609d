"""Tiles, windows and rectangles: what is read, kept and forgotten of a picture at work."""

from __future__ import annotations

import types
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image

import latentcodec
from latentcodec.format import container
from latentcodec.format.container import Colour, Header, LatFile, Region
from latentcodec.images.picture import ImageSource, Picture, source_of
from latentcodec.options import EncodeOptions
from latentcodec.pipeline import encoder, latent_tiles
from latentcodec.pipeline.decoder import pixel_parts
from latentcodec.pipeline.hidden_colours import HiddenColours
from latentcodec.pipeline.latent_tiles import LatentTiles
from latentcodec.runtime import model_store

CELL, TILE = 16, 64


class Places:
    """A family whose latents and pixels tell where in the picture they stand."""

    synthesis_halo = 5
    config = types.SimpleNamespace(latents=2)

    def __init__(self, header: Header, cores: int = 2) -> None:
        self._header, self._asked = header, list[int]()
        self.networks = types.SimpleNamespace(cores=lambda: cores)

    @property
    def decoded(self) -> int:
        return len(self._asked)

    def decode_latents(self, payload: bytes, tenths: int, height: int, width: int) -> np.ndarray:
        tile = self._header.tile_region(int(payload))
        self._asked.append(int(payload))
        y, x = np.mgrid[:height, :width]
        return np.stack([y + tile.top // CELL, x + tile.left // CELL], axis=2).astype(np.int32)

    def synthesise_strips(
        self, v_hat: Iterable[np.ndarray], tenths: int, scale: int
    ) -> Iterator[np.ndarray]:
        assert scale == 1
        next_row = None
        for strip in v_hat:
            assert strip.size <= 2 * TILE**2, "more than a megapixel at a time"
            assert next_row in (None, strip[0, 0, 0]), "rows between strips are missing"
            next_row = strip[-1, 0, 0] + 1
            yield self._pixels(strip)

    def _pixels(self, v_hat: np.ndarray) -> np.ndarray:
        assert (np.diff(v_hat[:, :, 0], axis=0) == 1).all(), "rows are missing"
        assert (np.diff(v_hat[:, :, 1], axis=1) == 1).all(), "columns are missing"
        places = (v_hat * CELL).repeat(CELL, axis=0).repeat(CELL, axis=1)
        places[:, :, 0] += np.tile(np.arange(CELL), len(v_hat))[:, None]
        places[:, :, 1] += np.tile(np.arange(CELL), v_hat.shape[1])
        return np.dstack([places % 251, places[:, :, :1] // 251]).astype(np.uint8)


def whole(width: int, height: int) -> np.ndarray:
    """What `Places` makes of a picture."""
    y, x = np.mgrid[:height, :width]
    return np.dstack([y % 251, x % 251, y // 251]).astype(np.uint8)


def file_of(width: int, height: int, cores: int = 2) -> tuple[LatFile, Any]:
    header = Header(width, height, Colour.RGB, 500, "HB03", bytes(4))
    rows, columns = header.tile_grid
    return LatFile(header, [b"%d" % i for i in range(rows * columns)], {}), Places(header, cores)


@pytest.mark.parametrize(
    "region",
    [
        Region(0, 0, 2300, 2150),
        Region(5, 7, 2200, 2140),
        Region(1000, 900, 1100, 1200),
        Region(1023, 1023, 2, 2),
        Region(2299, 2149, 1, 1),
        Region(64, 2048, 2048, 100),
    ],
)
def test_parts_make_up_a_region(region: Region) -> None:
    file, family = file_of(2300, 2150)
    pixels = np.zeros((region.height, region.width, 3), np.uint8)
    painted = np.zeros((region.height, region.width), np.uint8)
    for left, top, part in pixel_parts(file, family, region):
        place = slice(top, top + len(part)), slice(left, left + part.shape[1])
        pixels[place] = part
        painted[place] += 1
    assert (painted == 1).all()
    rows = slice(region.top, region.top + region.height)
    columns = slice(region.left, region.left + region.width)
    assert np.array_equal(pixels, whole(2300, 2150)[rows, columns])
    assert family.decoded <= len(file.tiles), "a tile was decoded twice"


@pytest.mark.slow
def test_strips_beside_a_wide_region_are_no_parts_of_it() -> None:
    """Strips of such a region are lower than what is seen around it."""
    file, family = file_of(9300, 700)
    region = Region(5, 203, 9200, 300)
    parts = list(pixel_parts(file, family, region))
    assert len(parts) > 2
    assert all(part.size for _, _, part in parts)
    assert [top for _, top, _ in parts] == [0, *np.cumsum([len(p) for _, _, p in parts])[:-1]]
    pixels = np.concatenate([part for _, _, part in parts])
    assert np.array_equal(pixels, whole(9300, 700)[203:503, 5:9205])


@pytest.mark.parametrize(("cores", "tiles"), [(1, 16), (2, 22)])
def test_latents_of_a_row_of_tiles_are_kept_and_of_the_next(
    cores: int, tiles: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the next one, where other cores decode it meanwhile."""
    file, family = file_of(6 * 1024, 4 * 1024, cores)
    most, window = 0, LatentTiles.window

    def watched(self: LatentTiles, rows: slice, columns: slice) -> np.ndarray:
        nonlocal most
        result = window(self, rows, columns)
        ahead = [task.result() for task in self._tasks.values() if task.done()]
        kept = [tile for _, tile in self._decoded.values()]
        most = max(most, sum(tile.nbytes for tile in kept + ahead))
        return result

    monkeypatch.setattr(LatentTiles, "window", watched)
    for _ in pixel_parts(file, family, file.header.whole):
        pass
    one = TILE * TILE * 2 * 2  # positions, latents, bytes of int16
    assert one * 6 < most < one * tiles
    assert family.decoded == 24


def test_windows_in_any_order_are_right() -> None:
    file, family = file_of(1300, 2150)
    latents = LatentTiles(file, family)
    for rows in ((70, 130), (0, 60), (62, 70), (10, 135), (64, 65)):
        v_hat = latents.window(slice(*rows), slice(50, 80))
        assert v_hat[:, 0, 0].tolist() == list(range(*rows))
        assert v_hat[0, :, 1].tolist() == list(range(50, 80))


def test_large_latents_keep_all_their_bits() -> None:
    file, family = file_of(1024, 1024)
    family.decode_latents = lambda *_: np.full((TILE, TILE, 2), 40000, np.int32)
    assert latent_tiles.decode_latents(file, family).max() == 40000
    assert latent_tiles.decode_latents(file, family).dtype == np.int32


@pytest.mark.slow
def test_the_encoder_asks_for_a_megapixel_at_a_time(
    photo: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An image of four tiles, whose arrays exist in parts only, gives the bytes of its array."""
    pixels = np.tile(photo, (3, 3, 1))[:1040, :1200]
    alpha = np.add.outer(np.arange(1040), np.arange(1200) // 9).astype(np.uint8)
    samples = np.dstack([pixels, alpha])
    asked, part = [], ImageSource.part

    def watched(self: ImageSource, rows: slice, columns: slice) -> Picture:
        asked.append((rows.stop - rows.start) * (columns.stop - columns.start))
        return part(self, rows, columns)

    monkeypatch.setattr(ImageSource, "part", watched)
    source = source_of(Image.fromarray(samples))
    data = encoder.encode(source, EncodeOptions(quality=30), model=model_store.chosen())
    assert asked and max(asked) <= container.TILE_PX**2
    assert data == latentcodec.encode(samples, quality=30)
    seen = latentcodec.decode_array(data)[..., :3].astype(float)[alpha > 0] - pixels[alpha > 0]
    assert encoder.psnr_db(source, data) == pytest.approx(
        10 * np.log10(255**2 / np.square(seen).mean())
    )


def test_the_psnr_of_grey_is_that_of_the_grey_that_is_shown(photo: np.ndarray) -> None:
    grey = photo[:96, :128, 1]
    data = latentcodec.encode(grey, quality=40)
    seen = latentcodec.decode_array(data)
    assert seen.ndim == 2
    error = np.square(seen.astype(float) - grey).mean()
    assert encoder.psnr_db(source_of(Image.fromarray(grey)), data) == pytest.approx(
        10 * np.log10(255**2 / error)
    )


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1"])
def test_any_rectangle_of_an_image_is_that_of_its_array(photo: np.ndarray, mode: str) -> None:
    picture = Image.fromarray(photo[:90, :120]).convert(mode)
    if "A" in mode:
        picture.putalpha(Image.fromarray(photo[:90, :120, 1]))
    source = source_of(picture)
    rgba = np.asarray(picture.convert("RGBA"))
    for rows, columns in ((slice(0, 999), slice(0, 999)), (slice(17, 64), slice(80, 130))):
        part = source.part(rows, columns)
        assert np.array_equal(part.pixels, rgba[rows, columns, :3])
        assert (part.alpha is not None) == ("A" in mode)
        if part.alpha is not None:
            assert np.array_equal(part.alpha, rgba[rows, columns, 3])


def test_an_image_that_can_be_kept_is_not_copied(crop: Image.Image) -> None:
    opaque = crop.convert("RGBA")
    for kept in (crop, crop.convert("L"), opaque):
        source = source_of(kept)
        assert isinstance(source, ImageSource)
        assert source.image is kept
    assert source_of(opaque).colour is Colour.RGB


@pytest.mark.parametrize("share", [0.5, 0.01, 0.0001, 0])
def test_hidden_colours_of_tiles_are_those_of_the_whole(share: float) -> None:
    random = np.random.default_rng(3)
    pixels = random.integers(0, 256, (205, 333, 3)).astype(np.uint8)
    alpha = (random.random((205, 333)) < share).astype(np.uint8)
    alpha[:70] = 0
    wanted = HiddenColours(alpha.shape, [(0, 0, pixels, alpha)]).smooth(0, 0, pixels, alpha)
    corners = [(y, x) for y in range(0, 205, 64) for x in range(0, 333, 64)]
    tiles = [(slice(y, y + 64), slice(x, x + 64)) for y, x in corners]
    parts = [(*at, pixels[t], alpha[t]) for at, t in zip(corners, tiles, strict=True)]
    hidden = HiddenColours(alpha.shape, parts)
    for y, x in corners:
        around = slice(max(y - 16, 0), y + 80), slice(max(x - 32, 0), x + 96)
        smooth = hidden.smooth(around[0].start, around[1].start, pixels[around], alpha[around])
        assert np.array_equal(smooth, wanted[around])
