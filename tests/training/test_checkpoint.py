"""Checkpoints: written, split into parts, read, refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from latentcodec.training import checkpoint


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


def test_a_file_that_is_no_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    path.write_bytes(b"not a checkpoint")
    with pytest.raises(ValueError, match="not a checkpoint"):
        checkpoint.load(path)
