"""From the float networks of `hyper`'s prior to the integers of `ContextPrior`, and back."""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor

from latentcodec.entropy import context_prior, tables
from latentcodec.entropy.coding_order import STEPS
from latentcodec.entropy.exact_net import MAX_SHIFT, STREAM_SHIFT, UNIT_BITS
from latentcodec.models.config import HyperConfig
from latentcodec.models.hyper import Z_STEP, HyperModel
from latentcodec.models.layers import BoundedBlock, LevelTable, weight_shift

_UNIT = 2.0**UNIT_BITS


@torch.no_grad()
def integer_prior(model: HyperModel) -> dict[str, Tensor]:
    """The integer tensors that `ContextPrior` reads, and Gaussian tables."""
    h_s = model.h_s
    up_32, level = h_s.up_32, h_s.level.rows.abs().amax(0)
    found = _layer("h_s.up_32", up_32.weight * Z_STEP, up_32.bias, beside=level)
    found |= _block("h_s.block", h_s.block)
    found |= _layer("h_s.up_16", h_s.up_16.weight, h_s.up_16.bias)
    for number, step in enumerate(model.steps()):
        name = f"context.{number}"
        found[f"{name}.bias"] = _fixed(step.bias, context_prior.STREAM_BITS)
        for index, block in enumerate(step.blocks):
            found |= _block(f"{name}.blocks.{index}", cast(BoundedBlock, block))
        found |= _layer(f"{name}.head", step.head.weight, step.head.bias)
        if step.coded is not None and step.magnitude is not None:
            found |= _layer(f"{name}.coded", step.coded.weight)
            found |= _layer(f"{name}.magnitude", step.magnitude.weight)
    found |= {f"quality.{k}": v for k, v in _quality_rows(model).items()}
    halves, counts = tables.gaussian_tables()
    found["tables.halves"] = torch.from_numpy(halves)
    found["tables.counts"] = torch.from_numpy(counts)
    return found


def _fixed(x: Tensor, fraction_bits: int) -> Tensor:
    return torch.round(x.double() * 2.0**fraction_bits).to(torch.int32)


def _layer(
    name: str,
    weight: Tensor,
    bias: Tensor | None = None,
    finest: int = MAX_SHIFT,
    beside: Tensor | float = 0.0,
) -> dict[str, Tensor]:
    """beside: the largest magnitude of what is added to the result before it is rounded."""
    added = beside if bias is None else bias.abs() + beside
    shift = weight_shift(weight, finest, added)
    scale = 2.0**shift
    found = {
        f"{name}.weight": torch.round(weight.double() * scale.unsqueeze(-1)).to(torch.int16),
        f"{name}.shift": shift.to(torch.int8),
    }
    if bias is not None:
        found[f"{name}.bias"] = torch.round(bias.double() * _UNIT * scale).to(torch.int32)
    return found


def _block(name: str, block: BoundedBlock) -> dict[str, Tensor]:
    taps = block.depthwise.weight.flatten(1)
    depthwise = _layer(f"{name}.depthwise", taps)
    depthwise[f"{name}.depthwise.weight"] = depthwise[f"{name}.depthwise.weight"].unflatten(
        1, (3, 3)
    )
    return (
        depthwise
        | _layer(f"{name}.expand", block.expand.weight, block.expand.bias)
        | _layer(f"{name}.project", block.project.weight, finest=STREAM_SHIFT)
    )


def _quality_rows(model: HyperModel) -> dict[str, Tensor]:
    """One integer row for each of the qualities 1..100."""
    levels = torch.linspace(0, model.config.anchors - 1, context_prior.QUALITY_ROWS)

    def rows(table: LevelTable) -> Tensor:
        return table(levels)[:, 0, 0].double()

    log_steps = model.y_std.double().log() + rows(model.gain)
    low = math.log(tables.SCALE_LOW)
    z_table = (rows(model.z_log_scale) - low) * tables.SCALE_STEPS_PER_E
    factor, offset = context_prior.FACTOR_BITS, context_prior.OFFSET_BITS
    return {
        "to_latent": _fixed(torch.exp(-log_steps), factor),
        "to_step": _fixed(torch.exp(log_steps), factor),
        "table_offset": _fixed(log_steps + rows(model.scale_offset) - low, offset),
        "z_mean": _fixed(rows(model.z_mean), context_prior.Z_BITS),
        "z_table": torch.round(z_table).to(torch.int32),
        "h_s_level": _fixed(rows(model.h_s.level), context_prior.STREAM_BITS),
    }


def float_prior(
    weights: dict[str, Tensor], floats: dict[str, Tensor], config: HyperConfig
) -> dict[str, Tensor]:
    """The state of the prior's float networks; floats: the state of the rest of the model."""
    state: dict[str, Tensor] = {}
    for key, weight in weights.items():
        name = key.removesuffix(".weight")
        if key == name or f"{name}.shift" not in weights:
            continue
        shift = weights[f"{name}.shift"].double()
        trailing = weight.ndim - shift.ndim
        scale = 2.0**-shift
        value = weight.double() * scale.view(*shift.shape, *[1] * trailing)
        state[key] = (value.unsqueeze(1) if "depthwise" in name else value).float()
        if f"{name}.bias" in weights:
            state[f"{name}.bias"] = (weights[f"{name}.bias"].double() * scale / _UNIT).float()
    state["h_s.up_32.weight"] /= Z_STEP
    for step in range(STEPS):
        name = f"context.{step}.bias"
        state[name] = _real(weights[name], context_prior.STREAM_BITS)
    return state | _level_tables(weights, floats, config)


def _real(x: Tensor, fraction_bits: int) -> Tensor:
    return (x.double() * 2.0**-fraction_bits).float()


def _level_tables(
    weights: dict[str, Tensor], state: dict[str, Tensor], config: HyperConfig
) -> dict[str, Tensor]:
    """The anchors' rows, from the rows of the qualities they stand at."""
    at = torch.linspace(0, context_prior.QUALITY_ROWS - 1, config.anchors).round().long()
    rows = {k: weights[f"quality.{k}"][at] for k in ("table_offset", "z_mean", "z_table")}
    low = math.log(tables.SCALE_LOW)
    log_steps = state["y_std"].log() + state["gain.rows"]
    return {
        "scale_offset.rows": _real(rows["table_offset"], context_prior.OFFSET_BITS)
        - log_steps
        + low,
        "z_mean.rows": _real(rows["z_mean"], context_prior.Z_BITS),
        "z_log_scale.rows": rows["z_table"].float() / tables.SCALE_STEPS_PER_E + low,
        "h_s.level.rows": _real(weights["quality.h_s_level"][at], context_prior.STREAM_BITS),
    }
