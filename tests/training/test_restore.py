"""What can be trained on, and what cannot."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

from latentcodec.models.families import build, sized
from latentcodec.training import checkpoint
from latentcodec.training.restore import Saved, model_state


def _first_generation() -> tuple[dict[str, torch.Tensor], dict[str, object]]:
    """Packaged weights with one context network for all coding steps: some of their tensors."""
    transforms = build("ae", sized("ae", "small")).state_dict()
    tensors = {f"float.{key}": value for key, value in transforms.items() if "g_" in key}
    tensors["context.step_bias"] = torch.zeros(4, 32, dtype=torch.int32)
    config = dataclasses.asdict(sized("hyper", "small"))
    return tensors, {"family": "hyper", "config": config, "trained": {}}


def test_a_prior_of_the_first_generation_is_not_trained_on(tmp_path: Path) -> None:
    tensors, meta = _first_generation()
    path = tmp_path / "old.safetensors"
    checkpoint.save(path, tensors, meta)
    with pytest.raises(ValueError, match="earlier release, which cannot be trained on"):
        Saved.load(path, "hyper")
    renamed = {"average/context.step_bias": tensors["context.step_bias"]}
    checkpoint.save(path, renamed, meta | {"progress": {}})
    with pytest.raises(ValueError, match="earlier release, which cannot be trained on"):
        Saved.load(path, "hyper")


def test_its_transforms_can_be_started_from() -> None:
    tensors, meta = _first_generation()
    state = model_state(tensors, meta)
    assert state.keys() == {key.removeprefix("float.") for key in tensors if "float" in key}
    assert "g_s.head.weight" in state
