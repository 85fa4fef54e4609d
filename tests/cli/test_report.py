"""What is said of many files: lines, JSON, a progress bar, a summary."""

from __future__ import annotations

import io
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from latentcodec.cli.options import BatchOptions
from latentcodec.cli.paths import Task
from latentcodec.cli.report import Report
from latentcodec.files.result import FileResult
from tests.command_line import call, done, typed


def test_json(here: Path) -> None:
    Path("bad.png").write_bytes(b"no picture")
    Image.new("CMYK", (9, 7)).save("ink.jpg")
    Path("b.lat").write_bytes(b"older")
    result = typed("encode a.png b.jpg bad.png ink.jpg -o . --skip-existing --json -q 40")
    assert (result.exit_code, result.stderr) == (1, "")
    a, b, bad, ink, last = map(json.loads, result.stdout.splitlines())
    assert [one["status"] for one in (a, b, bad, ink)] == [
        "written",
        "skipped",
        "failed",
        "written",
    ]
    assert (a["source"], a["target"], a["width_px"], a["height_px"]) == ("a.png", "a.lat", 48, 40)
    size = Path("a.lat").stat().st_size
    assert (a["quality"], a["output_bytes"]) == (40, size)
    assert a["input_bytes"] == Path("a.png").stat().st_size
    assert a["bits_per_pixel"] == pytest.approx(8 * size / (48 * 40), abs=1e-4)
    assert "not an image" in bad["error"]
    assert "CMYK" in ink["warnings"][0] and not a["warnings"]
    total = last["summary"]
    assert (total["files"], total["written"], total["skipped"], total["failed"]) == (4, 2, 1, 1)
    assert total["output_bytes"] == a["output_bytes"] + ink["output_bytes"]
    assert total["bits_per_pixel"] == pytest.approx(
        8 * total["output_bytes"] / (48 * 40 + 63), abs=1e-4
    )


def test_quiet_and_verbose(here: Path) -> None:
    Image.new("CMYK", (9, 7)).save("ink.jpg")
    result = done("encode a.png ink.jpg -o new -Q")
    assert (result.stdout, result.stderr) == ("", "")
    result = done("encode a.png ink.jpg -o new -v")
    assert result.stdout.splitlines()[0].endswith(" s")
    assert result.stderr == "Warning: ink.jpg: the image is in CMYK; it is stored as RGB\n"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def reported(monkeypatch: pytest.MonkeyPatch, **manner: Any) -> tuple[str, str]:
    """What a terminal shows of two files, one of which fails: stdout and stderr."""
    out, err = Terminal(), Terminal()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    options = BatchOptions(**manner)
    tasks = [Task("a.png", "a.lat"), Task("b.png", "b.lat")]
    with Report(tasks, options, Counter()) as report:
        report.add(
            FileResult(
                *("a.png", "a.lat", "written"),
                width_px=1000,
                height_px=1000,
                input_bytes=3000,
                output_bytes=500,
                lat_pixels=10**6,
                lat_bytes=500,
                quality=50,
                warnings=("something is lost",),
            )
        )
        report.add(FileResult("b.png", "b.lat", "failed", error="nothing in it"))
    return out.getvalue(), err.getvalue()


def test_a_terminal_has_a_progress_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    out, err = reported(monkeypatch)
    assert "1/2" in err and "2/2" in err and "MP/s" in err
    assert "Warning: a.png: something is lost" in err
    assert "Error: 1 of 2 files failed:\n  b.png: nothing in it\n" in err
    assert out.startswith("2 files: 1 written, 1 failed; 3.0 kB to 500 bytes, 0.004 bpp")
    for manner in ({"quiet": True}, {"verbose": True}, {"as_json": True}):
        out, err = reported(monkeypatch, **manner)
        assert "2/2" not in err
        assert ("a.lat" in out) == ("quiet" not in manner)


def test_names_cannot_write_to_the_terminal(here: Path) -> None:
    Path("\x1b[2Jtwo\nlines.png").write_bytes(Path("a.png").read_bytes())
    result = call("encode", "\x1b[2Jtwo\nlines.png", "missing\udcff\r.png", "-o", "out/", "-j", 1)
    assert result.stdout.startswith("out/\\x1b[2Jtwo\\nlines.lat: ")
    assert result.stderr.endswith("\n  missing\ufffd\\r.png: No such file or directory\n")
    assert done("info -r out").stdout.splitlines()[0].endswith("  out/\\x1b[2Jtwo\\nlines.lat")


def test_json_has_numbers_alone(here: Path) -> None:
    """Of a picture that is transparent everywhere no difference can be seen, and 1/0 is none."""
    Image.new("RGBA", (20, 20)).save("clear.png")
    first, _ = done("encode clear.png --psnr --json").stdout.splitlines()
    assert json.loads(first, parse_constant=pytest.fail)["psnr_db"] is None
