"""Everything wrong ends in one sentence, and leaves every file as it was."""

from __future__ import annotations

import dataclasses
import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from latentcodec.format import container
from latentcodec.runtime.base import Family
from tests.command_line import call, contents, fails, one_sentence


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


def test_info_knows_files_of_models_that_are_not_installed(folder: Path, data: bytes) -> None:
    (folder / "other.lat").write_bytes(damaged(other_model)(data))
    facts = json.loads(call("info", "--json", folder / "other.lat").stdout)
    assert (facts["model"], facts["model_code"]) == (None, "ZZ99")


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


def run(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.mark.slow
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


@pytest.mark.parametrize("arguments", [["", "-r"], ["a.png", ""], ["a.png", "-o", ""]])
def test_an_empty_name_is_wrong_usage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    result = call("encode", *arguments)
    assert (result.exit_code, "a name is empty" in result.stderr) == (2, True)


@pytest.mark.parametrize(
    ("words", "code"),
    [("info {0}", 1), ("thumbnail {0} out.png", 1), ("encode a.png a.png {0}", 2)],
)
def test_control_characters_stay_what_they_are(folder: Path, words: str, code: int) -> None:
    """Terminals would obey those of a name in an error, which somebody else may have chosen."""
    name = "\x1b[2Jtwo\nlines"
    (folder / name).write_bytes(b"hello")
    result = call(*(word.format(folder / name) for word in words.split()))
    assert result.exit_code == code
    assert "\x1b" not in result.stderr
    assert "\\x1b[2Jtwo\\nlines" in result.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    "words",
    [
        "thumbnail good.lat good.lat",
        "thumbnail good.lat other.lat",
        "interpolate a.png b.png b.png",
        "web good.lat --single good.lat",
        "export good.lat good.lat",
    ],
)
def test_an_input_is_never_written_over(
    folder: Path, data: bytes, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    """Nor is the file that a glob gives as the second of two, in the place of the output."""
    monkeypatch.chdir(folder)
    for name in ("good.lat", "other.lat"):
        Path(name).write_bytes(data)
    Image.new("RGB", (16, 16)).save("b.png")
    before = contents(folder)
    assert call(*words.split()).exit_code == 2
    assert contents(folder) == before
