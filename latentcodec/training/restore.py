"""What a training goes on from: a checkpoint, or packaged weights with what `export` did undone.

Of packaged weights, transforms come back in half precision and the prior in 16-bit integers,
so a little is lost, and the optimisers start anew; fine-tuning makes up for it in a few hundred
updates.
"""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from latentcodec.entropy import prior, tables
from latentcodec.entropy.integer_net import FRACTION_BITS
from latentcodec.models.config import Config, HyperConfig, config_of
from latentcodec.training import checkpoint

_LINEAR = ("h_s.up_32", "h_s.up_16", "context.coded", "context.head")
_BLOCKS = ("h_s.block", "context.block")


@dataclasses.dataclass(frozen=True)
class Saved:
    """Tensors named "model/...", "average/..." and, of a checkpoint only, "optimiser/..."."""

    tensors: dict[str, Tensor]
    config: Config
    progress: dict[str, Any]

    @classmethod
    def load(cls, path: Path, family: str) -> Saved:
        """Raises FileNotFoundError, and ValueError for no checkpoint or one of another family."""
        tensors, meta = checkpoint.load(path)
        if meta["family"] != family:
            raise ValueError(f"{path} is of the family {meta['family']}")
        progress = meta.get("progress") or meta["trained"]
        if "trained" in meta:
            state = model_state(tensors, meta)
            tensors = {f"{of}/{k}": v for of in ("model", "average") for k, v in state.items()}
        return cls(tensors, config_of(family, meta["config"]), progress)


def model_state(weights: dict[str, Tensor], description: dict[str, Any]) -> dict[str, Tensor]:
    """The state dict of a model from packaged weights. Raises KeyError if they lack any."""
    state = {
        name.removeprefix("float."): value.float()
        for name, value in weights.items()
        if name.startswith("float.")
    }
    if description["family"] == "hyper":
        return state | _integer_prior(weights, state, HyperConfig(**description["config"]))
    if description["family"] == "vae":  # its gains led to quantisation steps
        state["gain.rows"] += state.pop("log_step.rows")
    return state


def _integer_prior(
    weights: dict[str, Tensor], floats: dict[str, Tensor], config: HyperConfig
) -> dict[str, Tensor]:
    """The float networks of `hyper`'s prior."""
    state: dict[str, Tensor] = {}
    for name in (*_LINEAR, *(f"{b}.{part}" for b in _BLOCKS for part in ("expand", "project"))):
        state |= _layer(weights, name)
    del state["context.coded.bias"]  # the float layer has none
    for block in _BLOCKS:
        layer = _layer(weights, f"{block}.depthwise")
        layer[f"{block}.depthwise.weight"] = (
            layer[f"{block}.depthwise.weight"].permute(2, 0, 1).unsqueeze(1)
        )
        state |= layer
    state["context.step_bias"] = _real(weights["context.step_bias"], FRACTION_BITS)
    return state | _level_tables(weights, floats, config)


def _real(x: Tensor, fraction_bits: int) -> Tensor:
    return (x.double() * 2.0**-fraction_bits).float()


def _layer(weights: dict[str, Tensor], name: str) -> dict[str, Tensor]:
    shift = int(weights[f"{name}.shift"])
    return {
        f"{name}.weight": _real(weights[f"{name}.weight"], shift),
        f"{name}.bias": _real(weights[f"{name}.bias"], shift + FRACTION_BITS),
    }


def _level_tables(
    weights: dict[str, Tensor], state: dict[str, Tensor], config: HyperConfig
) -> dict[str, Tensor]:
    """The anchors' rows, from the rows of the qualities they stand at."""
    at = torch.linspace(0, prior.QUALITY_ROWS - 1, config.anchors).round().long()
    rows = {k: weights[f"quality.{k}"][at] for k in ("table_offset", "z_mean", "z_table")}
    low = math.log(tables.SCALE_LOW)
    log_steps = state["y_std"].log() + state["gain.rows"]
    return {
        "scale_offset.rows": _real(rows["table_offset"], FRACTION_BITS) - log_steps + low,
        "z_mean.rows": _real(rows["z_mean"], FRACTION_BITS),
        "z_log_scale.rows": rows["z_table"].float() / tables.SCALE_STEPS_PER_E + low,
        "h_s.level.rows": _real(weights["quality.h_s_level"][at], FRACTION_BITS),
    }
