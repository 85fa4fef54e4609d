"""What a training goes on from: a checkpoint, or packaged weights with what `export` did undone.

Of packaged weights, transforms come back in 8 bits and the prior in 9, so a little is lost, and the
optimisers start anew; fine-tuning makes up for it in a few hundred updates.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from latentcodec.models.config import Config
from latentcodec.models.families import build, config_of, part
from latentcodec.runtime.tensor_file import float_tensor
from latentcodec.training import checkpoint


@dataclasses.dataclass(frozen=True)
class Saved:
    """Tensors named "model/...", "average/..." and, of a checkpoint only, "optimiser/..."."""

    tensors: dict[str, Tensor]
    config: Config
    progress: dict[str, Any]

    @classmethod
    def load(cls, path: Path, family: str) -> Saved:
        """Raises FileNotFoundError, and ValueError for what cannot be trained on as this family."""
        tensors, meta = checkpoint.load(path)
        if meta["family"] != family:
            raise ValueError(f"{path} is of the family {meta['family']}")
        progress = meta.get("progress") or meta["trained"]
        if "trained" in meta:
            state = model_state(tensors, meta)
            tensors = {f"{of}/{k}": v for of in ("model", "average") for k, v in state.items()}
        for lacking, other in ("average", "model"), ("model", "average"):  # cut to one of both
            if not checkpoint.under(tensors, f"{lacking}/"):
                state = checkpoint.under(tensors, f"{other}/")
                tensors = tensors | {f"{lacking}/{k}": v for k, v in state.items()}
        config = config_of(family, meta["config"])
        for of in "model", "average":
            if not _fits(checkpoint.under(tensors, f"{of}/"), family, config):
                raise ValueError(f"{path} lacks weights of its model, or has others")
        return cls(tensors, config, progress)


def _fits(state: dict[str, Tensor], family: str, config: Config) -> bool:
    """Whether a model has tensors of these names and shapes."""
    with torch.device("meta"):
        wanted = build(family, config).state_dict()
    return {k: v.shape for k, v in state.items()} == {k: v.shape for k, v in wanted.items()}


def model_state(weights: dict[str, Tensor], description: dict[str, Any]) -> dict[str, Tensor]:
    """The state dict of a model from packaged weights. Raises KeyError if they lack any."""
    arrays = {name: value.numpy() for name, value in weights.items()}
    names = checkpoint.under(weights, "float.")
    state = {
        name: torch.from_numpy(float_tensor(arrays, name))
        for name in names
        if not name.endswith(".scale")
    }
    family = description["family"]
    restorer = part(family, "restorer")
    return restorer(weights, state, config_of(family, description["config"])) if restorer else state
