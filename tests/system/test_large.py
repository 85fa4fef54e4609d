"""Large pictures as files: what is read of them, limits, full disks, any number of jobs."""

from __future__ import annotations

import dataclasses
import io
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import latentcodec
from latentcodec import errors
from latentcodec.format import container, header
from latentcodec.format.container import Colour
from latentcodec.format.file_view import FileView
from latentcodec.images import files
from tests.command_line import call, contents, done, fails, one_sentence
from tests.paths import ROOT


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
    for region in (None, (1000, 3, 1100, 20)):
        image = latentcodec.decode(data, region=region)
        assert image.mode == kind.pillow_mode
        assert np.array_equal(np.asarray(image), latentcodec.decode_array(data, region=region))


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
    file, region = container.read(wide), (20, 0, 100, 24)
    stream = Watched(wide)
    part = latentcodec.decode(stream, region=region)
    assert part.tobytes() == latentcodec.decode(wide).crop((20, 0, 120, 24)).tobytes()
    needed = sum(len(p) for payloads in (file.tiles, file.alphas) for p in payloads[:2])
    assert needed < len(stream.seen) < needed + 120 < len(wide)
    everything = Watched(wide)
    again = container.read(FileView(everything))
    assert (list(again.tiles), list(again.alphas)) == (file.tiles, file.alphas)
    assert len(everything.seen) == len(wide)


def test_damage_far_from_a_region_is_noticed_where_it_moves_chunks(wide: bytes) -> None:
    far = len(wide) - 10  # in the last tile
    damaged = wide[:far] + bytes([wide[far] ^ 1]) + wide[far + 1 :]
    latentcodec.decode(damaged, region=(0, 0, 9, 9))
    with pytest.raises(errors.CorruptChunk, match="at 3072,0"):
        latentcodec.decode(damaged)
    with pytest.raises(errors.CorruptChunk, match="at 3072,0"):
        latentcodec.decode(damaged, region=(3000, 0, 9, 9))
    with pytest.raises(errors.TruncatedFile):
        latentcodec.decode(wide[:-1], region=(0, 0, 9, 9))
    with pytest.raises(errors.TrailingData):
        latentcodec.decode(wide + b"\0", region=(0, 0, 9, 9))


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
        files.open_image(source)
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
from latentcodec.images.files import write_image
from latentcodec.system.atomic_write import write_file
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


@pytest.mark.slow
def test_results_do_not_depend_on_jobs_and_threads(
    photo: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    for number, width in enumerate((1100, 90, 70)):
        pixels = np.tile(photo[40 * number :][:70], (1, 2, 1))[:, :width]
        Image.fromarray(pixels).save(f"in/{number}.png")
    found: list[Any] = []
    usual = torch.get_num_threads()
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


@pytest.mark.slow
def test_the_benchmark_runs(tmp_path: Path) -> None:
    script = ROOT / "benchmarks" / "large_picture.py"
    options = ["--size", "1100x40", "--format", "tiff", "--seams", "0", "--keep", str(tmp_path)]
    result = subprocess.run(
        [sys.executable, str(script), *options], capture_output=True, text=True, check=True
    )
    assert "the files of all formats are the same: yes" in result.stdout
    assert "differs from the whole by 0" in result.stdout
    assert Image.open(tmp_path / "back.tiff").size == (1100, 40)
