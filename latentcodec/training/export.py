"""From a checkpoint to packaged weights: half-precision transforms, integer prior, tables.

The prior's networks become integers by plain rounding: 16-bit weights with a power-of-two
scale per layer and activations with 12 fractional bits. The arithmetic has room for that
(float64 products, exact to 2**53), so there is nothing to calibrate or to fine-tune.
"""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from latentcodec.entropy import prior, tables
from latentcodec.entropy.integer_net import FRACTION_BITS
from latentcodec.models.autoencoder import Autoencoder
from latentcodec.models.build import build
from latentcodec.models.config import config_of
from latentcodec.models.hyper import HyperModel
from latentcodec.models.layers import LevelTable
from latentcodec.models.vae import VariationalAutoencoder
from latentcodec.runtime import tensor_file
from latentcodec.system.atomic_write import write_file
from latentcodec.training import checkpoint
from latentcodec.training.tables import density_tables, standard_tables

_WEIGHT_MAX = (1 << 15) - 1
_INTEGER = ("h_s.", "context.", "scale_offset.", "z_mean.", "z_log_scale.")
# Kept in single precision: the shortcut carries the DC, whose rounding would be seen at high
# quality, and the tables are small.
_SINGLE = ("shortcut", "gain", "y_std", "level", "rows")


def export(source: Path, target: Path, data: list[Path] | None = None) -> None:
    """Write packaged weights from the average of a checkpoint.

    data: photographs to measure on. A `vae` needs them for its steps; with them, `hyper` gets
    measured tables instead of Gaussian ones; an `ae` has learned its densities.

    Raises FileNotFoundError, ValueError for a file that is no checkpoint or for missing data,
    and CorruptWeights where the integer networks would break their exactness bound.
    """
    saved, meta = checkpoint.load(source)
    model = build(meta["family"], config_of(meta["family"], meta["config"]))
    model.load_state_dict(checkpoint.under(saved, "average/"))
    tensors = _float_tensors(model)
    if isinstance(model, HyperModel):
        tensors |= integer_prior(model)
        prior.HyperPrior(tensors, model.config.steps)  # refuses what would not be exact
        if data:  # only measuring needs the coder
            from latentcodec.runtime.hyper import HyperFamily
            from latentcodec.training.calibrate import measured_tables

            tensors |= measured_tables(HyperFamily(tensors, model.config), data)
    elif isinstance(model, Autoencoder):
        tensors |= density_tables(model)
    elif isinstance(model, VariationalAutoencoder):
        if not data:
            raise ValueError("a vae is exported with photographs (--calibrate): they set its steps")
        tensors |= standard_tables(model, data)
        # A quantised latent is in steps, not in units of the prior.
        tensors["float.gain.rows"] = tensors["float.gain.rows"] - tensors["float.log_step.rows"]
    description = {"family": meta["family"], "config": meta["config"], "trained": meta["progress"]}
    target.parent.mkdir(parents=True, exist_ok=True)
    write_file(target, tensor_file.pack(tensors, description))


def _float_tensors(model: torch.nn.Module) -> dict[str, Tensor]:
    kept: dict[str, Tensor] = {}
    for name, value in model.state_dict().items():
        if not name.startswith(_INTEGER):
            single = any(word in name for word in _SINGLE)
            kept[f"float.{name}"] = value.float() if single else value.half()
    return kept


@torch.no_grad()
def integer_prior(model: HyperModel) -> dict[str, Tensor]:
    """The integer tensors that `HyperPrior` reads."""
    h_s, context = model.h_s, model.context
    found: dict[str, Tensor] = {}
    found |= _linear("h_s.up_32", h_s.up_32)
    found |= _block("h_s.block", h_s.block)
    found |= _linear("h_s.up_16", h_s.up_16)
    found |= _linear("context.coded", context.coded)
    found |= _block("context.block", context.block)
    found |= _linear("context.head", context.head)
    found["context.step_bias"] = _fixed(context.step_bias, FRACTION_BITS)
    found |= {f"quality.{k}": v for k, v in _quality_rows(model).items()}
    halves, counts = tables.gaussian_tables()
    found["tables.halves"] = torch.from_numpy(halves)
    found["tables.counts"] = torch.from_numpy(counts)
    return found


def _fixed(x: Tensor, fraction_bits: int) -> Tensor:
    return torch.round(x.double() * 2.0**fraction_bits).to(torch.int32)


def _weight_bits(weight: Tensor) -> int:
    """The largest fraction with which `weight` still fits 16-bit integers."""
    return max(0, min(20, math.floor(math.log2(_WEIGHT_MAX / float(weight.abs().max())))))


def _layer(name: str, weight: Tensor, bias: Tensor | None, outputs: int) -> dict[str, Tensor]:
    shift = _weight_bits(weight)
    bias = torch.zeros(outputs) if bias is None else bias
    return {
        f"{name}.weight": _fixed(weight, shift).to(torch.int16),
        f"{name}.bias": torch.round(bias.double() * 2.0 ** (shift + FRACTION_BITS)).long(),
        f"{name}.shift": torch.tensor(shift, dtype=torch.int32),
    }


def _linear(name: str, layer: torch.nn.Linear) -> dict[str, Tensor]:
    return _layer(name, layer.weight, layer.bias, layer.out_features)


def _block(name: str, block: Any) -> dict[str, Tensor]:
    taps = block.depthwise.weight[:, 0].permute(1, 2, 0)  # [3, 3, C]
    return (
        _layer(f"{name}.depthwise", taps, block.depthwise.bias, taps.shape[2])
        | _linear(f"{name}.expand", block.expand)
        | _linear(f"{name}.project", block.project)
    )


def _quality_rows(model: HyperModel) -> dict[str, Tensor]:
    """One integer row for each of the qualities 1..100."""
    levels = torch.linspace(0, model.config.anchors - 1, prior.QUALITY_ROWS)

    def rows(table: LevelTable) -> Tensor:
        return table(levels)[:, 0, 0].double()

    log_steps = model.y_std.double().log() + rows(model.gain)
    low = math.log(tables.SCALE_LOW)
    z_table = (rows(model.z_log_scale) - low) * tables.SCALE_STEPS_PER_E
    return {
        "to_unit": _fixed(torch.exp(-log_steps), prior.TO_UNIT_BITS),
        "to_step": _fixed(torch.exp(log_steps), prior.TO_STEP_BITS),
        "table_offset": _fixed(log_steps + rows(model.scale_offset) - low, FRACTION_BITS),
        "z_mean": _fixed(rows(model.z_mean), FRACTION_BITS),
        "z_table": torch.round(z_table).to(torch.int32),
        "h_s_level": _fixed(rows(model.h_s.level), FRACTION_BITS),
    }


def register(weights: Path, name: str, code: str) -> None:
    """Enter a weights file into the manifest.json beside it, in place of its name's old entry.

    A new name comes last: the first model of a family is the one that the family's name stands for.
    name: such as "hyper-base"; code: four ASCII characters that files carry.
    """
    data = weights.read_bytes()
    _, description = tensor_file.unpack(data)
    path = weights.with_name("manifest.json")
    manifest = json.loads(path.read_text()) if path.exists() else {"models": []}
    entry = {
        "name": name,
        "code": code,
        "family": description["family"],
        "file": weights.name,
        "sha256": hashlib.sha256(data).hexdigest(),
        "config": description["config"],
        "trained": description["trained"],
    }
    names = [row["name"] for row in manifest["models"]]
    place = names.index(name) if name in names else len(names)
    manifest["models"][place : place + 1] = [entry]
    write_file(path, (json.dumps(manifest, indent=2) + "\n").encode())
