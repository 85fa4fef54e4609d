"""Rounding and rate of latents in training, with their gradients, in few passes over memory."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from latentcodec.entropy.tables import ERROR_BITS, SCALE_LOW

_ROOT_HALF = 0.5**0.5
_LEAST_MASS = 1e-9  # of a bin; what is rarer costs the escape's bits
_FAR = 9.0  # beyond this, exp(-x^2) and erfc are nearly denormal numbers, which are slow
_BITS_PER_MASS = 1 / (math.log(2) * math.sqrt(math.pi))


class CodedLatents(torch.autograd.Function):
    """Rounds latents as the encoder does, and gives the bits they cost under N(mean, sigma).

    v, mean, log_scale: float32 [..., B, n, C], in quantisation steps; noise: the same, uniform in
    -1/2..1/2. Returns v_hat of that shape and the bits of each sample, [B].

    A symbol is lowered by one where the bits saved are worth the error (`entropy/rdoq.py`). Means
    and latents follow the rate under additive uniform noise (Balle et al. 2018, "Variational
    image compression with a scale hyperprior", equation 9), scales the rate of the rounded
    latents; pixels and contexts see the rounded latents with straight-through gradients.
    """

    @staticmethod
    def forward(
        ctx: Any, v: Tensor, mean: Tensor, log_scale: Tensor, noise: Tensor
    ) -> tuple[Tensor, Tensor]:
        offset = v - mean
        sharpness = log_scale.neg().exp_().mul_(_ROOT_HALF).clamp_max_(_ROOT_HALF / SCALE_LOW)
        symbol, mass = _rounded(offset, sharpness)
        bits = torch.log2(mass * 0.5).neg_()
        ctx.save_for_backward(
            _rate_by_offset(offset + noise, sharpness),
            _rate_by_log_scale(symbol, mass, sharpness, log_scale),
        )
        bits = bits.sum(dim=(-1, -2))
        return symbol.copysign_(offset).add_(mean), bits.view(-1, bits.shape[-1]).sum(0)

    @staticmethod
    def backward(
        ctx: Any, v_hat_gradient: Tensor, bits_gradient: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, None]:
        by_offset, by_log_scale = ctx.saved_tensors
        by_bits = bits_gradient[:, None, None]
        by_offset = by_offset * by_bits
        return v_hat_gradient + by_offset, by_offset.neg(), by_log_scale * by_bits, None


def _rounded(offset: Tensor, sharpness: Tensor) -> tuple[Tensor, Tensor]:
    """Magnitudes of the symbols, and twice the mass of their bins."""
    magnitude = offset.abs().round_()
    below = torch.erfc((magnitude - 1.5).mul_(sharpness).clamp_(-_FAR, _FAR))
    lower = torch.erfc((magnitude - 0.5).mul_(sharpness).clamp_(-_FAR, _FAR))
    upper = torch.erfc((magnitude + 0.5).mul_(sharpness).clamp_(-_FAR, _FAR))
    mass = (lower - upper).clamp_min_(2 * _LEAST_MASS)
    mass_below = below.sub_(lower).clamp_min_(2 * _LEAST_MASS)
    saved = torch.log2(mass_below / mass)
    # Not below zero: there the threshold of the rounding error, -1/2, is never passed.
    threshold = saved.mul_(0.5 / ERROR_BITS).sub_(0.5).mul_(magnitude.clamp_max(1))
    down = (offset.abs().sub_(magnitude) < threshold).float().mul_(magnitude.clamp_max(1))
    return magnitude.sub_(down), torch.lerp(mass, mass_below, down)


def _rate_by_log_scale(
    symbol: Tensor, mass: Tensor, sharpness: Tensor, log_scale: Tensor
) -> Tensor:
    """Derivative of the bits of a symbol by the logarithm of its scale.

    Below the smallest scale only what would raise it counts.
    """
    lower, upper = (
        (symbol - 0.5).mul_(sharpness).clamp_(-_FAR, _FAR),
        (symbol + 0.5).mul_(sharpness).clamp_(-_FAR, _FAR),
    )
    change = lower.square().neg_().exp_().mul_(lower)
    change.sub_(upper.square().neg_().exp_().mul_(upper))
    change.div_(mass).mul_(-2 * _BITS_PER_MASS)
    held = (log_scale < math.log(SCALE_LOW)).float()
    return change.sub_(change.clamp_min(0).mul_(held))


def _rate_by_offset(noisy: Tensor, sharpness: Tensor) -> Tensor:
    """Derivative of the bits under noise by the latent, and negated by the mean."""
    distance = noisy.abs()
    lower, upper = (
        (distance - 0.5).mul_(sharpness).clamp_(-_FAR, _FAR),
        distance.add_(0.5).mul_(sharpness).clamp_(-_FAR, _FAR),
    )
    mass = torch.erfc(lower).sub_(torch.erfc(upper)).clamp_min_(2 * _LEAST_MASS)
    change = lower.square_().neg_().exp_().sub_(upper.square_().neg_().exp_())
    return change.mul_(sharpness).div_(mass).mul_(2 * _BITS_PER_MASS).copysign_(noisy)


class _GaussianBits(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, symbol: Tensor, log_scale: Tensor, bits: Tensor) -> Tensor:
        sharpness = log_scale.neg().exp_().mul_(_ROOT_HALF).clamp_max_(_ROOT_HALF / SCALE_LOW)
        distance = symbol.abs()
        lower = torch.erfc((distance - 0.5).mul_(sharpness).clamp_(-_FAR, _FAR))
        upper = torch.erfc((distance + 0.5).mul_(sharpness).clamp_(-_FAR, _FAR))
        mass = lower.sub_(upper).clamp_min_(2 * _LEAST_MASS)
        ctx.save_for_backward(
            _rate_by_offset(symbol, sharpness),
            _rate_by_log_scale(distance, mass, sharpness, log_scale),
        )
        return bits.sum()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None]:
        by_symbol, by_log_scale = ctx.saved_tensors
        return by_symbol * gradient, by_log_scale * gradient, None


def table_bits(symbol: Tensor, log_scale: Tensor, bits: Tensor) -> Tensor:
    """The sum of what symbols cost by their tables, with the gradients of their Gaussians.

    symbol, log_scale, bits: of one shape. Balle et al. 2018, equation 9.
    """
    return _GaussianBits.apply(symbol, log_scale, bits)


def gaussian_bits(values: Tensor, mean: Tensor, scale: Tensor) -> Tensor:
    """Information content in bits of the unit-wide bins around `values` under N(mean, scale).

    Balle et al. 2018, equation 9: the Gaussian convolved with a unit uniform density. Computed
    on the side of the mean that keeps the difference of the two tails exact.
    """
    distance = (values - mean).abs()
    upper = torch.special.erfc((distance - 0.5) / scale * (0.5**0.5))
    lower = torch.special.erfc((distance + 0.5) / scale * (0.5**0.5))
    return -torch.log2((0.5 * (upper - lower)).clamp_min(1e-9))
