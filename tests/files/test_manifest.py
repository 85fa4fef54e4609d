"""A row for every file, and a second run that goes on from it."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from latentcodec import DecodeFileOptions, EncodeFileOptions, FileResult
from latentcodec.errors import LatError
from latentcodec.files import encode
from latentcodec.files.manifest import Manifest, options_key
from tests.command_line import done, one_sentence, typed


def rows(path: str) -> list[dict[str, Any]]:
    """What programs of others read."""
    if path.endswith(".jsonl"):
        return [json.loads(line) for line in Path(path).read_text().splitlines()]
    parquet = pytest.importorskip("pyarrow.parquet", reason="the extra `parquet` is not installed")
    return list(parquet.read_table(path).to_pylist())


@pytest.fixture(params=["jsonl", "parquet"])
def manifest(request: pytest.FixtureRequest, here: Path) -> str:
    """The name of a manifest in a folder with pictures, one of which is broken."""
    if request.param == "parquet":
        pytest.importorskip("pyarrow", reason="the extra `parquet` is not installed")
    Path("photos/e.png").write_bytes(b"no picture")
    return f"rows.{request.param}"


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Sources that are encoded from now on."""
    found: list[str] = []
    usual = encode._encode

    def watched(source: Any, *rest: Any) -> FileResult:
        found.append(Path(source).name)
        return usual(source, *rest)

    monkeypatch.setattr(encode, "_encode", watched)
    return found


def test_a_row_a_file(manifest: str) -> None:
    result = typed(f"encode -r photos -o out -q 40 --psnr --manifest {manifest}")
    assert result.exit_code == 1
    c, e, d = rows(manifest)
    assert (d["source"], d["target"], d["status"]) == (
        str(Path("photos/2024/d.webp")),
        str(Path("out/2024/d.lat")),
        "written",
    )
    data = Path("out/c.lat").read_bytes()
    assert c["sha256"] == hashlib.sha256(data).hexdigest()
    assert (c["output_bytes"], c["input_bytes"]) == (len(data), Path("photos/c.PNG").stat().st_size)
    assert c["bits_per_pixel"] == 8 * len(data) / (48 * 40)
    assert (c["quality"], c["error"], c["warnings"]) == (40, None, [])
    assert 20 < c["psnr_db"] < 50
    told = json.loads(done("encode a.png -q 40 --psnr --json").stdout.splitlines()[0])
    assert 20 < told["psnr_db"] < 50
    assert (e["status"], e["sha256"], e["bits_per_pixel"]) == ("failed", None, None)
    assert "not an image" in e["error"]


def test_a_second_run_does_what_is_left(manifest: str, encoded: list[str]) -> None:
    line = f"encode -r photos -o out --manifest {manifest}"
    assert typed(line).exit_code == 1
    encoded.clear()
    assert typed(line).exit_code == 1
    assert encoded == ["e.png"]
    Path("photos/e.png").write_bytes(Path("a.png").read_bytes())
    done(line)
    assert encoded == ["e.png", "e.png"]
    assert done(line).stdout.count("exists, skipped") == 3
    latest = {row["source"]: row["status"] for row in rows(manifest)}
    assert list(latest.values()) == ["written"] * 3
    assert len(rows(manifest)) == (3 if manifest.endswith("parquet") else 5)


def test_what_is_not_the_same_is_done_again(manifest: str, encoded: list[str]) -> None:
    Path("photos/e.png").unlink()
    line = f"encode -r photos -o out -j 1 --manifest {manifest}"
    done(line)
    encoded.clear()
    Path("out/c.lat").unlink()
    done(line)
    Path("out/2024/d.lat").write_bytes(b"of another size")
    done(line)
    Path("photos/c.PNG").write_bytes(Path("b.jpg").read_bytes())
    done(line)
    assert encoded == ["c.PNG", "d.webp", "c.PNG"]
    done(f"{line} -q 60")
    assert encoded[3:] == ["c.PNG", "d.webp"]
    done(f"{line} -q 60 --keep-suffix")
    assert encoded[5:] == ["c.PNG", "d.webp"]


def test_decoding_has_one_too(manifest: str) -> None:
    done("encode a.png b.jpg -o lat")
    line = f"decode -r lat -o back --manifest {manifest} --scale 1/2"
    done(line)
    a, _ = rows(manifest)
    assert (a["mode"], a["width_px"], a["quality"]) == ("RGB", 24, 50)
    assert a["sha256"] == hashlib.sha256(Path("back/a.png").read_bytes()).hexdigest()
    assert done(line).stdout.count("exists, skipped") == 2


def test_what_is_skipped_has_a_row(manifest: str) -> None:
    done("encode a.png b.jpg -o out")
    done(f"encode a.png b.jpg -o out --skip-existing --manifest {manifest}")
    assert [row["status"] for row in rows(manifest)] == ["skipped", "skipped"]
    done(f"encode a.png b.jpg -o out --skip-existing --manifest {manifest}")
    assert len(rows(manifest)) == 2
    done(f"encode a.png b.jpg -o out --manifest {manifest}")
    assert [row["status"] for row in rows(manifest)][-2:] == ["written", "written"]


def test_a_dry_run_reads_it_only(manifest: str) -> None:
    done("encode a.png --dry-run --manifest new.jsonl")
    assert not Path("new.jsonl").exists()
    done(f"encode a.png b.jpg -o out --manifest {manifest}")
    before = Path(manifest).read_bytes()
    assert (
        done(f"encode a.png b.jpg -o out --dry-run --manifest {manifest}").stdout.count("skipped")
        == 3
    )
    assert Path(manifest).read_bytes() == before


def test_half_a_line_is_written_anew(here: Path, encoded: list[str]) -> None:
    """What a process leaves that was killed while it wrote."""
    line = "encode -r photos -o out -j 1 --manifest rows.jsonl"
    done(line)
    whole = Path("rows.jsonl").read_bytes()
    Path("rows.jsonl").write_bytes(whole[:-20])
    encoded.clear()
    done(line)
    assert encoded == ["d.webp"]
    assert [Path(row["source"]).name for row in rows("rows.jsonl")] == ["c.PNG", "d.webp"]


def test_an_interrupted_run_goes_on(
    manifest: str, encoded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    line = f"encode -r photos -o out -j 1 --manifest {manifest}"
    watched = encode._encode

    def interrupted(source: Any, *rest: Any) -> FileResult:
        if Path(source).name == "e.png":
            raise KeyboardInterrupt
        return watched(source, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(encode, "_encode", interrupted)
        assert typed(line).exit_code == 130
    assert encoded == ["c.PNG"]
    typed(line)
    assert encoded == ["c.PNG", "e.png", "d.webp"]
    assert [Path(row["source"]).name for row in rows(manifest)] == encoded
    assert not list(Path().glob("*.parquet.jsonl"))


def test_a_manifest_that_is_an_output_is_wrong_usage(manifest: str) -> None:
    result = typed(f"encode photos/c.PNG -o {manifest} --manifest {manifest}")
    assert result.exit_code == 2 and "cannot be the manifest" in result.stderr
    assert not Path(manifest).exists()


@pytest.mark.skipif(sys.platform != "linux", reason="names are bytes on Linux")
def test_names_that_are_no_text(manifest: str, encoded: list[str]) -> None:
    Path("photos/c.PNG").rename(os.fsdecode(b"photos/\xff.PNG"))
    assert typed(f"encode -r photos -o out --manifest {manifest}").exit_code == 1
    assert Path(os.fsdecode(b"out/\xff.lat")).exists()
    name = {"jsonl": "photos/\udcff.PNG", "parquet": "photos/\\xff.PNG"}[manifest.split(".")[1]]
    assert name in [row["source"] for row in rows(manifest)]
    before = encoded.copy()
    typed(f"encode -r photos -o out --manifest {manifest}")
    assert encoded[len(before) :] == ["e.png"]
    assert [row["source"] for row in rows(manifest)].count(name) == 1


@pytest.mark.slow
def test_a_killed_run_goes_on(manifest: str) -> None:
    """Whenever that was: all files are there once, and the rows are theirs."""
    for number in range(12):
        Path(f"photos/{number:02}.png").write_bytes(Path("a.png").read_bytes())
    journal = Path(manifest if manifest.endswith("jsonl") else f"{manifest}.jsonl")
    command = [sys.executable, "-m", "latentcodec", "encode", "-r", "photos", "-o", "out"]
    for wanted in (3, 8):
        with subprocess.Popen([*command, "-Q", "--manifest", manifest]) as process:
            while process.poll() is None and lines_in(journal) < wanted:
                time.sleep(0.002)
            process.kill()
    assert not Path("rows.parquet").exists()
    before = lines_in(journal)
    result = typed(f"encode -r photos -o out --manifest {manifest}")
    assert "1 of 15 files failed" in result.stderr and f"{before} skipped" in result.stdout
    latest = {row["target"]: row for row in rows(manifest) if row["status"] == "written"}
    outputs = [path for path in Path("out").rglob("*.lat") if not path.name.startswith(".")]
    assert len(latest) == len(outputs) == 14
    for path in outputs:
        assert latest[str(path)]["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


def lines_in(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def test_other_files_are_not_written_over(here: Path) -> None:
    for name, content in (
        ("notes.jsonl", b'{"a": 1}\n'),
        ("x.jsonl", b"text\n"),
        ("half.jsonl", b"no line's end"),
    ):
        Path(name).write_bytes(content)
        message = one_sentence(typed(f"encode a.png --manifest {name}").stderr)
        assert message == f"{name} is no manifest: see its line 1"
        assert Path(name).read_bytes() == content
    assert typed("encode a.png --manifest rows.csv").exit_code == 2
    assert not Path("a.lat").exists()


def test_other_tables_are_not_written_over(here: Path) -> None:
    pa = pytest.importorskip("pyarrow", reason="the extra `parquet` is not installed")
    pytest.importorskip("pyarrow.parquet").write_table(pa.table({"a": [1]}), "a.parquet")
    Path("b.parquet").write_bytes(b"no table")
    for name in ("a.parquet", "b.parquet"):
        before = Path(name).read_bytes()
        message = one_sentence(typed(f"encode a.png --manifest {name}").stderr)
        assert message.startswith(f"{name} is no manifest: ")
        assert Path(name).read_bytes() == before
    assert not Path("a.lat").exists()


def test_the_key_of_the_options() -> None:
    key = options_key(EncodeFileOptions())
    assert key == options_key(EncodeFileOptions(tune="ssim", make_parents=True, runtime="torch"))
    others = [
        EncodeFileOptions(quality=51),
        EncodeFileOptions(tune="psnr"),
        EncodeFileOptions(strip=["gps"]),
        DecodeFileOptions(),
        DecodeFileOptions(scale=2),
    ]
    assert len({key, *map(options_key, others)}) == 6


def test_urls_are_believed(tmp_path: Path) -> None:
    options, path = EncodeFileOptions(), tmp_path / "m.jsonl"
    with Manifest(path, options) as manifest:
        manifest.add(FileResult("s3://a/b.png", "s3://a/b.lat", "written", output_bytes=9))
        manifest.add(FileResult("s3://a/c.png", "s3://a/c.lat", "failed", error="broken"))
    again = Manifest(path, options)
    assert again.has("s3://a/b.png", "s3://a/b.lat")
    assert not again.has("s3://a/c.png", "s3://a/c.lat")
    assert not Manifest(path, EncodeFileOptions(quality=9)).has("s3://a/b.png", "s3://a/b.lat")
    with pytest.raises(LatError, match="no manifest"):
        path.write_text("[]\n")
        Manifest(path, options)
