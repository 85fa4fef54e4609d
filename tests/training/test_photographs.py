"""Photographs, and the crops that are drawn from them."""

from __future__ import annotations

import re
import tarfile
from pathlib import Path

import pytest
import torch

from latentcodec.errors import LossWarning
from latentcodec.training.data import CropSampler, Photographs

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


def test_broken_and_small_images_are_left_out_and_named(folder: Path) -> None:
    (folder / "broken.png").write_bytes(b"no picture")
    with pytest.warns(LossWarning) as said:
        found = Photographs.load([folder], 107, CPU)
    (folder / "broken.png").unlink()
    assert len(found.images) == 6
    assert any("broken.png is left out" in str(one.message) for one in said)
    with pytest.warns(LossWarning, match="with a side below 9999 px: 6"), pytest.raises(ValueError):
        Photographs.load([folder], 9999, CPU)


def test_no_usable_image_is_one_sentence(tmp_path: Path) -> None:
    searched = re.escape(f"in {tmp_path}, {tmp_path}")
    with pytest.raises(ValueError, match=f"no image of 107 px or more {searched}$"):
        Photographs.load([tmp_path, tmp_path], 107, CPU)
