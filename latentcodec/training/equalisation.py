"""Activations of the prior's blocks made as large as their integers have room for.

A channel between two products can be scaled up before the second and down in it: ReLU and sums let
a factor through. The model stays the same function, but its activations, which export rounds to
1/64 within a bound of 4, and the weights that they meet, lose less. Nagel et al. 2019, "Data-Free
Quantization Through Weight Equalization and Bias Correction", section 4.1, with ranges that are
measured.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from latentcodec.entropy.exact_net import LIMIT
from latentcodec.models.layers import BoundedBlock
from latentcodec.models.residual import BOUND
from latentcodec.models.transforms import TransformModel
from latentcodec.training.data import CropSampler, Photographs

_ROOM = 1.5  # of the bound over the largest activation seen: others may be larger
_MOST = 64.0  # of a factor
_CROP_PX, _CROPS, _BATCHES = 256, 10, 16


class Ranges(NamedTuple):
    """The largest magnitudes that a block's activations had, before each of its two products."""

    filtered: Tensor  # [C]
    hidden: Tensor  # [expansion C]


def bounded_blocks(model: nn.Module) -> dict[str, BoundedBlock]:
    """Those of the prior, by name."""
    return {name: m for name, m in model.named_modules() if isinstance(m, BoundedBlock)}


@torch.no_grad()
def ranges(model: nn.Module, batches: Iterable[Tensor], level: Tensor) -> dict[str, Ranges]:
    """What activations reach on batches of crops, each [B, H, W, 3], at the levels [B]."""
    found: dict[str, Ranges] = {}
    with contextlib.ExitStack() as hooks:
        for name, block in bounded_blocks(model).items():
            weight = block.expand.weight
            zeros = (torch.zeros(n, device=weight.device) for n in reversed(weight.shape))
            found[name] = Ranges(*zeros)
            observe = functools.partial(_observe, found[name])
            hooks.callback(block.register_forward_hook(observe).remove)
        for batch in batches:
            model(batch, level)
    return found


def ranges_on(photographs: Photographs, model: TransformModel) -> dict[str, Ranges]:
    """`ranges` on crops of photographs, at qualities of the whole scale."""
    sampler = CropSampler(photographs, _CROP_PX, seed=1)
    batches = (sampler.batch(number, _CROPS) for number in range(_BATCHES))
    return ranges(model, batches, torch.linspace(0, model.config.anchors - 1, _CROPS))


def _observe(seen: Ranges, block: BoundedBlock, inputs: tuple[Tensor], output: Tensor) -> None:
    filtered = block.filtered(inputs[0])
    for largest, values in zip(seen, (filtered, block.expand(filtered).relu()), strict=True):
        torch.maximum(largest, values.abs().flatten(0, -2).amax(0), out=largest)


@torch.no_grad()
def equalise(model: nn.Module, seen: dict[str, Ranges]) -> None:
    """Scale the channels of each block to those ranges."""
    for name, block in bounded_blocks(model).items():
        filtered = _factors(seen[name].filtered, block.depthwise.weight)
        block.depthwise.weight.mul_(filtered[:, None, None, None])
        block.expand.weight.div_(filtered)
        hidden = _factors(seen[name].hidden, block.expand.weight)
        block.expand.weight.mul_(hidden[:, None])
        block.expand.bias.mul_(hidden)
        block.project.weight.div_(hidden)


def _factors(largest: Tensor, weight: Tensor) -> Tensor:
    """Of outputs that reach `largest`: their weights, too, stay within what integers hold.

    None is below 1: what the bound cuts off would come back with what follows scaled up.
    """
    wanted = BOUND / (_ROOM * largest.clamp_min(1e-6))
    room = LIMIT / weight.abs().flatten(1).amax(1).clamp_min(1e-9)
    return wanted.clamp_max(_MOST).minimum(room).clamp_min(1)
