"""Pictures go through in tiles: nothing holds all pixels twice, or all latents."""

from __future__ import annotations

import dataclasses
import io
import subprocess
import sys
import types
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import latentcodec
from latentcodec import container, errors, header, image, latent_tiles
from latentcodec.alpha import HiddenColours, smooth_hidden
from latentcodec.codec import encode_picture, psnr_db
from latentcodec.container import Colour, Header, LatFile
from latentcodec.decoder import Region, decode_image, decode_picture, pixel_parts
from latentcodec.file_view import FileView
from latentcodec.image import ImageSource, Picture, image_of, source_of
from latentcodec.latent_tiles import LatentTiles
from tests.command_line import call, contents, done, fails, one_sentence
from tests.conftest import ROOT

CELL, TILE = 16, 64


class Places:
    """A family whose latents and pixels tell where in the picture they stand."""

    synthesis_halo = 5
    config = types.SimpleNamespace(latents=2)

    def __init__(self, header: Header) -> None:
        self._header, self.decoded = header, 0

    def decode_latents(self, payload: bytes, tenths: int, height: int, width: int) -> np.ndarray:
        left, top, _, _ = self._header.tile_rectangle(int(payload))
        self.decoded += 1
        y, x = np.mgrid[:height, :width]
        return np.stack([y + top // CELL, x + left // CELL], axis=2).astype(np.int32)

    def synthesise(self, v_hat: np.ndarray, tenths: int) -> np.ndarray:
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


def file_of(width: int, height: int) -> tuple[LatFile, Places]:
    header = Header(width, height, Colour.RGB, 500, "HB01", bytes(4))
    rows, columns = header.tile_grid
    return LatFile(header, [b"%d" % i for i in range(rows * columns)], {}), Places(header)


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
        assert max(part.shape) <= container.TILE_PX
        place = slice(top, top + len(part)), slice(left, left + part.shape[1])
        pixels[place] = part
        painted[place] += 1
    assert (painted == 1).all()
    rows = slice(region.top, region.top + region.height)
    columns = slice(region.left, region.left + region.width)
    assert np.array_equal(pixels, whole(2300, 2150)[rows, columns])
    assert family.decoded <= len(file.tiles), "a tile was decoded twice"


def test_latents_of_a_row_of_tiles_are_kept_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    file, family = file_of(6 * 1024, 4 * 1024)
    most, window = 0, LatentTiles.window

    def watched(self: LatentTiles, rows: slice, columns: slice) -> np.ndarray:
        nonlocal most
        result = window(self, rows, columns)
        most = max(most, sum(tile.nbytes for _, tile in self._decoded.values()))
        return result

    monkeypatch.setattr(LatentTiles, "window", watched)
    for _ in pixel_parts(file, family):
        pass
    one = TILE * TILE * 2 * 2  # positions, latents, bytes of int16
    assert one * 6 < most < one * 10
    assert family.decoded == 24


def test_windows_in_any_order_are_right() -> None:
    file, family = file_of(1300, 2150)
    latents = LatentTiles(file, family)
    for rows in ((70, 130), (0, 60), (62, 70), (10, 135), (64, 65)):
        v_hat = latents.window(slice(*rows), slice(50, 80))
        assert v_hat[:, 0, 0].tolist() == list(range(*rows))
        assert v_hat[0, :, 1].tolist() == list(range(50, 80))
        latents.forget(rows[1] - 5, 82)


def test_large_latents_keep_all_their_bits() -> None:
    file, family = file_of(1024, 1024)
    family.decode_latents = lambda *_: np.full((TILE, TILE, 2), 40000, np.int32)  # type: ignore
    assert latent_tiles.decode_latents(file, family).max() == 40000
    assert latent_tiles.decode_latents(file, family).dtype == np.int32


def test_the_encoder_asks_for_a_tile_at_a_time(
    photo: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An image of two tiles, whose arrays exist in parts only, gives the bytes of its array."""
    pixels = np.tile(photo[:48], (1, 3, 1))[:, :1800]
    alpha = np.add.outer(np.arange(48), np.arange(1800) // 9).astype(np.uint8)
    samples = np.dstack([pixels, alpha])
    asked, part = [], ImageSource.part

    def watched(self: ImageSource, rows: slice, columns: slice) -> Picture:
        asked.append(columns.stop - columns.start)
        return part(self, rows, columns)

    monkeypatch.setattr(ImageSource, "part", watched)
    source = source_of(Image.fromarray(samples))
    data = encode_picture(source, 30, "hyper")
    assert asked and max(asked) <= container.TILE_PX + 2 * 64
    assert data == latentcodec.encode(samples, quality=30)
    seen = decode_picture(data).pixels.astype(float)[alpha > 0] - pixels[alpha > 0]
    assert psnr_db(source, data) == pytest.approx(10 * np.log10(255**2 / np.square(seen).mean()))


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
        assert source_of(kept).image is kept
    assert source_of(opaque).colour is Colour.RGB


@pytest.mark.parametrize("share", [0.5, 0.01, 0.0001, 0])
def test_hidden_colours_of_tiles_are_those_of_the_whole(share: float) -> None:
    random = np.random.default_rng(3)
    pixels = random.integers(0, 256, (205, 333, 3)).astype(np.uint8)
    alpha = (random.random((205, 333)) < share).astype(np.uint8)
    alpha[:70] = 0
    wanted = smooth_hidden(pixels, alpha)
    corners = [(y, x) for y in range(0, 205, 64) for x in range(0, 333, 64)]
    tiles = [(slice(y, y + 64), slice(x, x + 64)) for y, x in corners]
    parts = [(*at, pixels[t], alpha[t]) for at, t in zip(corners, tiles, strict=True)]
    hidden = HiddenColours(alpha.shape, parts)
    for y, x in corners:
        around = slice(max(y - 16, 0), y + 80), slice(max(x - 32, 0), x + 96)
        smooth = hidden.smooth(around[0].start, around[1].start, pixels[around], alpha[around])
        assert np.array_equal(smooth, wanted[around])


@pytest.fixture(scope="module")
def wide(photo: np.ndarray) -> bytes:
    """Four tiles in a row, with alpha: 3100 x 24 px."""
    pixels = np.tile(photo[:24], (1, 5, 1))[:, :3100]
    alpha = np.add.outer(np.arange(24), np.arange(3100)).astype(np.uint8)
    return latentcodec.encode(np.dstack([pixels, alpha]), quality=60)


@pytest.mark.parametrize("kind", [Colour.RGB, Colour.GREY, Colour.RGB_ALPHA, Colour.GREY_ALPHA])
def test_an_image_filled_in_parts_is_the_one_of_the_whole_array(wide: bytes, kind: Colour) -> None:
    file = container.read(wide)
    alphas = file.alphas if kind.has_alpha else []
    header = dataclasses.replace(file.header, colour=kind)
    data = container.write(dataclasses.replace(file, header=header, alphas=alphas))
    for region in (None, Region(1000, 3, 1100, 20)):
        parts, whole = decode_image(data, region), image_of(decode_picture(data, region))
        assert (parts.mode, parts.size) == (whole.mode, whole.size)
        assert parts.tobytes() == whole.tobytes()


class Watched(io.BytesIO):
    """A file that notes which of its bytes are read."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.seen: set[int] = set()

    def read(self, size: int | None = -1) -> bytes:
        start, data = self.tell(), super().read(size)
        self.seen.update(range(start, start + len(data)))
        return data


def test_a_region_reads_what_it_needs(wide: bytes) -> None:
    file, region = container.read(wide), Region(20, 0, 100, 24)
    stream = Watched(wide)
    part = decode_image(FileView(stream), region)
    assert part.tobytes() == decode_image(wide).crop((20, 0, 120, 24)).tobytes()
    needed = sum(len(p) for payloads in (file.tiles, file.alphas) for p in payloads[:2])
    assert needed < len(stream.seen) < needed + 120 < len(wide)
    everything = Watched(wide)
    again = container.read(FileView(everything))
    assert (list(again.tiles), list(again.alphas)) == (file.tiles, file.alphas)
    assert len(everything.seen) == len(wide)


def test_damage_far_from_a_region_is_noticed_where_it_moves_chunks(wide: bytes) -> None:
    far = len(wide) - 10  # in the last tile
    damaged = wide[:far] + bytes([wide[far] ^ 1]) + wide[far + 1 :]
    decode_picture(damaged, Region(0, 0, 9, 9))
    with pytest.raises(errors.CorruptChunk, match="at 3072,0"):
        decode_picture(damaged)
    with pytest.raises(errors.CorruptChunk, match="at 3072,0"):
        decode_picture(damaged, Region(3000, 0, 9, 9))
    with pytest.raises(errors.TruncatedFile):
        decode_picture(wide[:-1], Region(0, 0, 9, 9))
    with pytest.raises(errors.TrailingData):
        decode_picture(wide + b"\0", Region(0, 0, 9, 9))


def test_a_file_that_shrinks_is_an_error(wide: bytes) -> None:
    stream = io.BytesIO(wide)
    view = FileView(stream)
    stream.truncate(500)
    with pytest.raises(errors.TruncatedFile, match="shorter"):
        container.read(view)


def test_pillows_limit_is_lifted_to_that_of_the_format(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = folder / "photo.png", folder / "out.lat"
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)  # the picture has 2240
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = call("encode", source, target)
    assert (result.exit_code, result.stderr) == (0, "")
    assert Image.MAX_IMAGE_PIXELS == 100
    with pytest.raises(errors.UnsupportedImage, match="too large"):
        image.open_image(source)
    # In Python a picture that is open already may have any size.
    assert call("decode", target, folder / "out.png").exit_code == 0
    for module in (container, header):
        monkeypatch.setattr(module, "MAX_PIXELS", 2239)
    before = contents(folder)
    result = call("encode", source, target)
    assert "56 x 40 px" in one_sentence(result.stderr.splitlines(keepends=True)[-1])
    assert contents(folder) == before


def test_a_format_that_cannot_hold_a_picture_leaves_the_old_file(folder: Path) -> None:
    Image.new("L", (16400, 1)).save(folder / "photo.png")  # WebP has 16383 px at most
    call("encode", folder / "photo.png", folder / "photo.lat", "-q", 5)
    assert "WEBP" in fails(folder, "decode", folder / "photo.lat", folder / "out.webp")


_FULL = """
import resource, sys
from pathlib import Path
from PIL import Image
from latentcodec.image import write_image
from latentcodec.outputs import write_file
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
image = Image.effect_noise((600, 600), 50)
try:
    write_file(Path(sys.argv[1]), lambda stream: write_image(image, stream, sys.argv[2]))
except OSError as error:
    print(error.errno, error.filename)
"""


@pytest.mark.parametrize("form", ["TIFF", "PNG", "JPEG", "BMP", "JPEG2000"])
def test_a_full_disk_is_noticed_while_pillow_writes(form: str, tmp_path: Path) -> None:
    pytest.importorskip("resource")
    target = tmp_path / "out"
    target.write_bytes(b"old")
    command = [sys.executable, "-c", _FULL, str(target), form]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["27", str(target)], result.stderr
    assert contents(tmp_path) == {"out": b"old"}


def test_results_do_not_depend_on_jobs_and_threads(
    photo: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    for number, width in enumerate((1100, 90, 70)):
        pixels = np.tile(photo[40 * number :][:70], (1, 2, 1))[:, :width]
        Image.fromarray(pixels).save(f"in/{number}.png")
    found, usual = [], torch.get_num_threads()
    try:
        for jobs, threads in ((1, 1), (1, 3), (3, usual)):
            torch.set_num_threads(threads)
            done(f"encode -r in -o lat{len(found)} -j {jobs}")
            done(f"decode -r lat{len(found)} -o png{len(found)} -j {jobs}")
            found.append((contents(Path(f"lat{len(found)}")), contents(Path(f"png{len(found)}"))))
    finally:
        torch.set_num_threads(usual)
    assert len(found[0][0]) == 3
    assert found[0] == found[1] == found[2]


def test_the_benchmark_runs(tmp_path: Path) -> None:
    script = ROOT / "benchmarks" / "large_picture.py"
    options = ["--size", "1100x40", "--format", "tiff", "--seams", "0", "--keep", str(tmp_path)]
    result = subprocess.run(
        [sys.executable, str(script), *options], capture_output=True, text=True, check=True
    )
    assert "the files of all formats are the same: yes" in result.stdout
    assert "differs from the whole by 0" in result.stdout
    assert Image.open(tmp_path / "back.tiff").size == (1100, 40)
