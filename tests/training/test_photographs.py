"""Photographs, and the crops that are drawn from them."""

from __future__ import annotations

import os
import re
import tarfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from latentcodec.errors import LossWarning
from latentcodec.training.data import CropSampler, Photographs
from latentcodec.training.image_files import LeftOut, image_files

CPU = torch.device("cpu")


def _photographs(folder: Path) -> Photographs:
    return Photographs.load([folder], 107, CPU)


def test_a_source_is_capped(folder: Path) -> None:
    shares = _photographs(folder).shares
    assert shares[:4].sum() == pytest.approx(0.25)
    assert shares.sum() == pytest.approx(1)


def test_a_tar_shard_reads_as_its_folder(folder: Path, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "shard.tar", "w") as shard:
        for path in sorted(folder.glob("*.png")):
            shard.add(path, path.name)
    packed = Photographs.load([tmp_path], 107, CPU).images
    plain = _photographs(folder).images
    assert len(packed) == len(plain) == 6
    assert all(torch.equal(a, b) for a, b in zip(packed, plain, strict=True))


def test_crops_depend_on_seed_and_step_alone(folder: Path) -> None:
    photographs = _photographs(folder)
    one, two = (CropSampler(photographs, 64, seed=5) for _ in range(2))
    one.batch(0, 2)
    assert torch.equal(one.batch(7, 3), two.batch(7, 3))
    assert not torch.equal(one.batch(7, 3), one.batch(8, 3))
    assert one.batch(7, 3).shape == (3, 64, 64, 3)
    assert one.batch(7, 3).abs().max() <= 1


def _said(folder: Path, smallest_px: int = 107) -> tuple[int, list[str]]:
    """How many images are loaded, and what is told of the others, by places in the folder."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        count = len(Photographs.load([folder], smallest_px, CPU).images)
    assert all(one.category is LossWarning for one in caught)
    return count, [str(one.message).replace(f"{folder}/", "") for one in caught]


def _save(path: Path, side: int = 120, mode: str = "RGB") -> None:
    Image.linear_gradient("L").resize((side, side)).convert(mode).save(path)


def test_what_cannot_be_read_is_named_and_counted(tmp_path: Path) -> None:
    """Of damaged files, empty ones, links that lead nowhere and shards the first five are named."""
    _save(tmp_path / "good.png")
    whole = (tmp_path / "good.png").read_bytes()
    (tmp_path / "a.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "b.tar").write_bytes(b"no shard")
    (tmp_path / "c.jpg").symlink_to("nothing")
    (tmp_path / "z.jpg").write_bytes(b"")
    count, said = _said(tmp_path)
    assert count == 1
    assert [line.split()[:2] for line in said[:4]] == [["left", "out:"]] * 4
    for line, words in zip(
        said,
        (
            "a.png is a damaged image",
            "b.tar is a damaged shard",
            "c.jpg: No such file",
            "z.jpg is not an image that Pillow can read",
            "because they cannot be read: 4",
        ),
        strict=True,
    ):
        assert words in line and "object at" not in line
    for number in range(20):
        (tmp_path / f"{number:02}.webp").write_bytes(b"no picture")
    count, said = _said(tmp_path)
    assert (count, len(said), said[5][-3:]) == (1, 6, " 24")


def test_small_ones_are_named_and_counted(tmp_path: Path) -> None:
    for number in range(6):
        _save(tmp_path / f"{number}.png", 106)
    _save(tmp_path / "good.png", 107)
    names = "0.png, 1.png, 2.png, 3.png, 4.png and 1 more"
    assert _said(tmp_path) == (1, [f"left out, with a side below 107 px: 6 ({names})"])


def test_all_that_pillow_reads_is_taken_and_the_rest_counted(tmp_path: Path) -> None:
    for name, mode in (("a.BMP", "RGB"), ("b.gif", "P"), ("c.tga", "L"), ("d.jpg", "CMYK")):
        _save(tmp_path / name, mode=mode)
    for name in ("x.NEF", "y.nef", "README", "index.json", ".hidden.txt"):
        (tmp_path / name).write_text("[]")
    assert _said(tmp_path) == (4, ["left out: 2 .nef, 1 without extension"])
    heif = pytest.importorskip("pillow_heif")
    heif.from_pillow(Image.new("RGB", (120, 120))).save(tmp_path / "IMG.HEIC")
    assert _said(tmp_path)[0] == 5


def test_deep_grey_keeps_its_levels(tmp_path: Path) -> None:
    """Of 16 bits, which Pillow's own conversion to RGB would make white."""
    levels = np.full((120, 120), 128 * 257, np.uint16)
    Image.fromarray(levels).save(tmp_path / "deep.png")
    (image,) = _photographs(tmp_path).images
    assert (image == 128).all()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names are of Unix")
def test_what_is_no_file_is_passed_over(tmp_path: Path) -> None:
    """A pipe would never end; and a folder may be named as an image or as a shard is."""
    for name in ("pipe.png", "pipe.tar"):
        os.mkfifo(tmp_path / name)
    for name in ("album.png", "shards.tar"):
        (tmp_path / name).mkdir()
        _save(tmp_path / name / "a.png")
    assert _said(tmp_path) == (2, ["left out: 2 pipe or device"])


def test_members_of_shards_are_held_to_the_same(tmp_path: Path) -> None:
    _save(tmp_path / "a.bmp")
    with tarfile.open(tmp_path / "shard.tar", "w") as shard:
        for name in ("good.bmp", ".hidden.bmp", "note.txt"):
            shard.add(tmp_path / "a.bmp", name)
        for name, kind in (("link.png", tarfile.SYMTYPE), ("pipe.png", tarfile.FIFOTYPE)):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "nothing"
            shard.addfile(member)
    (tmp_path / "a.bmp").unlink()
    count, said = _said(tmp_path)
    assert (count, len(said)) == (1, 4)
    assert said[0] == "left out: shard.tar/link.png is no file, and a link to none"
    assert said[2:] == ["left out, because they cannot be read: 2", "left out: 1 .txt"]


@pytest.mark.parametrize("text", ["{", "3", "[3]", '[{"file": "a.png"}]', '{"file": "a.png"}'])
def test_an_index_that_is_none_is_one_sentence(tmp_path: Path, text: str) -> None:
    _save(tmp_path / "a.png")
    (tmp_path / "index.json").write_text(text)
    with pytest.raises(ValueError, match=r"index.json is no list of objects with file and source"):
        _photographs(tmp_path)


def test_a_path_where_nothing_is(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        _photographs(tmp_path / "missing")


def test_no_usable_image_is_one_sentence(tmp_path: Path) -> None:
    searched = re.escape(f"in {tmp_path}, {tmp_path}")
    with pytest.raises(ValueError, match=f"no image of 107 px or more {searched}$"):
        Photographs.load([tmp_path, tmp_path], 107, CPU)


@pytest.mark.parametrize("packing", ["w:gz", "w:bz2", "w:xz"])
def test_a_shard_that_is_packed_and_damaged_is_one_sentence(tmp_path: Path, packing: Any) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.png")
    with tarfile.open(tmp_path / "b.tar", packing) as shard:
        shard.add(tmp_path / "a.png", "a.png")
    data = bytearray((tmp_path / "b.tar").read_bytes())
    data[len(data) // 2 :: 7] = bytes(len(data[len(data) // 2 :: 7]))
    (tmp_path / "b.tar").write_bytes(data)
    left_out = LeftOut()
    list(image_files([tmp_path / "b.tar"], left_out))
    assert len(left_out.unreadable) == 1 and "b.tar" in left_out.unreadable[0]
