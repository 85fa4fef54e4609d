"""Decoding to a half, a quarter, ...: what a mean over blocks of the full decode gives."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import latentcodec
import latentcodec.pillow
from latentcodec import Codec, codec
from latentcodec.pillow import LatImageFile
from latentcodec.runtime.base import Family
from tests.command_line import call
from tests.image_files import ICC

SCALES = [2, 4, 8, 16]


@pytest.fixture(scope="module")
def wide(photo: np.ndarray) -> np.ndarray:
    """A picture of two tiles, both ending within a cell: uint8 [37, 1090, 3].

    Far from black and white, so that nothing is clamped: means before and after it would differ.
    """
    rows = [photo[top : top + 37, :545] for top in (100, 300)]
    return (50 + 0.6 * np.concatenate(rows, axis=1)).astype(np.uint8)


def means(plane: np.ndarray, scale: int) -> np.ndarray:
    """Over the whole blocks of [H, W] or [H, W, 3], floats."""
    height, width = plane.shape[0] // scale, plane.shape[1] // scale
    blocks = plane[: height * scale, : width * scale].reshape(height, scale, width, scale, -1)
    return blocks.mean((1, 3)).reshape(height, width, *plane.shape[2:])


def pixels(data: bytes, scale: int = 1) -> np.ndarray:
    return np.asarray(latentcodec.decode(data, scale=scale))


@pytest.mark.parametrize("model", ["hyper", "ae"])
@pytest.mark.parametrize("scale", SCALES)
def test_pixels_are_means(wide: np.ndarray, model: str, scale: int) -> None:
    data = latentcodec.encode(wide, quality=60, model=model)
    small, full = pixels(data, scale), means(pixels(data), scale)
    assert small.shape == (math.ceil(37 / scale), math.ceil(1090 / scale), 3)
    # Both were rounded, one before the mean and one after it.
    assert np.abs(small[: full.shape[0], : full.shape[1]] - full).max() <= 1


def test_the_last_pixels_are_those_of_the_edge(photo: np.ndarray) -> None:
    data = latentcodec.encode(photo[100:139, 300:357], quality=90)
    small = pixels(data, 8).astype(float)
    assert (
        np.abs(small[:4, 7] - means(photo[100:132, 356:357].repeat(8, axis=1), 8)[:, 0]).max() < 12
    )


def test_full_size_pixels_never_exist(wide: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    widths = []
    synthesise = Family.synthesise_strips

    def watched(
        self: Family, v_hat: Iterable[np.ndarray], tenths: int, scale: int = 1
    ) -> Iterator[np.ndarray]:
        for strip in synthesise(self, v_hat, tenths, scale):
            widths.append(strip.shape[1])
            yield strip

    data = latentcodec.encode(wide)
    monkeypatch.setattr(Family, "synthesise_strips", watched)
    latentcodec.decode(data, scale=8)
    assert set(widths) == {math.ceil(wide.shape[1] / 16) * 2}


@pytest.mark.parametrize("scale", SCALES)
def test_alpha_is_the_mean_of_the_alpha(photo: np.ndarray, scale: int) -> None:
    alpha = np.add.outer(np.arange(45) * 3, np.arange(70) * 1).astype(np.uint8)
    data = latentcodec.encode(np.dstack([photo[:45, :70], alpha]))
    image = latentcodec.decode(data, scale=scale)
    assert image.mode == "RGBA"
    assert image.size == (math.ceil(70 / scale), math.ceil(45 / scale))
    wanted = means(alpha, scale)
    found = np.asarray(image)[: wanted.shape[0], : wanted.shape[1], 3]
    assert np.abs(found - wanted).max() <= 0.5


def test_grey_and_metadata_stay(photo: np.ndarray) -> None:
    image, exif = Image.fromarray(photo[:40, :64]).convert("L"), Image.Exif()
    exif[0x0112] = 6
    image.info |= {"icc_profile": ICC, "exif": exif.tobytes(), "xmp": b"<x:xmpmeta/>"}
    small = latentcodec.decode(latentcodec.encode(image), scale=4)
    assert (small.mode, small.size) == ("L", (16, 10))
    assert small.getexif()[0x0112] == 6
    assert small.info["icc_profile"] == ICC
    assert small.info["xmp"] == b"<x:xmpmeta/>"


def test_codec_has_it_too(data: bytes) -> None:
    small = pixels(data, 4)
    assert np.array_equal(Codec().decode_array(data, scale=4), small)
    both = Codec().decode_array_batch([data, data], scale=4)
    assert [np.array_equal(one, small) for one in both] == [True, True]


@pytest.mark.parametrize("scale", [0, 3, -2, 32])
def test_other_scales_are_refused(data: bytes, scale: int) -> None:
    with pytest.raises(ValueError, match="scale must be one of"):
        latentcodec.decode(data, scale=scale)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("region", [(0, 0, 1090, 37), (1003, 5, 50, 31), (17, 30, 3, 2)])
def test_a_region_is_cut_out_of_the_small_picture(
    wide: np.ndarray, region: tuple[int, int, int, int], scale: int
) -> None:
    """Every pixel that shows some of it."""
    data = latentcodec.encode(wide, quality=60)
    left, top, width, height = region
    rows = slice(top // scale, math.ceil((top + height) / scale))
    columns = slice(left // scale, math.ceil((left + width) / scale))
    wanted = pixels(data, scale)[rows, columns].astype(int)
    found = latentcodec.decode_array(data, region=region, scale=scale)
    assert found.shape == wanted.shape
    assert np.abs(found - wanted).max() <= 1


def test_alpha_of_a_region_is_cut_out_too(photo: np.ndarray) -> None:
    alpha = np.add.outer(np.arange(45) * 3, np.arange(70)).astype(np.uint8)
    data = latentcodec.encode(np.dstack([photo[:45, :70], alpha]))
    part = latentcodec.decode_array(data, region=(9, 20, 40, 22), scale=4)
    assert np.array_equal(part[..., 3], pixels(data, 4)[5:11, 2:13, 3])


def test_what_is_left_of_a_damaged_file_is_made_smaller(wide: np.ndarray) -> None:
    data = bytearray(latentcodec.encode(wide, quality=60))
    data[-12] ^= 1  # of the second tile
    with pytest.warns(latentcodec.LossWarning, match="66 x 37 px at 1024,0"):
        small = latentcodec.decode_array(bytes(data), scale=8, salvage=True)
    assert small.shape == (5, 137, 3)
    assert np.array_equal(small[:, 128:], small[:, 127:128].repeat(9, axis=1))


def test_damage_is_named(photo: np.ndarray) -> None:
    data = latentcodec.encode(np.dstack([photo[:40, :64], photo[:40, :64, :1]]))
    with pytest.raises(latentcodec.LatError, match="ends within a chunk"):
        latentcodec.decode(data[:-3], scale=8)


def test_command(folder: Path) -> None:
    result = call("decode", folder / "photo.lat", folder / "out.png", "--scale", "1/4")
    assert result.exit_code == 0, result.stderr
    assert "14 x 10" in result.stdout
    assert Image.open(folder / "out.png").size == (14, 10)


@pytest.mark.parametrize(
    "options",
    [["--scale", "1/3"], ["--scale", "2"]],
)
def test_wrong_usage(folder: Path, options: list[str]) -> None:
    before = (folder / "out.png").read_bytes()
    result = call("decode", folder / "photo.lat", folder / "out.png", *options)
    assert result.exit_code == 2
    assert "--scale" in result.stderr
    assert (folder / "out.png").read_bytes() == before


@pytest.fixture
def opened(photo: np.ndarray) -> LatImageFile:
    """A file of 200 x 150 px, opened by Pillow and not decoded yet."""
    image = Image.open(io.BytesIO(latentcodec.encode(photo[100:250, 300:500], quality=60)))
    assert isinstance(image, LatImageFile)
    return image


@pytest.mark.parametrize(
    ("wanted", "scale"),
    [((200, 150), 1), ((101, 60), 1), ((100, 75), 2), ((25, 3), 8), ((1, 1), 16)],
)
def test_draft(opened: LatImageFile, wanted: tuple[int, int], scale: int) -> None:
    data = opened._data
    drafted = opened.draft("RGB", wanted)
    assert drafted is not None
    mode, box = drafted
    size = math.ceil(200 / scale), math.ceil(150 / scale)
    assert mode == "RGB"
    assert box == (0, 0, 200 / scale, 150 / scale)
    assert opened.size == size
    if scale > 1:
        assert opened.draft("RGB", (1, 1)) is None, "a second draft would count from the wrong size"
    assert np.array_equal(np.asarray(opened), pixels(data, scale))
    assert opened.draft("RGB", (1, 1)) is None, "it is decoded already"


def test_draft_without_a_size_changes_nothing(opened: LatImageFile) -> None:
    assert opened.draft("L", None) is None
    assert (opened.mode, opened.size) == ("RGB", (200, 150))


def test_thumbnail_decodes_a_smaller_picture(
    opened: LatImageFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    scales: list[int] = []
    decode = latentcodec.decode

    def watched(data: bytes, *, scale: int) -> Image.Image:
        scales.append(scale)
        return decode(data, scale=scale)

    fair = decode(opened._data).resize((30, 23), Image.Resampling.BICUBIC)
    monkeypatch.setattr(codec, "decode", watched)
    opened.thumbnail((30, 30))
    assert scales == [2]
    assert opened.size == (30, 23)
    assert np.abs(np.asarray(opened, float) - np.asarray(fair, float)).mean() < 2
