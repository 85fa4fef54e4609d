"""The networks of a prior of the first generation, for `models.float_prior`."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from latentcodec.entropy.coding_order import PHASES, coded_in_step
from latentcodec.entropy.integer_net import FRACTION_BITS, LIMIT, IntegerBlock, IntegerLinear
from latentcodec.entropy.prior import TO_STEP_BITS, TO_UNIT_BITS, HyperPrior
from latentcodec.entropy.tables import SCALE_LOW
from latentcodec.models.float_prior import FloatStep, Scales
from latentcodec.models.residual import ACTIVATIONS

_UNIT = 2.0**FRACTION_BITS


def context_steps(prior: HyperPrior, device: torch.device) -> list[FloatStep]:
    """As `float_prior.context_steps`: one network for all steps, with a head for each group."""
    block, found = _block(prior.context_block, device), []
    for number, bias in enumerate(prior.step_bias):
        groups = [group for _, group in coded_in_step(number, PHASES)]
        found.append(
            FloatStep(
                _real(bias / _UNIT, device),
                [block],
                _stacked([prior.head[group] for group in groups], device),
                _stacked([prior.coded[group] for group in groups], device)
                if number + 1 < PHASES
                else None,
                ACTIVATIONS["relu"],
                LIMIT / _UNIT,
            )
        )
    return found


def scales_of(prior: HyperPrior, tenths: int, device: torch.device) -> Scales:
    """As `float_prior.scales_of`."""
    to_step = prior.row("to_step", tenths) * 2.0**-TO_STEP_BITS
    to_unit = prior.row("to_unit", tenths) * 2.0**-TO_UNIT_BITS
    offset = prior.row("table_offset", tenths) / _UNIT + math.log(SCALE_LOW)
    return Scales(*(_real(value, device) for value in (to_step, to_unit, offset)))


def _real(values: Tensor, device: torch.device) -> Tensor:
    return values.float().to(device)


def _stacked(layers: list[IntegerLinear], device: torch.device) -> tuple[Tensor, Tensor]:
    weights, biases = zip(*(_weights(layer, device) for layer in layers), strict=True)
    return torch.stack(weights), torch.stack(biases).unsqueeze(1)


def _weights(layer: IntegerLinear, device: torch.device) -> tuple[Tensor, Tensor]:
    scale = 2.0**-layer.shift
    return _real(layer.weight * scale, device), _real(layer.bias * (scale / _UNIT), device)


def _block(block: IntegerBlock, device: torch.device) -> tuple[Tensor | None, ...]:
    scale = 2.0**-block.depthwise.shift
    taps = _real(block.depthwise.taps * scale, device).permute(2, 0, 1).unsqueeze(1).contiguous()
    bias = _real(block.depthwise.bias * (scale / _UNIT), device)
    return taps, bias, *_weights(block.expand, device), *_weights(block.project, device)
