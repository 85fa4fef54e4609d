"""The commands with URLs, in memory, on the disk, and by S3's protocol."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

import latentcodec
from latentcodec.storage import remote
from tests.command_line import done, one_sentence, typed

fsspec = pytest.importorskip("fsspec", reason="the extra `remote` is not installed")


def names(url: str) -> list[str]:
    return [str(path) for path in remote.files_below(url)]


@pytest.fixture(params=["memory", "file", pytest.param("s3", marks=pytest.mark.slow)])
def store(request: pytest.FixtureRequest, here: Path) -> str:
    """The URL of an empty place; the current folder has pictures."""
    if request.param == "s3":
        return str(request.getfixturevalue("s3"))
    request.getfixturevalue("memory")
    return "memory://place" if request.param == "memory" else f"file://{here}/place"


def test_files_and_folders(store: str) -> None:
    done(f"encode a.png {store}/in/a.lat -q 40")
    done("encode a.png here.lat -q 40")
    assert remote.read(f"{store}/in/a.lat") == Path("here.lat").read_bytes()
    done(f"encode -r photos -o {store}/lat")
    assert names(f"{store}/lat") == ["2024/d.lat", "c.lat"]
    done(f"decode -r {store}/lat -o {store}/back --format jpg")
    assert names(f"{store}/back") == ["2024/d.jpg", "c.jpg"]
    done(f"decode -r {store}/lat -o back")
    assert sorted(path.name for path in Path("back").rglob("*.png")) == ["c.png", "d.png"]
    done(f"decode {store}/lat/c.lat part.png --region 1,2,9,8")
    assert Image.open("part.png").size == (9, 8)
    remote.write(f"{store}/in/notes.txt", b"no picture")
    remote.write(f"{store}/in/b.jpg", Path("b.jpg").read_bytes())
    result = done(f"encode -r {store}/in --verify --json")
    first, last = map(json.loads, result.stdout.splitlines())
    assert (first["source"], first["target"]) == (f"{store}/in/b.jpg", f"{store}/in/b.lat")
    assert last["summary"]["left_out"] == {".txt": 1}
    assert json.loads(done(f"info {store}/in/b.lat --json").stdout)["width_px"] == 48
    described = done(f"info -r {store}/lat").stdout
    assert f"{store}/lat/2024/d.lat" in described and "2 files: " in described
    assert latentcodec.open(f"{store}/in/b.lat").size == (48, 40)


def test_what_is_there_is_skipped(store: str) -> None:
    for number in range(9):  # more than are asked for one by one
        Path(f"photos/{number}.png").write_bytes(Path("a.png").read_bytes())
    done(f"encode -r photos -o {store}/lat")
    remote.write(f"{store}/lat/3.lat", b"older")
    fsspec.core.url_to_fs(store)[0].rm(fsspec.core.url_to_fs(f"{store}/lat/c.lat")[1])
    result = done(f"encode -r photos -o {store}/lat --skip-existing")
    assert "11 files: 1 written, 10 skipped" in result.stdout
    assert remote.read(f"{store}/lat/3.lat") == b"older"
    assert len(names(f"{store}/lat")) == 11


def test_originals_are_not_written_over(store: str) -> None:
    original = Path("a.png").read_bytes()
    remote.write(f"{store}/a.png", original)
    done(f"encode {store}/a.png -o {store}/")
    result = typed(f"decode -r {store} -o {store}")
    assert "may be its original" in one_sentence(result.stderr)
    assert remote.read(f"{store}/a.png") == original
    line = f"decode -r {store} -o {store} --format webp --manifest rows.jsonl"
    done(line)
    assert "exists, skipped" in done(line).stdout


def test_what_is_wrong_is_said(store: str) -> None:
    remote.write(f"{store}/bad.png", b"no picture")
    remote.write(f"{store}/a.png", Path("a.png").read_bytes())
    for line in (f"encode {store}/none.png x.lat", f"decode {store}/none.lat x.png"):
        assert "No such file or directory" in one_sentence(typed(line).stderr)
    result = typed(f"encode -r {store} -o {store}/out")
    assert result.exit_code == 1
    assert f"{store}/bad.png: " in result.stderr and "not an image" in result.stderr
    assert names(f"{store}/out") == ["a.lat"]
    assert "is a folder" in typed(f"encode {store}/ -o x").stderr
    assert "is an input" in typed(f"encode {store}/a.png -o {store}/a.png").stderr
    assert not Path("x").exists()


def test_a_store_that_needs_another_package(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gcsfs", None)
    message = one_sentence(typed("encode gs://bucket/a.png x.lat").stderr)
    assert message.startswith("gs://bucket/a.png") and "gcsfs" in message
    monkeypatch.setitem(sys.modules, "fsspec", None)
    message = one_sentence(typed("encode s3://bucket/a.png x.lat").stderr)
    assert message.endswith("needs fsspec: pip install 'latentcodec[remote]'")


@pytest.mark.slow
def test_local_files_need_no_fsspec(here: Path) -> None:
    program = (
        "import sys; sys.modules['fsspec'] = None\n"
        "from latentcodec.cli import main\n"
        "sys.argv = ['latentcodec', 'encode', '-r', 'photos', '-o', 'lat', '--skip-existing']\n"
        "main()"
    )
    subprocess.run([sys.executable, "-c", program], check=True, env=os.environ)
    assert Path("lat/c.lat").exists()


@pytest.mark.slow
def test_an_upload_that_breaks_off_writes_nothing(s3: str, here: Path) -> None:
    """A bucket that is not there refuses the one request that would write all of it."""
    result = typed(f"encode a.png {s3}-none/a.lat")
    assert result.exit_code == 1
    assert one_sentence(result.stderr).startswith(f"{s3}-none/a.lat: ")
