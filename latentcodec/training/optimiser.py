"""Which parameter is trained by what, and the learning rates over a run."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from latentcodec.training.muon import Muon

MUON_RATE = 0.002
ADAM_RATE = 8e-4
SHORTCUT_SHARE = 0.3  # of ADAM_RATE: the shortcut starts from a good place, the DCT
WARMUP_STEPS = 200
FINAL_SHARE = 0.02


def muon(matrices: list[nn.Parameter]) -> torch.optim.Optimizer:
    """Orthogonalised momentum, its updates scaled to the size of Adam's."""
    return Muon(matrices, lr=MUON_RATE)


class Optimisers:
    """Muon (Jordan et al. 2024) for the matrices between hidden layers, AdamW for the rest."""

    matrix_optimiser = staticmethod(muon)

    def __init__(self, model: nn.Module) -> None:
        self.names: dict[Tensor, str] = {p: name for name, p in model.named_parameters()}
        shortcut, matrices, rest = [], [], []
        for name, p in model.named_parameters():
            if "shortcut" in name:
                shortcut.append(p)
            elif name.endswith("weight") and p.ndim in (2, 3):
                matrices.append(p)
            else:
                rest.append(p)
        self.muon = self.matrix_optimiser(matrices)
        self.adam = torch.optim.AdamW(
            [
                {"params": rest, "lr": ADAM_RATE},
                {"params": shortcut, "lr": ADAM_RATE * SHORTCUT_SHARE},
            ],
            betas=(0.9, 0.98),
            weight_decay=0.0,
        )
        self._groups = [
            (group, group["lr"])
            for optimiser in (self.muon, self.adam)
            for group in optimiser.param_groups
        ]

    def step(self, rate_share: float) -> None:
        """One update at `rate_share` of the peak learning rates; gradients are then cleared."""
        for group, peak in self._groups:
            group["lr"] = peak * rate_share
        for optimiser in (self.muon, self.adam):
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)

    def tensors(self) -> dict[str, Tensor]:
        """The optimisers' state by parameter name, for a checkpoint."""
        found = {}
        for optimiser in (self.muon, self.adam):
            for p, state in optimiser.state.items():
                found.update({f"{self.names[p]}/{key}": value for key, value in state.items()})
        return found

    def restore(self, tensors: dict[str, Tensor]) -> None:
        by_name = {name: p for p, name in self.names.items()}
        matrices = set(self.muon.param_groups[0]["params"])
        for key, value in tensors.items():
            name, _, entry = key.rpartition("/")
            p = by_name[name]
            state = (self.muon if p in matrices else self.adam).state[p]
            if entry in state:  # Muon's momentum is part of a stack
                state[entry].copy_(value)
                continue
            # Adam's step counter stays on the CPU, everything else beside its parameter.
            state[entry] = value.clone() if entry == "step" else value.to(p.device).clone()


def rate_share(step: int, progress: float, decay_share: float) -> float:
    """Share of the peak rate: warm-up, then constant, then a straight line down.

    `progress` runs from 0 to 1 over the whole run; the last `decay_share` of it descends to
    FINAL_SHARE (Hu et al. 2024, "MiniCPM", the warm-up-stable-decay schedule: a checkpoint of
    the constant part can be trained on for as long as one likes).
    """
    warm = min(1.0, (step + 1) / WARMUP_STEPS)
    left = min(1.0, (1 - progress) / decay_share) if decay_share else 1.0
    return warm * (FINAL_SHARE + (1 - FINAL_SHARE) * max(0.0, left))
