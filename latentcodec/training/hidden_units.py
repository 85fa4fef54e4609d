"""The hidden units of residual blocks: dead ones are drawn anew, and a model is cut to fewer.

A ReLU whose input is negative for every picture has no gradient and stays as it is for ever. Muon
gives all directions of a gradient the same strength, also the one that lowers all units of a block
at once. A whole block can die of it, and nothing in the loss tells.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from collections.abc import Iterable, Iterator, Sequence

import torch
from torch import Tensor, nn

from latentcodec.models.layers import BoundedBlock, ResidualBlock
from latentcodec.models.residual import Activation

_DEAD = 1e-4  # of the positions at which a unit fires; it does less than noise
# A tensor of a block and the axis of it that counts hidden units.
_AXES = {"expand.weight": 0, "expand.bias": 0, "project.weight": 1}


@dataclasses.dataclass
class Activity:
    """Of each hidden unit of a block: sums over the positions that were seen."""

    fired: Tensor
    energy: Tensor
    positions: int = 0

    def add(self, hidden: Tensor, activation: Activation) -> None:
        """hidden: before the activation."""
        rows = activation(hidden.detach().flatten(0, -2).float())
        self.fired += (rows != 0).sum(0)
        self.energy += rows.square().sum(0)
        self.positions += len(rows)


Block = ResidualBlock | BoundedBlock


def blocks_of(model: nn.Module) -> dict[str, Block]:
    """All residual blocks by name."""
    return {name: m for name, m in model.named_modules() if isinstance(m, Block)}


@torch.no_grad()
def activity(model: nn.Module, batches: Iterable[Tensor], level: Tensor) -> dict[str, Activity]:
    """What the hidden units of each block do on batches of crops at the quality levels `level`."""
    found = {}
    with contextlib.ExitStack() as hooks:
        for name, block in blocks_of(model).items():
            zeros = torch.zeros_like(block.expand.bias)
            found[name] = Activity(zeros, zeros.clone())
            observe = functools.partial(_observe, found[name])
            hooks.callback(block.register_forward_hook(observe).remove)
        for batch in batches:
            model(batch, level)
    return found


def _observe(seen: Activity, block: Block, inputs: tuple[Tensor], output: Tensor) -> None:
    seen.add(block.hidden(inputs[0]), block.activation)


@torch.no_grad()
def revive(
    seen: dict[str, Activity], models: Sequence[nn.Module], states: dict[str, Tensor]
) -> int:
    """Draw the units anew that `seen` calls dead, the same ones in every model; returns how many.

    They get the weights of new layers and no way out yet, so that nothing changes at first; the way
    out is trained from the next step on. states: those of the optimisers, by parameter and entry.
    """
    count = 0
    for name, units in seen.items():
        dead = (units.fired < _DEAD * units.positions).nonzero().flatten()
        if not len(dead):
            continue
        count += len(dead)
        blocks = [model.get_submodule(name) for model in models]
        assert isinstance(blocks[0], Block)
        bound = blocks[0].expand.in_features ** -0.5
        fresh = torch.empty(len(dead), blocks[0].expand.in_features).uniform_(-bound, bound)
        values = {"expand.weight": fresh.to(dead.device)}
        for part, axis in _AXES.items():
            for block in blocks:
                parameter = block.get_parameter(part)
                parameter.index_fill_(axis, dead, 0)
                if part in values:
                    parameter.index_copy_(axis, dead, values[part])
            for state in _entries(states, f"{name}.{part}"):
                state.index_fill_(axis, dead, 0)
    return count


def _entries(states: dict[str, Tensor], parameter: str) -> Iterator[Tensor]:
    """What the optimisers hold of a parameter's shape: all but counters."""
    return (t for key, t in states.items() if key.startswith(f"{parameter}/") and t.ndim)


def part_in_output(seen: Activity, way_out: Tensor) -> tuple[Tensor, Tensor]:
    """The units' parts in the mean square of their block's output, ascending, and which they are.

    way_out: the weights of `project`, [C, units].
    """
    return (seen.energy.cpu() / seen.positions * way_out.square().sum(0)).sort()


def pruned(
    tensors: dict[str, Tensor], seen: dict[str, Activity], model: nn.Module
) -> dict[str, Tensor]:
    """The tensors of a checkpoint with as many hidden units as `model` has.

    Those stay whose part in their block's output is largest. seen: the activity of the
    checkpoint's own model.

    Raises ValueError if the model has more hidden units somewhere, or differs in something else.
    """
    sizes = {f"model/{key}": value.shape for key, value in model.state_dict().items()}
    if sizes.keys() != {key for key in tensors if key.startswith("model/")}:
        raise ValueError("the model that is to be pruned has other layers")
    cut = dict(tensors)
    for name, block in blocks_of(model).items():
        way_out = tensors[f"average/{name}.project.weight"]
        wanted = block.project.in_features
        if wanted > way_out.shape[1]:
            raise ValueError(f"{name} would get more hidden units than it has")
        _, ascending = part_in_output(seen[name], way_out)
        kept = ascending[len(ascending) - wanted :].sort().values
        for key, value in tensors.items():
            for tensor, axis in _AXES.items():
                if f"/{name}.{tensor}/" in f"{key}/" and value.ndim:
                    cut[key] = value.index_select(axis, kept).contiguous()
    for key, shape in sizes.items():
        if cut[key].shape != shape:
            raise ValueError(f"{key} is of another shape in the model that is to be pruned")
    return cut
