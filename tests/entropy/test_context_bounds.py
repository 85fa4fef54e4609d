"""Weights with which the prior might be inexact are refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from latentcodec.entropy.context_prior import ContextPrior
from latentcodec.errors import CorruptWeights

Weights = dict[str, Tensor]


def prior_of(weights: Weights) -> ContextPrior:
    return ContextPrior({name: value.numpy() for name, value in weights.items()})


def _changed(weights: Weights, name: str, change: Callable[[Tensor], None]) -> Weights:
    """The same with one tensor altered, which may hold larger numbers than it did."""
    altered = weights[name].to(torch.int64)
    change(altered)
    return weights | {name: altered}


def _fill(value: int) -> Callable[[Tensor], None]:
    def fill(tensor: Tensor) -> None:
        tensor[0] = value

    return fill


_SUMS = [
    "h_s.up_32", "h_s.block.expand", "h_s.up_16", "context.1.blocks.0.expand", "context.3.head"
]  # fmt: skip


@pytest.mark.parametrize("name", _SUMS)
def test_sums_that_could_reach_the_bound_are_refused(quiet: Weights, name: str) -> None:
    """By the bias alone: with it the largest sum is 2 ** 24, one less is taken."""
    weight = quiet[f"{name}.weight"].double().abs().sum(-1)
    room = int((1 << 24) - 256 * weight.flatten()[0])

    def bias(value: int) -> Weights:
        altered = quiet[f"{name}.bias"].to(torch.int64)
        altered.view(-1)[0] = value
        return quiet | {f"{name}.bias": altered}

    level = quiet["quality.h_s_level"].abs().max() if name == "h_s.up_32" else torch.zeros(())
    prior_of(bias(room - 1 - (int(level) << 8)))
    for value in (room, -room, 1 << 31):
        with pytest.raises(CorruptWeights, match=r"could exceed 2\*\*24"):
            prior_of(bias(value))


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("context.0.head.weight", _fill(257), "exceeds 256"),
        ("context.0.head.weight", _fill(-257), "exceeds 256"),
        ("h_s.block.depthwise.weight", _fill(257), "exceeds 256"),
        ("context.2.coded.shift", _fill(15), "out of range"),
        ("context.2.coded.shift", _fill(-1), "out of range"),
        ("context.1.blocks.0.project.shift", _fill(9), "out of range"),
        ("quality.h_s_level", _fill(1 << 30), "up_32 could exceed"),
        ("quality.to_step", _fill(1 << 29), "to_step would not be exact"),
        ("quality.to_latent", _fill(-(1 << 34)), "to_latent would not be exact"),
    ],
)
def test_tampered_weights_are_refused(
    quiet: Weights, name: str, change: Callable[[Tensor], None], message: str
) -> None:
    with pytest.raises(CorruptWeights, match=message):
        prior_of(_changed(quiet, name, change))


def test_blocks_that_add_up_beyond_the_bound_are_refused(quiet: Weights) -> None:
    """One after another: each alone would be within it."""
    names = [f"context.1.blocks.{number}.project" for number in range(2)]
    large = dict(quiet)
    for name in names:
        one = quiet[f"{name}.weight"].shape
        # 64 hidden units of 256 add 2 ** 15 in each block: there is room for less than 2 ** 16.
        large[f"{name}.weight"] = torch.full(one, 2, dtype=torch.int16)
        large[f"{name}.shift"] = torch.zeros(one[0], dtype=torch.int8)
    prior_of(large | {key: value for key, value in quiet.items() if key.startswith(names[1])})
    with pytest.raises(CorruptWeights, match=r"blocks.1.project could exceed"):
        prior_of(large)


def test_every_tensor_is_needed_and_holds_integers(quiet: Weights) -> None:
    for name in (name for name in quiet if not name.startswith("tables.")):
        lacking = {key: value for key, value in quiet.items() if key != name}
        with pytest.raises(CorruptWeights, match=r"lack the tensor|but not its layer"):
            prior_of(lacking)
        with pytest.raises(CorruptWeights, match=f"{name} of the weights must hold integers"):
            prior_of(quiet | {name: quiet[name].float()})


@pytest.mark.parametrize(
    "name", ["to_latent", "to_step", "table_offset", "z_mean", "z_table", "h_s_level"]
)
def test_misshapen_tables_are_refused(quiet: Weights, name: str) -> None:
    rows = quiet[f"quality.{name}"]
    for shape in (rows[:99], rows[:, 1:], rows[:, :1], rows[0], rows[None]):
        with pytest.raises(CorruptWeights, match=f"table {name} of the weights is misshapen"):
            prior_of(quiet | {f"quality.{name}": shape})
