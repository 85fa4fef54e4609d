"""Checkpoints: written, split into parts, read, refused."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
import torch

from latentcodec.models.families import build, config_of
from latentcodec.system.atomic_write import write_file
from latentcodec.training import checkpoint
from latentcodec.training.restore import Saved
from tests.paths import ROOT


def test_checkpoints_split_and_join(tmp_path: Path) -> None:
    path, tensors = tmp_path / "c.safetensors", {"a": torch.randn(100, 30), "b": torch.arange(5)}
    checkpoint.save(path, tensors, {"step": 3}, part_bytes=5000)
    parts = sorted(tmp_path.iterdir())
    assert [p.name for p in parts] == [f"c.safetensors.part-0{i}" for i in range(3)]
    assert max(p.stat().st_size for p in parts) == 5000
    loaded, meta = checkpoint.load(path)
    assert meta == {"step": 3}
    assert all(torch.equal(loaded[k], v) for k, v in tensors.items())
    checkpoint.save(path, tensors, {"step": 4})
    assert sorted(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["c.safetensors", "run [1]*.safetensors"])
def test_the_newest_checkpoint_is_read(tmp_path: Path, name: str) -> None:
    """However it and the one before are split; of more than a hundred parts, too."""
    tensors = {"a": torch.randn(100, 30)}
    for step, part_bytes in enumerate((0, 5000, 100, 4000, 0, 100)):
        checkpoint.save(tmp_path / name, tensors, {"step": step}, part_bytes)
        loaded, meta = checkpoint.load(tmp_path / name)
        assert meta == {"step": step}
        assert torch.equal(loaded["a"], tensors["a"])
    assert len(list(tmp_path.iterdir())) > 100


@pytest.mark.parametrize("part_bytes", [0, 5000])
def test_a_full_disk_leaves_the_checkpoint_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part_bytes: int
) -> None:
    path, tensors = tmp_path / "c.safetensors", {"a": torch.randn(100, 30)}
    checkpoint.save(path, tensors, {"step": 1}, part_bytes=5000)
    before = sorted(tmp_path.iterdir())
    sizes: list[int] = []

    def full(target: Path, data: bytes) -> int:
        sizes.append(len(data))
        if len(sizes) == 2 or len(data) > 5000:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write_file(target, data)

    monkeypatch.setattr(checkpoint, "write_file", full)
    with pytest.raises(OSError, match="No space"):
        checkpoint.save(path, tensors, {"step": 2}, part_bytes)
    assert sorted(tmp_path.iterdir()) == before
    assert checkpoint.load(path)[1] == {"step": 1}


def test_a_file_that_is_no_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    path.write_bytes(b"not a checkpoint")
    with pytest.raises(ValueError, match="not a checkpoint"):
        checkpoint.load(path)


def _cut(path: Path, prefix: str, without: str = "") -> Path:
    """A checkpoint with one set of weights alone, and without one of them."""
    state = build("vae", config_of("vae", {})).state_dict()
    tensors = {f"{prefix}/{name}": value for name, value in state.items() if name != without}
    progress = {"crops": 1, "runs": [], "seconds": 1.0, "step": 1}
    checkpoint.save(path, tensors, {"family": "vae", "config": {}, "progress": progress})
    return path


@pytest.mark.parametrize("prefix", ["model", "average"])
def test_one_set_of_weights_is_enough_to_go_on_from(tmp_path: Path, prefix: str) -> None:
    saved = Saved.load(_cut(tmp_path / "c.safetensors", prefix), "vae")
    model, average = (checkpoint.under(saved.tensors, f"{of}/") for of in ("model", "average"))
    assert model.keys() == average.keys() == build("vae", saved.config).state_dict().keys()
    assert all(torch.equal(model[name], average[name]) for name in model)


def test_weights_that_lack_one_are_refused(tmp_path: Path) -> None:
    path = _cut(tmp_path / "c.safetensors", "model", without="g_s.head.weight")
    with pytest.raises(ValueError, match="lacks weights of its model"):
        Saved.load(path, "vae")


@pytest.mark.parametrize(
    "name",
    [
        "benchmarks/results/training/hyper-base.safetensors",
        "benchmarks/results/training/hyper-ssim.safetensors",
    ],
)
def test_the_checkpoints_of_the_page_can_be_gone_on_from(name: str) -> None:
    path = ROOT / name
    if not path.exists():
        pytest.skip("the checkpoint is no part of an sdist")
    saved = Saved.load(path, "hyper")
    assert saved.progress["crops"] > 1_000_000
