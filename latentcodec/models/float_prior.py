"""The priors of packaged models with gradients: what the latents of a tile cost, given z.

Only the encoder uses them, to look for better latents: what it finds is coded by the exact prior,
whose rounding these have, too, so that both give a latent the same mean but for rare ties.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from latentcodec.entropy import context_prior
from latentcodec.entropy.context_prior import ContextPrior, StepRows
from latentcodec.entropy.exact_net import LIMIT, UNIT_BITS, ExactBlock, ExactLinear
from latentcodec.entropy.tables import (
    MEAN_BITS,
    SCALE_COUNT,
    SCALE_LOW,
    SCALE_STEPS_PER_E,
    ZERO_TABLE,
)
from latentcodec.models.hyper import (
    from_steps,
    join_phases,
    magnitude_of,
    rows_to_steps,
    split_phases,
    to_steps,
)
from latentcodec.models.layers import round_through
from latentcodec.models.rate import table_bits
from latentcodec.models.residual import ACTIVATIONS, ResidualFunction

_UNIT = 2.0**UNIT_BITS
_MEAN = 2.0**MEAN_BITS
_LATENT = 2.0**context_prior.LATENT_BITS
_LATENT_BOUND = context_prior.LATENT_LIMIT / _LATENT
_STREAM = 2.0**context_prior.STREAM_BITS
_LOG_LOW = math.log(SCALE_LOW)
_BOUND = LIMIT / _UNIT
_ACTIVATION = ACTIVATIONS["rounded"]

# What a symbol minus one, the symbol and one more cost, in bits.
Costs = Callable[[Tensor], tuple[Tensor, Tensor, Tensor]]
# Given the number of a coding step, the means there and what symbols cost, v_hat: means plus
# integers, without gradients.
Choice = Callable[[int, Tensor, Costs], Tensor]


class Rate(Protocol):
    """What the latents of one tile cost."""

    def arranged(self, v: np.ndarray) -> Tensor:
        """v, float32 [h, w, M] in quantisation steps, in coding order: [steps, ...]."""

    def grid(self, v: Tensor) -> Tensor:
        """[1, h, w, M] of what is in coding order."""

    def code(self, choose: Choice) -> tuple[list[Tensor], Tensor]:
        """v_hat of each step, as leaves, and the bits of them all.

        The bits have the gradients of what is coded later; what a latent costs itself has none.
        """


class SymbolBits:
    """What symbols cost by tables, looked up."""

    def __init__(self, bits: np.ndarray, device: torch.device) -> None:
        """bits: float32 [tables, 2 reach + 1], of symbols from -reach on."""
        self.tables, self._width = bits.shape
        self.device = device
        self._reach = self._width // 2
        self._bits = torch.from_numpy(bits).to(device).flatten()

    def around(self, symbol: Tensor, table: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """See `Costs`; table: int64, which may have fewer axes."""
        within = symbol.clamp(1 - self._reach, self._reach - 1).long()
        place = within.add_(table * self._width + self._reach)
        return self._bits[place - 1], self._bits[place], self._bits[place + 1]


class Scales(NamedTuple):
    """Of a quality, [M] each: quantisation steps in a unit of y_std and units in a step, and what
    ln sigma in steps is more than that in units."""

    to_step: Tensor
    to_unit: Tensor
    offset: Tensor


class FloatStep(NamedTuple):
    """The network of one coding step; see `models.hyper.ContextStep`."""

    bias: Tensor
    blocks: Sequence[tuple[Tensor | None, ...]]  # the weights that `ResidualFunction` takes
    head: tuple[Tensor, Tensor]  # weight [PHASES, out, in], bias [PHASES, 1, out]
    coded: Tensor | None
    magnitude: Tensor | None

    def parameters(self, u: Tensor) -> tuple[Tensor, Tensor]:
        """u [1, h, w, C] -> mean and log scale [PHASES, h/2 * w/2, M/4], in units of y_std."""
        h = (u + self.bias).clamp(0, _BOUND)
        for block in self.blocks:
            h = ResidualFunction.apply(h, *block, _ACTIVATION)
        h = split_phases(h.clamp(-_BOUND, _BOUND)).flatten(1, 2)
        h = round_through(h * _UNIT) / _UNIT
        weight, bias = self.head
        mean, log_scale = torch.baddbmm(bias, h, weight.mT).chunk(2, dim=-1)
        return mean, log_scale

    def contribution(self, unit: Tensor, v_hat: Tensor, height: int, width: int) -> Tensor | float:
        """What is added to u, of the latents [PHASES, h/2 * w/2, M/4] that are coded here, in units
        of y_std and in quantisation steps."""
        if self.coded is None or self.magnitude is None:
            return 0.0
        unit = round_through(unit.clamp(-_LATENT_BOUND, _LATENT_BOUND) * _LATENT) / _LATENT
        size = round_through(magnitude_of(v_hat).clamp(max=_BOUND) * _UNIT) / _UNIT
        added = torch.bmm(unit, self.coded.mT) + torch.bmm(size, self.magnitude.mT)
        with torch.no_grad():  # the parts of the latents have rounded products
            high = unit.mul(_LATENT / LIMIT).floor_().mul_(LIMIT / _LATENT)
            parts = [torch.bmm(part, self.coded.mT) for part in (high, unit - high)]
            parts.append(torch.bmm(size, self.magnitude.mT))
            exact = sum(part.mul_(_STREAM).round_().div_(_STREAM) for part in parts)
        return join_phases((added + (exact - added.detach())).unsqueeze(1), height, width)


class ContextRate:
    """Of a tile of a `hyper` model."""

    def __init__(
        self,
        steps: Sequence[FloatStep],
        psi: Tensor,
        scales: Scales,
        size: tuple[int, int],
        bits: SymbolBits,
    ) -> None:
        """psi: [h, w, C], in units; scales: see `scales_of`; size: height and width of the tile;
        bits: of the SCALE_COUNT tables."""
        self._steps, self._size, self._bits = steps, size, bits
        self._even = size[0] + size[0] % 2, size[1] + size[1] % 2
        below, beside = self._even[0] - psi.shape[0], self._even[1] - psi.shape[1]
        self._psi = functional.pad(psi, (0, 0, 0, beside, 0, below))[None]
        self._to_step, self._to_unit, self._offset = (_step_rows(row) for row in scales)
        self._real: Tensor | None = None
        if size != self._even:
            self._real = self.arranged(np.ones((*size, len(scales.to_step)), dtype=np.float32)) > 0

    def arranged(self, v: np.ndarray) -> Tensor:
        below, beside = self._even[0] - v.shape[0], self._even[1] - v.shape[1]
        padded = np.pad(v, ((0, below), (0, beside), (0, 0)))
        return to_steps(torch.from_numpy(padded).to(self._psi.device)[None]).squeeze(2)

    def grid(self, v: Tensor) -> Tensor:
        grid = from_steps(v.unsqueeze(2), *self._even)
        return grid[:, : self._size[0], : self._size[1]]

    def code(self, choose: Choice) -> tuple[list[Tensor], Tensor]:
        coded, bits, u = [], self._psi.new_zeros(()), self._psi
        for number, step in enumerate(self._steps):
            mean, log_scale = step.parameters(u)
            mean = round_through(mean * self._to_step[number] * _MEAN) / _MEAN
            log_scale = log_scale + self._offset[number]
            if self._real is not None:  # what is beside the tile costs nothing
                log_scale = torch.where(self._real[number], log_scale, _LOG_LOW - 1)
            table = _tables(log_scale.detach())
            costs = functools.partial(self._bits.around, table=table)
            v_hat = choose(number, mean.detach(), costs)
            v_hat = torch.where(table == ZERO_TABLE, mean.detach(), v_hat)
            symbol = v_hat - mean
            own = self._bits.around(symbol.detach().round(), table)[1]
            bits = bits + table_bits(symbol, log_scale, own)
            coded.append(v_hat.requires_grad_(True))
            u = u + step.contribution(coded[-1] * self._to_unit[number], coded[-1], *self._even)
        return coded, bits


def _tables(log_scale: Tensor) -> Tensor:
    """The index of each latent's table."""
    table = log_scale.sub(_LOG_LOW).mul_(SCALE_STEPS_PER_E)
    return table.round_().clamp_(0, SCALE_COUNT - 1).long()


def _step_rows(row: Tensor) -> Tensor:
    """[M] -> [steps, PHASES, 1, M/4]."""
    return rows_to_steps(row[None, None, None]).squeeze(2)


def context_steps(prior: ContextPrior, device: torch.device) -> list[FloatStep]:
    """The networks of a prior, in floating point and in units of y_std."""
    found = []
    for step in prior.steps:
        weight, bias = _weights(step.head, device)
        assert bias is not None
        coded = magnitude = None
        if step.coded is not None:
            coded, _ = _weights(step.coded, device)
            magnitude, _ = _weights(step.magnitude, device)
        found.append(
            FloatStep(
                _real(step.bias * 2.0**-context_prior.STREAM_BITS, device),
                [_block(block, device) for block in step.blocks],
                (weight, bias.unsqueeze(1)),
                coded,
                magnitude,
            )
        )
    return found


def _real(values: np.ndarray, device: torch.device) -> Tensor:
    return torch.from_numpy(values).float().to(device)


def _weights(layer: ExactLinear, device: torch.device) -> tuple[Tensor, Tensor | None]:
    weight = _real(layer.weight * layer.scale[..., None], device)
    if layer.bias is None:
        return weight, None
    return weight, _real(layer.bias * layer.scale / _UNIT, device)


def _block(block: ExactBlock, device: torch.device) -> tuple[Tensor | None, ...]:
    taps, _ = _weights(block.depthwise, device)
    both = *_weights(block.expand, device), *_weights(block.project, device)
    return taps.view(-1, 1, 3, 3), None, *both


def scales_of(rows: StepRows, device: torch.device) -> Scales:
    """Those of a prior's quality."""
    factor = 2.0**-context_prior.FACTOR_BITS
    offset = rows.table_offset * 2.0**-context_prior.OFFSET_BITS + _LOG_LOW
    values = (rows.to_step * factor, rows.to_latent * factor, offset)
    return Scales(*(_real(value, device) for value in values))


class TableRate:
    """Of a tile whose channels have a table each, and mean 0."""

    def __init__(self, bits: SymbolBits) -> None:
        """bits: of the channels' tables."""
        self._bits = bits

    def arranged(self, v: np.ndarray) -> Tensor:
        return torch.from_numpy(v).to(self._bits.device)[None]

    def grid(self, v: Tensor) -> Tensor:
        return v

    def code(self, choose: Choice) -> tuple[list[Tensor], Tensor]:
        channels = torch.arange(self._bits.tables, device=self._bits.device)
        mean = torch.zeros((), device=self._bits.device)
        v_hat = choose(0, mean, lambda k: self._bits.around(k, channels))
        bits = self._bits.around(v_hat, channels)[1].sum()
        return [v_hat.requires_grad_(True)], bits
