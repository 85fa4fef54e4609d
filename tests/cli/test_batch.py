"""encode and decode of many files: where outputs go, and what is left alone."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import latentcodec
from latentcodec.cli.batch import results
from latentcodec.cli.options import BatchOptions
from latentcodec.cli.paths import Task
from latentcodec.files.result import FileResult
from latentcodec.runtime.base import Family
from tests.command_line import done, typed


def files(folder: str) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in Path(folder).rglob("*") if p.is_file())


@pytest.mark.parametrize(
    ("line", "written"),
    [
        ("encode a.png", ["a.lat"]),
        ("encode a.png -o out.bin", ["out.bin"]),
        ("encode a.png photos", ["photos/a.lat"]),
        ("encode a.png new/", ["new/a.lat"]),
        ("encode a.png b.jpg photos", ["photos/a.lat", "photos/b.lat"]),
        ("encode a.png b.jpg -o new", ["new/a.lat", "new/b.lat"]),
        ("encode -r photos", ["photos/c.lat", "photos/2024/d.lat"]),
        ("encode -r photos new", ["new/c.lat", "new/2024/d.lat"]),
        ("encode -r photos -o new", ["new/c.lat", "new/2024/d.lat"]),
        ("encode -r a.png photos -o n", ["n/a.lat", "n/photos/c.lat", "n/photos/2024/d.lat"]),
        ("encode -r . -o n", ["n/a.lat", "n/b.lat", "n/photos/c.lat", "n/photos/2024/d.lat"]),
    ],
)
def test_where_outputs_go(here: Path, line: str, written: list[str]) -> None:
    before = files(".")
    done(line)
    assert files(".") == sorted([*before, *written])


def test_decode_is_the_mirror(here: Path) -> None:
    done("encode -r photos -o lat")
    done("decode -r lat -o back --format jpg")
    assert files("back") == ["2024/d.jpg", "c.jpg"]
    done("decode lat/c.lat lat/2024/d.lat -o both --region 1,2,9,8")
    assert files("both") == ["c.png", "d.png"]
    assert Image.open("both/c.png").size == (9, 8)
    done("decode lat/c.lat odd.name --format png")
    assert Image.open("odd.name").format == "PNG"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("encode a.png b.jpg", "does not end in .lat"),
        ("encode a.png b.jpg other", "several inputs need a folder"),
        ("encode -r photos a.png", "several inputs need a folder"),
        ("encode - a.png -o new", "- stands for one picture"),
        ("encode -r photos -o -", "- stands for one picture"),
        ("encode - photos", "needs a name"),
        ("encode a.png --strip gps,place", "no metadata 'place'"),
        ("encode a.png --quiet --json", "one of --json"),
        ("decode a.lat", "name an OUT"),
        ("decode a.lat new.png --format nosuch", "writes no .nosuch"),
    ],
)
def test_what_cannot_be_meant(here: Path, line: str, words: str) -> None:
    before = files(".")
    result = typed(line)
    assert result.exit_code == 2
    assert words in " ".join(result.stderr.split())
    assert files(".") == before


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_a_link_that_leads_nowhere_is_no_folder(here: Path) -> None:
    Path("loop").symlink_to("loop")
    Path("dangling").symlink_to("nowhere")
    for output in ("loop", "dangling"):
        result = typed(f"encode a.png b.jpg -o {output}")
        assert result.exit_code == 2 and f"{output} is a file" in result.stderr
    done("encode a.png -o dangling")  # as any program writes through a link
    assert latentcodec.decode("nowhere").size == Image.open("a.png").size
    assert "Too many levels" in typed("encode a.png -o loop").stderr


def test_one_bad_file_does_not_stop_the_others(here: Path) -> None:
    Path("photos/bad.png").write_bytes(b"no picture")
    Path("photos/2024/cut.jpg").write_bytes(Path("b.jpg").read_bytes()[:200])
    result = typed("encode -r photos -o new")
    assert result.exit_code == 1
    assert files("new") == ["2024/d.lat", "c.lat"]
    assert [line.split(":")[0] for line in result.stdout.splitlines()] == [
        "new/c.lat",
        "new/2024/d.lat",
        "4 files",
        "left out",
    ]
    assert "2 written, 2 failed" in result.stdout
    errors = result.stderr.splitlines()
    assert errors[0] == "Error: 2 of 4 files failed:"
    assert errors[1] == "  photos/bad.png is not an image that Pillow can read: not a PNG file"
    assert errors[2].startswith("  photos/2024/cut.jpg is a damaged image")
    assert len(errors) == 3


def test_folders_need_recursive_and_something_in_them(here: Path) -> None:
    result = typed("encode a.png photos -o new")
    assert result.exit_code == 1
    assert "photos is a folder; --recursive" in result.stderr
    assert files("new") == ["a.lat"]
    Path("empty").mkdir()
    result = typed("encode -r empty")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "no file to convert" in result.stderr


def test_what_would_be_the_same_file_is_refused(here: Path) -> None:
    Image.open("b.jpg").save("a.jpg")
    result = typed("encode a.png a.jpg b.jpg -o new")
    assert result.exit_code == 1
    assert files("new") == ["a.lat", "b.lat"]
    assert "a.jpg: new/a.lat is what a.png becomes" in result.stderr
    assert Path("new/a.lat").read_bytes() == latentcodec.encode(Image.open("a.png"))


def test_an_input_is_never_overwritten(here: Path) -> None:
    before = Path("a.png").read_bytes()
    Path("link.lat").symlink_to("a.png")
    for line in ("encode a.png -o a.png", "encode a.png link.lat"):
        result = typed(line)
        assert result.exit_code == 1
        assert "is an input" in result.stderr
    assert Path("a.png").read_bytes() == before


def test_standard_streams(here: Path) -> None:
    source = Path("a.png").read_bytes()
    data = latentcodec.encode(Image.open("a.png"))
    for line in ("encode -", "encode - -", "encode a.png -", "encode - -o -", "encode - --json"):
        result = done(line, source)
        assert result.stdout_bytes == data
        assert "quality" in result.stderr
    assert done("encode -Q -", source).stderr == ""
    done("encode - named.lat", source)
    assert Path("named.lat").read_bytes() == data
    back = Image.open(io.BytesIO(done("decode - -", data).stdout_bytes))
    assert back.format == "PNG"
    assert np.array_equal(np.asarray(back), np.asarray(latentcodec.decode(data)))
    wrong = typed("encode -", b"no picture")
    assert (wrong.exit_code, wrong.stdout_bytes) == (1, b"")
    assert wrong.stderr == "Error: the input is not an image that Pillow can read\n"


def test_skip_existing(here: Path) -> None:
    Path("a.lat").write_bytes(b"older")
    result = done("encode a.png b.jpg -o . --skip-existing")
    assert Path("a.lat").read_bytes() == b"older"
    assert "a.lat: exists, skipped" in result.stdout
    assert "2 files: 1 written, 1 skipped" in result.stdout
    done("encode a.png b.jpg -o .")
    assert Path("a.lat").read_bytes().startswith(b"\x93LAT")


def test_jobs_tell_their_warnings_apart(here: Path) -> None:
    """In as many threads as files; what is written decodes, whatever their number."""
    for number in range(6):
        Image.new("CMYK" if number % 2 else "RGB", (20, 10)).save(f"{number}.jpg")
    line = "encode 0.jpg 1.jpg 2.jpg 3.jpg 4.jpg 5.jpg -o new --jobs 6 --verify"
    result = done(line)
    warned = [line.split(": ")[1] for line in result.stderr.splitlines()]
    assert warned == ["1.jpg", "3.jpg", "5.jpg"]
    assert [f"new/{number}.lat" for number in range(6)] == [
        line.split(":")[0] for line in result.stdout.splitlines()[:-1]
    ]
    for name in files("new"):
        assert latentcodec.decode(Path("new", name).read_bytes()).size == (20, 10)


def test_strip(here: Path) -> None:
    exif = Image.Exif()
    exif[0x10F] = "a camera"
    Image.open("b.jpg").save("own.jpg", exif=exif)
    for option, kept in (("", True), ("--strip gps", True), ("--strip ICC,exif", False)):
        done(f"encode own.jpg {option}")
        chunks = json.loads(done("info own.lat --json").stdout)["chunk_bytes"]
        assert ("exif" in chunks) == kept


def test_an_interrupt_ends_the_waiting_jobs(here: Path) -> None:
    begun = []

    def convert(source: str, target: str) -> FileResult:
        begun.append(source)
        raise KeyboardInterrupt

    tasks = [Task(f"{number}.png", f"{number}.lat") for number in range(500)]
    options = BatchOptions(jobs=2)
    with pytest.raises(KeyboardInterrupt):
        list(results(tasks, convert, options))
    assert len(begun) < 500


def test_many_tasks_are_not_all_in_memory() -> None:
    """Results come in order, and no more than some wait for one that takes long."""
    begun = []

    def convert(source: str, target: str) -> FileResult:
        begun.append(source)
        return FileResult(source, target, "written")

    tasks = [Task(str(number), f"{number}.lat") for number in range(5000)]
    ended = results(tasks, convert, BatchOptions(jobs=2))
    first = next(ended)
    assert len(begun) <= 1000
    assert [one.source for one in (first, *ended)] == [task.source for task in tasks]


def test_verify(here: Path, family: Family, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "verified" in done("encode a.png new.lat --verify").stdout
    decode = type(family).decode_latents
    monkeypatch.setattr(type(family), "decode_latents", lambda *a: decode(*a) + 1)
    result = typed("encode a.png wrong.lat --verify")
    assert result.exit_code == 1
    assert "does not decode to the latents" in result.stderr
    assert not Path("wrong.lat").exists()
    done("encode a.png wrong.lat")


def test_verify_reads_back(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "latentcodec.files.endpoints.write_file", lambda path, data: path.write_bytes(data[:-1])
    )
    result = typed("encode a.png new.lat --verify")
    assert result.exit_code == 1
    assert "does not read back" in result.stderr


@pytest.mark.slow
@pytest.mark.parametrize("more", ["", " --jobs 2", " --json"])
def test_a_dry_run_writes_nothing_and_says_what_would_be(here: Path, more: str) -> None:
    """Of the same files as the run itself, also those that are there or in each other's way."""
    Path("photos/c.jpg").write_bytes(b"no picture, and nobody looks")
    before = files(".")
    line = f"encode -r photos a.png -o new/folder{more}"
    result = typed(f"{line} --dry-run")
    assert result.exit_code == 1 and files(".") == before
    targets = ("new/folder/photos/c.lat", "new/folder/photos/2024/d.lat", "new/folder/a.lat")
    if "json" in more:
        *rows, last = map(json.loads, result.stdout.splitlines())
        assert {row["target"] for row in rows if row["status"] == "planned"} == set(targets)
        assert (last["summary"]["planned"], last["summary"]["written"]) == (3, 0)
    else:
        assert f"{targets[2]}: would be made of a.png\n" in result.stdout
        assert result.stdout.count("would be made of") == 3
        assert "4 files: 3 planned, 1 failed" in result.stdout
    Path("photos/c.jpg").unlink()
    done(f"encode -r photos a.png -o new/folder{more}")
    assert files("new/folder") == sorted(name.removeprefix("new/folder/") for name in targets)
    again = typed("encode -r photos a.png -o new/folder --skip-existing --dry-run")
    assert again.stdout.count("exists, skipped") == 3 and again.exit_code == 0


def test_a_dry_run_of_decoding(here: Path, data: bytes) -> None:
    Path("x.lat").write_bytes(data)
    assert done("decode x.lat y.png --dry-run").stdout == "y.png: would be made of x.lat\n"
    assert not Path("y.png").exists()
    assert typed("decode x.lat y.nosuch --dry-run").exit_code == 2
