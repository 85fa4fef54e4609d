"""Exponential moving averages of a model's weights, of several lengths side by side."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from latentcodec.training import checkpoint

_EVERY = 8  # updates: as good as each one, and a pass over all weights costs as much as a layer
_YOUNG = 128  # updates, while an average follows its model closely


class Averages:
    """One copy of the model for each decay (per update). The first is the one that is exported.

    A long average sees what a short one sees only after the learning rate has descended (Sandler
    et al. 2023, "Training trajectories, mini-batch losses and the curious role of the learning
    rate").
    """

    def __init__(self, model: nn.Module, decays: tuple[float, ...]) -> None:
        self._models = {decay: copy.deepcopy(model).requires_grad_(False) for decay in decays}

    @property
    def first(self) -> nn.Module:
        """The one that is exported unless another is asked for."""
        return self.models()[0]

    def models(self) -> list[nn.Module]:
        """The averaged models."""
        return list(self._models.values())

    @torch.no_grad()
    def update(self, model: nn.Module, updates: int) -> None:
        """Move them towards the model as it is after so many updates in all."""
        span = 1 if updates <= _YOUNG else _EVERY
        if updates % span:
            return
        parameters: list[Tensor] = list(model.parameters())
        for decay, average in self._models.items():
            kept = min(decay, (1 + updates) / (10 + updates)) ** span
            torch._foreach_lerp_(list(average.parameters()), parameters, 1 - kept)

    def tensors(self) -> dict[str, Tensor]:
        """Of all averages, for a checkpoint."""
        return {
            f"{name_of(decay, first=number == 0)}/{key}": value
            for number, (decay, average) in enumerate(self._models.items())
            for key, value in average.state_dict().items()
        }

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """From a checkpoint; an average that it lacks begins as its first."""
        first = checkpoint.under(tensors, "average/")
        for decay, average in self._models.items():
            own = checkpoint.under(tensors, f"{name_of(decay)}/")
            average.load_state_dict(own or first)


def name_of(decay: float | None, first: bool = False) -> str:
    """What the tensors of an average are called in a checkpoint, before the slash."""
    return "average" if first else f"average-{decay}"
