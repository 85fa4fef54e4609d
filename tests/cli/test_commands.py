"""encode, decode and info of one file: what is written and what is said."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import latentcodec
from latentcodec.format import container
from tests.command_line import call, one_sentence

FORMATS = {
    "png": "PNG",
    "jpg": "JPEG",
    "webp": "WEBP",
    "tiff": "TIFF",
    "bmp": "BMP",
    "avif": "AVIF",
    "JPEG": "JPEG",
}


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


@pytest.mark.parametrize(
    "command", ["encode", "decode", "info", "train", "export", "completion", "man"]
)
def test_help(command: str) -> None:
    result = call(command, "--help")
    assert result.exit_code == 0
    assert result.stdout.startswith("Usage: ")
    assert command in call("--help").stdout


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
