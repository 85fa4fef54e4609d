"""The files of folders: in order, hidden ones left out, and nothing that would never end."""

from __future__ import annotations

import os
import socket
from collections import Counter
from pathlib import Path

import pytest

from latentcodec.storage.folders import files_of, is_special, is_taken


def _is_png(suffix: str) -> bool:
    return suffix == ".png"


def test_files_come_by_name_and_hidden_ones_do_not(tmp_path: Path) -> None:
    for name in ("b.png", "a.png", "c/d.png", ".e.png", ".f/g.png", "album.png/h.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "again").symlink_to(tmp_path)
    found = [path.as_posix() for path in files_of(str(tmp_path), Counter())]
    assert found == ["a.png", "b.png", "album.png/h.png", "c/d.png"]


def test_a_folder_that_cannot_be_read_is_counted(tmp_path: Path) -> None:
    left_out: Counter[str] = Counter()
    assert list(files_of(str(tmp_path / "missing"), left_out)) == []
    assert left_out == {"unreadable folder": 1}


def test_what_is_not_taken_is_counted(tmp_path: Path) -> None:
    left_out: Counter[str] = Counter()
    names = ("a.png", "B.PNG", "c.txt", "D.TXT", "README", "e.lat", "s3://b/c.png", "s3://b/c.txt")
    taken = [name for name in names if is_taken(name, _is_png, left_out, own=".lat")]
    assert taken == ["a.png", "B.PNG", "s3://b/c.png"]
    assert left_out == {".txt": 3, "without extension": 1}
    assert not is_taken("README", _is_png, left_out)
    assert left_out["without extension"] == 2


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names are of Unix")
@pytest.mark.parametrize("lead", ["", "file://"])
def test_what_only_seems_to_be_a_file_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lead: str
) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's name has to be short
    os.mkfifo("pipe.png")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket.png")
    Path("device.png").symlink_to("/dev/zero")
    Path("nowhere.png").symlink_to("nothing")
    Path("round.png").symlink_to("round.png")
    left_out: Counter[str] = Counter()
    for name in ("pipe.png", "socket.png", "device.png"):
        assert not is_taken(f"{lead}{tmp_path / name}", _is_png, left_out)
    assert left_out == {"pipe or device": 3}
    for name in ("nowhere.png", "round.png"):  # who reads them is told what is wrong
        assert not is_special(Path(name))
