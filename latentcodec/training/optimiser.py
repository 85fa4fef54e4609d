"""Which parameter is trained by what, and the learning rates over a run."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from latentcodec.training import checkpoint
from latentcodec.training.muon import Muon

MUON_RATE = 0.002
ADAM_RATE = 8e-4
SHORTCUT_SHARE = (
    0.03  # of ADAM_RATE: it starts from a good place, the DCT, and every latent feels it
)
WARMUP_STEPS = 200
FINAL_SHARE = 0.02


def muon(matrices: list[nn.Parameter]) -> torch.optim.Optimizer:
    """Orthogonalised momentum, its updates scaled to the size of Adam's."""
    return Muon(matrices, lr=MUON_RATE)


class _Whitened:
    """A matrix W of pixels, trained as W P^-1, where P makes their covariance the identity.

    Neighbouring pixels are nearly equal, so that the steps of Adam on W itself, which are as large
    in each entry, add up in the brightness of a block, and every latent would follow it.
    """

    def __init__(self, matrix: nn.Parameter, whitening: Tensor) -> None:
        self.matrix, self._whitening = matrix, whitening
        self.coordinates = nn.Parameter(torch.empty_like(matrix))
        self.restore({})

    def tensors(self) -> dict[str, Tensor]:
        """For a checkpoint: taken from the matrix again, the coordinates would be rounded."""
        return {"coordinates": self.coordinates.detach(), "whitening": self._whitening}

    @torch.no_grad()
    def restore(self, tensors: dict[str, Tensor]) -> None:
        """What `tensors` gave, which belongs together, or else the matrix as it is."""
        if tensors.keys() == self.tensors().keys():
            self._whitening = tensors["whitening"].to(self.matrix.device).clone()
            self.coordinates.copy_(tensors["coordinates"])
        else:
            inverse = torch.linalg.inv(self._whitening.double()).float()
            self.coordinates.copy_(self.matrix @ inverse)

    @torch.no_grad()
    def move_gradient(self) -> None:
        """The gradient by the coordinates, which the matrix shares, so that it is clipped once."""
        if self.matrix.grad is not None:
            self.matrix.grad = self.coordinates.grad = self.matrix.grad @ self._whitening.T

    @torch.no_grad()
    def apply(self) -> None:
        """The matrix of the coordinates."""
        self.matrix.copy_(self.coordinates @ self._whitening)
        self.matrix.grad = None


class Optimisers:
    """Muon (Jordan et al. 2024) for the matrices between hidden layers, AdamW for the rest.

    whitening: P of the pixels that the analysis' shortcut sees, [768, 768], where there is one.
    """

    matrix_optimiser = staticmethod(muon)

    def __init__(self, model: nn.Module, whitening: Tensor | None = None) -> None:
        self.names: dict[Tensor, str] = {p: name for name, p in model.named_parameters()}
        self._whitened: list[_Whitened] = []
        shortcut, matrices, rest = [], [], []
        for name, p in model.named_parameters():
            if name == "g_a.shortcut.weight" and whitening is not None:
                self._whitened.append(_Whitened(p, whitening))
                shortcut.append(self._whitened[0].coordinates)
                self.names[shortcut[-1]] = "g_a.shortcut.whitened"
            elif "shortcut" in name:
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
        self._trained = {*shortcut, *matrices, *rest}
        self._groups = [
            (group, group["lr"])
            for optimiser in (self.muon, self.adam)
            for group in optimiser.param_groups
        ]

    def after_backward(self) -> None:
        """Bring gradients into the coordinates in which they are clipped and used."""
        for part in self._whitened:
            part.move_gradient()

    def step(self, rate_share: float) -> None:
        """One update at `rate_share` of the peak learning rates; gradients are then cleared."""
        for group, peak in self._groups:
            group["lr"] = peak * rate_share
        for optimiser in (self.muon, self.adam):
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        for part in self._whitened:
            part.apply()

    def tensors(self) -> dict[str, Tensor]:
        """The optimisers' state by parameter name, for a checkpoint."""
        found = {}
        for optimiser in (self.muon, self.adam):
            for p, state in optimiser.state.items():
                found.update({f"{self.names[p]}/{key}": value for key, value in state.items()})
        for part in self._whitened:
            name = self.names[part.coordinates]
            found.update({f"{name}/{key}": value for key, value in part.tensors().items()})
        return found

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """From a checkpoint, once the model is as it was; what is not of this model is left out."""
        for part in self._whitened:
            own = checkpoint.under(tensors, f"{self.names[part.coordinates]}/")
            part.restore({key: value for key, value in own.items() if key in part.tensors()})
        by_name = {name: p for p, name in self.names.items()}
        matrices = set(self.muon.param_groups[0]["params"])
        for key, value in tensors.items():
            name, _, entry = key.rpartition("/")
            if name not in by_name or by_name[name] not in self._trained:
                continue
            p = by_name[name]
            if entry in ("coordinates", "whitening"):
                continue
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
