"""Which files of a folder a benchmark takes for its images."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latentcodec.bench.images import image_name, list_images, load_rgb
from latentcodec.errors import LatError, LossWarning


def _listed(folder: Path) -> tuple[list[str], list[str]]:
    """The names of the images, and what is told, by places in the folder."""
    told: list[str] = []
    found = list_images(folder, told.append)
    assert list_images(folder) == found
    return [path.name for path in found], [line.replace(f"{folder}/", "") for line in told]


def test_images_are_what_is_read_by_name(tmp_path: Path) -> None:
    for name in ("b.png", "a.PPM", "c.jp2", ".d.png"):
        Image.new("RGB", (8, 8)).save(tmp_path / name)
    (tmp_path / "folder.png").mkdir()
    for name in ("labels.csv", "index.json"):
        (tmp_path / name).touch()
    assert _listed(tmp_path) == (["a.PPM", "b.png", "c.jp2"], [])


def test_what_is_left_out_is_told(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    for name in ("x.NEF", "y.nef", "README"):
        (tmp_path / name).touch()
    (tmp_path / "z.png").symlink_to("nothing")
    assert _listed(tmp_path) == (
        ["a.png"],
        [
            "z.png is left out: it is a link that leads nowhere",
            "left out: 2 .nef, 1 without extension",
        ],
    )
    (tmp_path / "a.png").unlink()
    with pytest.raises(LatError, match="has no images"):
        list_images(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names are of Unix")
def test_a_pipe_is_passed_over(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    os.mkfifo(tmp_path / "pipe.png")
    assert _listed(tmp_path) == (["a.png"], ["left out: 1 pipe or device"])


def test_16_bits_are_scaled_and_not_cut_off(tmp_path: Path) -> None:
    """As `encode` does it; Pillow's own conversion gives white."""
    Image.fromarray(np.full((8, 8), 128 * 257, np.uint16)).save(tmp_path / "a.png")
    with pytest.warns(LossWarning, match="16 bits"):
        assert load_rgb(tmp_path / "a.png").getpixel((0, 0)) == (128, 128, 128)


@pytest.mark.skipif(sys.platform != "linux", reason="names are bytes on Linux")
def test_a_name_that_is_no_text_stands_in_tables(tmp_path: Path) -> None:
    """As what UTF-8 can spell, which is what tables and pages are written in."""
    assert image_name(tmp_path / os.fsdecode(b"a\xff.png")) == "a\\xff.png"
    assert image_name(tmp_path / "größe.png") == "größe.png"
