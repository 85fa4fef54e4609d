"""`latentcodec info` of several files, folders and standard input; goals as people write them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.command_line import done, typed


@pytest.fixture
def lats(data: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two files in a folder, one of them in one below."""
    monkeypatch.chdir(tmp_path)
    Path("lats/below").mkdir(parents=True)
    for name in ("a.lat", "below/b.lat"):
        (Path("lats") / name).write_bytes(data)
    return Path("lats")


def test_a_row_a_file_and_totals(lats: Path, data: bytes) -> None:
    rows = done("info -r lats").stdout.splitlines()
    assert [row.split()[-1] for row in rows[:2]] == ["lats/a.lat", "lats/below/b.lat"]
    assert rows[2].startswith(f"2 files: {2 * len(data)} bytes, ")
    assert done("info lats/a.lat lats/below/b.lat").stdout.splitlines() == rows


def test_an_object_a_file(lats: Path, data: bytes) -> None:
    found = [json.loads(line) for line in done("info -r lats --json").stdout.splitlines()]
    assert [one["file"] for one in found] == ["lats/a.lat", "lats/below/b.lat"]
    assert {one["file_bytes"] for one in found} == {len(data)}


def test_one_that_is_damaged_does_not_hide_the_others(lats: Path) -> None:
    (lats / "a.lat").write_bytes(b"damaged")
    result = typed("info -r lats")
    assert result.exit_code == 1
    assert "lats/below/b.lat" in result.stdout and "1 file: " in result.stdout
    assert result.stderr == "Error: lats/a.lat: this is not a .lat file\n"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names are of Unix")
def test_what_is_left_out_of_folders_is_counted(lats: Path) -> None:
    os.mkfifo(lats / "pipe.lat")
    (lats / "below/c.png").touch()
    (lats / "below/folder.lat").mkdir()
    (lats / "B.LAT").symlink_to(lats.resolve() / "a.lat")
    result = done("info -r lats")
    assert result.stdout.splitlines()[-2].startswith("3 files: ")
    assert result.stdout.splitlines()[-1] == "left out: 1 pipe or device, 1 .png"
    objects = done("info -r lats --json")
    assert len([json.loads(line) for line in objects.stdout.splitlines()]) == 3
    assert objects.stderr == "left out: 1 pipe or device, 1 .png\n"


def test_folders_need_recursive(lats: Path) -> None:
    assert "--recursive" in typed("info lats").stderr


def test_standard_input(data: bytes) -> None:
    facts = json.loads(done("info - --json", stdin=data).stdout)
    assert facts["file_bytes"] == len(data)


@pytest.mark.parametrize(
    "line",
    [
        "encode --target-bpp nan a.png",
        "encode --ratio inf a.png",
        "encode --target-psnr nan a.png",
        "compare --bpp nan a.png",
        "bench --slider-bpp inf .",
        "export --average nan a.safetensors b.safetensors",
    ],
)
def test_numbers_are_finite(line: str) -> None:
    result = typed(line)
    assert result.exit_code == 2 and "not a finite number" in result.stderr
