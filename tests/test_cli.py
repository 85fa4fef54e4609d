"""The command line: what it writes, and that everything wrong ends in one sentence."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

import latentcodec
from latentcodec import container
from latentcodec.cli import main
from latentcodec.families.family import Family

FORMATS = {
    "png": "PNG",
    "jpg": "JPEG",
    "webp": "WEBP",
    "tiff": "TIFF",
    "bmp": "BMP",
    "avif": "AVIF",
    "JPEG": "JPEG",
}


@pytest.fixture(scope="module")
def crop(photo: np.ndarray) -> Image.Image:
    return Image.fromarray(photo[200:240, 300:356])


@pytest.fixture(scope="module")
def data(crop: Image.Image) -> bytes:
    return latentcodec.encode(crop, quality=40)


@pytest.fixture
def folder(tmp_path: Path, crop: Image.Image, data: bytes) -> Path:
    """photo.png, photo.lat, and an older output under each name that the tests write to."""
    crop.save(tmp_path / "photo.png")
    (tmp_path / "photo.lat").write_bytes(data)
    for name in ("out.lat", "out.png"):
        (tmp_path / name).write_bytes(b"an older file")
    return tmp_path


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def contents(folder: Path) -> dict[str, bytes | None]:
    return {p.name: p.read_bytes() if p.is_file() else None for p in folder.iterdir()}


def one_sentence(stderr: str) -> str:
    """The error message, checked to be all that was printed."""
    assert stderr.startswith("Error: ")
    assert stderr.count("\n") == 1 and stderr.endswith("\n")
    return stderr.removeprefix("Error: ").strip()


def fails(folder: Path, *arguments: object) -> str:
    """The message of a call that must fail and leave the folder as it was."""
    before = contents(folder)
    result = call(*arguments)
    assert isinstance(result.exception, SystemExit), repr(result.exception)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert contents(folder) == before
    return one_sentence(result.stderr)


def test_encode_and_decode(folder: Path, crop: Image.Image) -> None:
    result = call("encode", "-q", 72.5, folder / "photo.png", folder / "out.lat")
    data = (folder / "out.lat").read_bytes()
    assert (result.exit_code, result.stderr) == (0, "")
    assert f"56 x 40, quality 72.5, {len(data)} bytes" in result.stdout
    assert data == latentcodec.encode(crop, quality=72.5)
    result = call("decode", folder / "out.lat", folder / "out.png")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "56 x 40, mode RGB" in result.stdout
    wanted = np.asarray(latentcodec.decode(data))
    assert np.array_equal(np.asarray(Image.open(folder / "out.png")), wanted)


@pytest.mark.parametrize("extension", FORMATS)
def test_the_extension_chooses_the_format(folder: Path, extension: str) -> None:
    target = folder / f"back.{extension}"
    assert call("decode", folder / "photo.lat", target).exit_code == 0
    with Image.open(target) as image:
        assert (image.format, image.size, image.mode) == (FORMATS[extension], (56, 40), "RGB")


@pytest.mark.parametrize("source", ["jpg", "webp", "tiff", "bmp", "gif"])
def test_sources_of_any_format(folder: Path, crop: Image.Image, source: str) -> None:
    crop.convert("L").save(folder / f"grey.{source}")
    assert call("encode", folder / f"grey.{source}", folder / "out.lat").exit_code == 0
    assert container.read_header((folder / "out.lat").read_bytes()).width_px == 56


def damaged(change: Callable[[container.LatFile], container.LatFile]) -> Callable[[bytes], bytes]:
    return lambda data: container.write(change(container.read(data)))


def other_model(file: container.LatFile) -> container.LatFile:
    return dataclasses.replace(file, header=dataclasses.replace(file.header, model_code="ZZ99"))


def odd_payload(file: container.LatFile) -> container.LatFile:
    return dataclasses.replace(file, tiles=[file.tiles[0] + b"\1"])


WRONG_LAT: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "empty": (lambda data: b"", "not a .lat file"),
    "text": (lambda data: b"hello", "not a .lat file"),
    "later version": (lambda data: data[:4] + b"\x02" + data[5:], "version 2"),
    "header cut": (lambda data: data[:9], "ends within its header"),
    "header checksum": (lambda data: data[:9] + b"\xee" + data[10:], "header is damaged"),
    "tile cut": (lambda data: data[:-9], "ends within a chunk"),
    "tile checksum": (lambda data: data[:-9] + b"\0" * 9, "chunk is damaged"),
    "trailing data": (lambda data: data + b"\0", "1 bytes follow"),
    "unknown model": (damaged(other_model), "model ZZ99"),
    "payload": (damaged(odd_payload), "32-bit words"),
}


@pytest.mark.parametrize(("change", "words"), WRONG_LAT.values(), ids=WRONG_LAT)
def test_decode_refuses(
    folder: Path, data: bytes, change: Callable[[bytes], bytes], words: str
) -> None:
    (folder / "wrong.lat").write_bytes(change(data))
    assert words in fails(folder, "decode", folder / "wrong.lat", folder / "out.png")
    assert words in fails(folder, "decode", folder / "wrong.lat", folder / "new.png")
    if words not in ("model ZZ99", "32-bit words"):  # which info need not know
        assert words in fails(folder, "info", folder / "wrong.lat")


def picture(mode: str, form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, (20, 10)).save(buffer, format=form, **options)
    return buffer.getvalue()


WRONG_IMAGE: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "not an image"),
    "text": (lambda: b"hello", "not an image"),
    "truncated": (lambda: picture("RGB", "BMP")[:-50], "damaged"),
    "float": (lambda: picture("F", "TIFF"), "mode F"),
}
LOSING: dict[str, tuple[Callable[[], bytes], str]] = {
    "animated": (
        lambda: picture("RGB", "PNG", save_all=True, append_images=[Image.new("RGB", (20, 10), 9)]),
        "frames",
    ),
    "16 bit": (lambda: picture("I;16", "PNG"), "16 bit"),
    "CMYK": (lambda: picture("CMYK", "JPEG"), "CMYK"),
}


@pytest.mark.parametrize(("make", "words"), WRONG_IMAGE.values(), ids=WRONG_IMAGE)
def test_encode_refuses(folder: Path, make: Callable[[], bytes], words: str) -> None:
    (folder / "wrong.png").write_bytes(make())
    assert words in fails(folder, "encode", folder / "wrong.png", folder / "out.lat")
    assert words in fails(folder, "encode", folder / "wrong.png", folder / "new.lat")


@pytest.mark.parametrize(("make", "words"), LOSING.values(), ids=LOSING)
def test_losses_are_said_once_or_refused(
    folder: Path, make: Callable[[], bytes], words: str
) -> None:
    (folder / "losing.png").write_bytes(make())
    source, new = folder / "losing.png", folder / "new.lat"
    assert words in fails(folder, "encode", "--strict", source, new)
    result = call("encode", "--target-bpp", 20, source, new)
    assert result.exit_code == 0
    assert result.stderr.startswith("Warning: ")
    assert result.stderr.count("\n") == 1
    assert words in result.stderr


@pytest.mark.parametrize(("command", "kind"), [("encode", "png"), ("decode", "lat")])
def test_sources_and_targets_that_are_no_files(folder: Path, command: str, kind: str) -> None:
    source = folder / f"photo.{kind}"
    target = folder / ("out.lat" if command == "encode" else "out.png")
    missing = folder / f"missing.{kind}"
    assert "No such file" in fails(folder, command, missing, target)
    assert "is a folder" in fails(folder, command, folder, target)
    assert "No such file" in fails(folder, "info", missing)
    nowhere = folder / "nowhere" / target.name
    assert f"{nowhere}: No such file" in fails(folder, command, source, nowhere)


def test_no_permission(family: Family, data: bytes, ordinary_user: Path) -> None:
    (ordinary_user / "photo.lat").write_bytes(data)
    (ordinary_user / "out.png").write_bytes(b"an older file")
    (ordinary_user / "out.png").chmod(0o444)
    arguments = "decode", ordinary_user / "photo.lat"
    assert "denied" in fails(ordinary_user, *arguments, ordinary_user / "out.png")
    ordinary_user.chmod(0o555)
    assert "denied" in fails(ordinary_user, *arguments, ordinary_user / "new.png")


def test_unknown_model_by_name(folder: Path) -> None:
    arguments = "--model", "nosuch", folder / "photo.png", folder / "out.lat"
    assert "no model 'nosuch'" in fails(folder, "encode", *arguments)


def test_a_format_that_cannot_hold_the_picture(folder: Path) -> None:
    assert "cannot write" in fails(folder, "decode", folder / "photo.lat", folder / "new.xbm")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nosuch"],
        ["encode"],
        ["encode", "photo.png", "out.lat", "another"],
        ["encode", "photo.png", "out.lat", "--nosuch"],
        *(["encode", "-q", q, "photo.png", "out.lat"] for q in ("0", "101", "nan", "inf", "high")),
        ["decode", "photo.lat"],
        ["decode", "photo.lat", "out.nosuch"],
        ["decode", "photo.lat", "out"],
        ["info"],
        ["info", "photo.lat", "--nosuch"],
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_2(
    folder: Path, arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    before = contents(folder)
    result = call(*arguments)
    assert isinstance(result.exception, SystemExit)
    assert result.exit_code == 2
    assert "Usage:" in result.stderr
    assert contents(folder) == before


def test_info_agrees_with_the_file(folder: Path, data: bytes) -> None:
    facts = json.loads(call("info", "--json", folder / "photo.lat").stdout)
    file = container.read(data)
    assert (facts["width_px"], facts["height_px"], facts["colour"]) == (56, 40, "rgb")
    assert (facts["version"], facts["quality"], facts["tiles"]) == (1, 40.0, 1)
    assert facts["model_code"] == file.header.model_code
    assert facts["weights_hash"] == file.header.weights_hash.hex()
    assert facts["file_bytes"] == len(data)
    assert facts["bits_per_pixel"] == pytest.approx(8 * len(data) / (56 * 40), abs=1e-4)
    assert facts["chunk_bytes"]["tiles"] == len(file.tiles[0])
    assert sum(facts["chunk_bytes"].values()) == len(data)
    text = call("info", folder / "photo.lat").stdout
    for fact in ("56 x 40 px", f"{len(data)} bytes", facts["model"], facts["weights_hash"]):
        assert fact in text


def test_info_knows_files_of_models_that_are_not_installed(folder: Path, data: bytes) -> None:
    (folder / "other.lat").write_bytes(damaged(other_model)(data))
    facts = json.loads(call("info", "--json", folder / "other.lat").stdout)
    assert (facts["model"], facts["model_code"]) == (None, "ZZ99")


@pytest.mark.parametrize(
    "command", ["encode", "decode", "info", "train", "export", "completion", "man"]
)
def test_help(command: str) -> None:
    result = call(command, "--help")
    assert result.exit_code == 0
    assert result.stdout.startswith("Usage: ")
    assert command in call("--help").stdout


def run(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )


def test_a_full_disk(folder: Path) -> None:
    """A limit on the size of files stands for it: both end a write half way."""
    pytest.importorskip("resource", reason="the limits of Unix are needed")
    before = contents(folder)
    result = run(
        "import resource, signal\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (50, 50))\n"
        "from latentcodec.cli import main\n"
        "main(['encode', 'photo.png', 'out.lat'])",
        folder,
    )
    assert "out.lat: File too large" in one_sentence(result.stderr)
    assert result.returncode == 1
    assert contents(folder) == before


def test_the_program_itself(folder: Path) -> None:
    command = [sys.executable, "-m", "latentcodec"]
    version = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True)
    assert latentcodec.__version__ in version.stdout
    (folder / "notes.txt").write_text("hello")
    wrong = subprocess.run(
        [*command, "encode", "notes.txt", os.devnull], cwd=folder, capture_output=True, text=True
    )
    assert wrong.returncode == 1
    assert "notes.txt is not an image" in one_sentence(wrong.stderr)


@pytest.mark.parametrize(
    ("option", "low", "high"),
    [("--target-size 2k", 1960, 2000), ("--target-bpp 1", 3011, 3072), ("--ratio 20", 3613, 3686)],
)
def test_a_wanted_size_is_met(
    folder: Path, photo: np.ndarray, option: str, low: int, high: int
) -> None:
    """Two per cent below at most, never above; the picture has 192 x 128 px."""
    Image.fromarray(photo[:128, :192]).save(folder / "photo.png")
    result = call("encode", folder / "photo.png", folder / "new.lat", *option.split())
    assert result.exit_code == 0, result.stderr
    assert low <= (folder / "new.lat").stat().st_size <= high


def test_a_wanted_psnr_is_met(folder: Path, crop: Image.Image) -> None:
    result = call("encode", folder / "photo.png", folder / "new.lat", "--target-psnr", 36)
    assert result.exit_code == 0
    decoded = np.asarray(latentcodec.decode((folder / "new.lat").read_bytes()), dtype=float)
    psnr = 10 * np.log10(255**2 / np.square(decoded - np.asarray(crop)).mean())
    assert 36 <= psnr < 36.5  # a tenth of quality moves so small a picture by 0.3 dB


def test_what_no_quality_reaches_is_said(folder: Path) -> None:
    photo, new = folder / "photo.png", folder / "new.lat"
    assert "the smallest file" in fails(folder, "encode", photo, new, "--target-size", 40)
    assert "falls short" in fails(folder, "encode", photo, new, "--target-psnr", 90)


@pytest.mark.parametrize("options", ["-q 50 --ratio 20", "--target-bpp 1 --target-psnr 30"])
def test_two_goals_are_a_usage_error(folder: Path, options: str) -> None:
    result = call("encode", folder / "photo.png", folder / "new.lat", *options.split())
    assert result.exit_code == 2
    assert not (folder / "new.lat").exists()


def test_a_region_is_decoded(folder: Path, data: bytes) -> None:
    result = call("decode", folder / "photo.lat", folder / "out.png", "--region", "10,5,20,30")
    assert result.exit_code == 0
    assert Image.open(folder / "out.png").size == (20, 30)
    outside = fails(
        folder, "decode", folder / "photo.lat", folder / "out.png", "--region", "50,0,9,9"
    )
    assert "56 x 40 px" in outside
    wrong = call("decode", folder / "photo.lat", folder / "out.png", "--region", "1,2,3")
    assert wrong.exit_code == 2
