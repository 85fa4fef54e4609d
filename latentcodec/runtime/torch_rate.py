"""What the latents of a tile cost, with gradients, on torch; see `models.float_prior`."""

from __future__ import annotations

import numpy as np
import torch

from latentcodec.entropy import context_prior
from latentcodec.entropy.context_prior import ContextPrior
from latentcodec.entropy.integer_net import FRACTION_BITS
from latentcodec.entropy.prior import HyperPrior
from latentcodec.models import first_float_prior
from latentcodec.models.float_prior import (
    ContextRate,
    SymbolBits,
    TableRate,
    context_steps,
    scales_of,
)
from latentcodec.runtime.torch_prior import TorchPrior


def context_rate(
    prior: ContextPrior,
    z_hat: np.ndarray,
    tenths: int,
    size: tuple[int, int],
    bits: np.ndarray,
    device: torch.device,
) -> ContextRate:
    """Of a tile of a `hyper` model; bits: of its tables, see `TableSet.bits`."""
    even = [side + side % 2 for side in size]
    psi = TorchPrior(prior).psi(z_hat, prior.row("h_s_level", tenths), *even)
    psi = psi.to(device) * 2.0**-context_prior.STREAM_BITS
    scales = scales_of(prior.step_rows(tenths), device)
    steps = context_steps(prior, device)
    return ContextRate(steps, psi, scales, size, SymbolBits(bits, device))


def first_rate(
    prior: HyperPrior,
    z_hat: np.ndarray,
    tenths: int,
    size: tuple[int, int],
    bits: np.ndarray,
    device: torch.device,
) -> ContextRate:
    """As `context_rate`, of the first generation."""
    psi = prior.psi(z_hat, tenths, *size).mul_(2.0**-FRACTION_BITS).float().to(device)
    scales = first_float_prior.scales_of(prior, tenths, device)
    steps = first_float_prior.context_steps(prior, device)
    return ContextRate(steps, psi, scales, size, SymbolBits(bits, device))


def table_rate(bits: np.ndarray, device: torch.device) -> TableRate:
    """Of a tile whose channels have a table each; bits: of these."""
    return TableRate(SymbolBits(bits, device))
