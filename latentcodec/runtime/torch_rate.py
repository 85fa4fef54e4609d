"""What the latents of a tile cost, with gradients, on torch; see `models.float_prior`."""

from __future__ import annotations

import numpy as np
import torch

from latentcodec.entropy import context_prior
from latentcodec.entropy.context_prior import ContextPrior
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


def table_rate(bits: np.ndarray, device: torch.device) -> TableRate:
    """Of a tile whose channels have a table each; bits: of these."""
    return TableRate(SymbolBits(bits, device))
