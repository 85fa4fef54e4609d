"""Codecs that are two commands."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from PIL import Image

from latentcodec.bench.codecs import find
from latentcodec.bench.command_codec import SETTINGS, CommandCodec, command_codec
from latentcodec.bench.rows import Row, read_rows
from latentcodec.errors import LatError
from tests.command_line import call
from tests.paths import KODAK

pytestmark = pytest.mark.slow

ENCODER = """import sys
from PIL import Image
source, target, quality = sys.argv[1:]
assert target.endswith(".webp")
Image.open(source).save(target, quality=float(quality))
"""
DECODER = """import sys
from PIL import Image
assert sys.argv[1].endswith(".webp")
Image.open(sys.argv[1]).save(sys.argv[2])
"""


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder with spaces in its name, and two programs in it."""
    folder = tmp_path / "two programs"
    folder.mkdir()
    (folder / "encode.py").write_text(ENCODER, encoding="utf-8")
    (folder / "decode.py").write_text(DECODER, encoding="utf-8")
    return folder


def text_of(programs: Path, settings: str = "") -> str:
    python, encoder, decoder = (
        shlex.quote(str(path))
        for path in (sys.executable, programs / "encode.py", programs / "decode.py")
    )
    encode = f"{python} {encoder} {{input}} {{output}}.webp {{setting}}"
    return f"mine={encode};{python} {decoder} {{input}} {{output}}{settings}"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    with Image.open(KODAK / "kodim23.png") as image:
        image.crop((250, 60, 442, 236)).save(folder / "kodim23.png")
    return folder


def test_a_codec_of_commands_gives_what_the_programs_give(programs: Path, photos: Path) -> None:
    codec = find(text_of(programs, ";30,80.5"))
    assert isinstance(codec, CommandCodec)
    assert (codec.label, codec.settings, codec.missing()) == ("mine", (30.0, 80.5), None)
    with Image.open(photos / "kodim23.png") as image:
        data = codec.encode(image, 80.5)
        image.save(photos.parent / "same.webp", quality=80.5)
    assert data == (photos.parent / "same.webp").read_bytes()
    same = np.asarray(Image.open(photos.parent / "same.webp"))
    assert (np.asarray(codec.decode(data)) == same).all()


def test_another_program_is_another_version(programs: Path) -> None:
    codec = command_codec(text_of(programs))
    first = codec.version()
    assert "encode.py " in first and "decode.py " in first
    assert codec.settings == SETTINGS
    (programs / "decode.py").write_text(DECODER + "# newer\n", encoding="utf-8")
    assert codec.version() != first


def bench(photos: Path, *arguments: str) -> Result:
    quick = ("--timed-images", "0", "--sliders", "0", "--jobs", "1", "--out", "out")
    return call("bench", photos, "--codecs", "jpeg", "--points", "2", *quick, *arguments)


def test_bench_measures_commands_beside_the_others(
    programs: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pytorch_msssim", reason="the extra `bench` is not installed")
    monkeypatch.chdir(photos.parent)
    text = text_of(programs)
    run = bench(
        photos,
        "--codec",
        text,
        "--codec",
        "gone=gone {input} {output} {setting};d {input} {output}",
    )
    assert run.exit_code == 0, run.output
    assert "the command gone is not installed" in run.stderr
    rows = [row for row in read_rows(Row, Path("out/rd.csv")) if row.codec == text]
    assert [row.setting for row in rows] == [SETTINGS[0], SETTINGS[-1]]
    assert 0 < rows[0].bytes < rows[1].bytes and rows[0].psnr < rows[1].psnr
    assert "| mine |" in Path("out/summary.md").read_text(encoding="utf-8")


def test_a_program_that_fails_is_quoted(
    programs: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(photos.parent)
    (programs / "encode.py").write_text("import sys\nsys.exit('no such luck')\n", encoding="utf-8")
    run = bench(photos, "--codec", text_of(programs))
    assert run.exit_code == 1
    assert "mine failed on kodim23.png at 5: " in run.stderr
    assert run.stderr.splitlines()[-1].endswith("ended with code 1: no such luck")
    (programs / "encode.py").write_text("", encoding="utf-8")
    assert "wrote no file" in bench(photos, "--codec", text_of(programs)).stderr


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("mine", "a codec of commands is NAME="),
        ("mine=a {input} {output} {setting}", "a codec of commands is NAME="),
        ("=a {input} {output} {setting};b {input} {output}", "a codec of commands is NAME="),
        ("mine=a {input} {output};b {input} {output}", "'a {input} {output}' lacks {setting}"),
        ("mine=a {input} {output} {setting};b {input}", "'b {input}' lacks {output}"),
        ("mine=;", "lacks {input}"),
        ("mine=a '{input} {output} {setting};b {input} {output}", "No closing quotation"),
        ("mine=a {input} {output} {setting};b {input} {output};x", "could not convert"),
        ("mine=a {input} {output} {setting};b {input} {output};1,1", "each once"),
    ],
)
def test_says_what_is_wrong_with_the_commands(text: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(LatError) as error:
        command_codec(text)
    assert says in str(error.value)
    run = call("bench", tmp_path, "--out", tmp_path / "out", "--codec", text)
    assert run.exit_code == 2, "wrong usage"
