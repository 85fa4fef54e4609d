"""Rounding and rate in training: those of the encoder, and the gradients that were meant."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from latentcodec.entropy import tables
from latentcodec.entropy.coder import TableSet
from latentcodec.entropy.rdoq import Quantiser
from latentcodec.entropy.tables import ERROR_BITS, SCALE_LOW
from latentcodec.models.layers import lower_bound
from latentcodec.models.rate import CodedLatents, gaussian_bits

_SHAPE = (4, 3, 50, 8)  # phases, samples, positions, channels


def test_training_rounds_as_the_encoder_does() -> None:
    """Against the Quantiser with tables of plain Gaussians: their scales, and none between them."""
    random = np.random.default_rng(4)
    chosen = random.integers(1, 40, 5000).astype(np.uint8)
    scale = np.array([tables.scale_of(int(t)) for t in chosen])
    mean = random.integers(-80, 80, 5000).astype(np.int32)
    values = mean / 16 + random.normal(0, 1, 5000) * scale
    quantiser = Quantiser(TableSet.symmetric(*tables.gaussian_tables()))
    encoder = quantiser.symbols(values, mean, chosen)
    v, mu, log_scale = (torch.from_numpy(x).float() for x in (values, mean / 16, np.log(scale)))
    v_hat, _ = CodedLatents.apply(*(x.view(1, -1, 1) for x in (v, mu, log_scale, 0 * v)))
    trainer = np.rint(v_hat.flatten().numpy() - mean / 16)
    small = np.abs(encoder) <= 8  # beyond, the encoder takes the price of 8
    assert (trainer == encoder)[small].mean() > 0.999
    lowered = np.abs(encoder) < np.abs(np.rint(values - mean / 16))
    assert 50 < lowered.sum() < 1000


def _gradient(leaf: Tensor) -> Tensor:
    assert leaf.grad is not None
    return leaf.grad


def _latents(least_log_scale: float, scale_range: float) -> list[Tensor]:
    """v, mean, log scale and noise; no bin of them is as rare as the floor of the mass."""
    torch.manual_seed(5)
    log_scale = least_log_scale + scale_range * torch.rand(_SHAPE)
    spread = log_scale.exp().clamp_min(SCALE_LOW)
    mean = 3 * torch.randn(_SHAPE)
    v = mean + torch.randn(_SHAPE).clamp(-3, 3) * spread
    return [v, mean, log_scale, torch.rand(_SHAPE) - 0.5]


def _rounded(offset: Tensor, scale: Tensor) -> Tensor:
    """One nearer to zero where the bits saved are worth the error."""
    symbol = offset.round()
    nearer = symbol - symbol.sign()
    saved = gaussian_bits(symbol, torch.zeros(()), scale) - gaussian_bits(
        nearer, torch.zeros(()), scale
    )
    error = (offset - nearer).square() - (offset - symbol).square()
    return torch.where((symbol != 0) & (ERROR_BITS * error < saved), nearer, symbol)


def _plain(v: Tensor, mean: Tensor, log_scale: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
    """The same as formulas, for autograd: straight-through pixels, two rates."""
    scale = lower_bound(log_scale, math.log(SCALE_LOW)).exp()
    zero = torch.zeros((), dtype=v.dtype)
    symbol = _rounded((v - mean).detach(), scale.detach())
    v_hat = v + (symbol + mean - v).detach()
    rounded = gaussian_bits(symbol, zero, scale)
    noisy = gaussian_bits(v + noise, mean, scale.detach())
    bits = rounded + noisy - noisy.detach()
    return v_hat, bits.sum(dim=(0, 2, 3))


@pytest.mark.parametrize(
    ("least_log_scale", "scale_range"),
    [(math.log(0.3), 5.0), (math.log(SCALE_LOW), 2.0), (math.log(SCALE_LOW) - 1.0, 0.9)],
    ids=["wide", "narrow", "below the smallest scale"],
)
def test_bits_and_gradients_are_those_of_the_formulas(
    least_log_scale: float, scale_range: float
) -> None:
    """float32 in few passes against float64 and autograd."""
    inputs = _latents(least_log_scale, scale_range)
    weights = [torch.randn(_SHAPE), torch.tensor([0.5, 1.0, 3.0])]
    found = [x.clone().requires_grad_() for x in inputs[:3]]
    wanted = [x.double().requires_grad_() for x in inputs[:3]]
    v_hat, bits = CodedLatents.apply(*found, inputs[3])
    v, mean, log_scale = wanted
    plain_v_hat, plain_bits = _plain(v, mean, log_scale, inputs[3].double())
    assert torch.allclose(v_hat.double(), plain_v_hat, atol=1e-4)
    assert torch.allclose(bits.double(), plain_bits, rtol=1e-4, atol=1e-3)
    (v_hat * weights[0]).sum().add((bits * weights[1]).sum()).backward()
    (plain_v_hat * weights[0]).sum().add((plain_bits * weights[1]).sum()).backward()
    for ours, theirs in zip(found, wanted, strict=True):
        assert torch.allclose(_gradient(ours).double(), _gradient(theirs), rtol=1e-4, atol=1e-4)
    by_v, by_mean, _ = (_gradient(leaf) for leaf in found)
    assert (by_v - weights[0]).abs().max() > 0.1  # the rate is in it
    assert torch.allclose(by_mean, weights[0] - by_v, atol=1e-6)


def test_scales_below_the_smallest_are_only_raised() -> None:
    low = math.log(SCALE_LOW) - 0.5
    v = torch.tensor([0.0, 1.0]).view(1, 2, 1)
    log_scale = torch.full((1, 2, 1), low).requires_grad_()
    _, bits = CodedLatents.apply(v, torch.zeros_like(v), log_scale, torch.zeros_like(v))
    bits.sum().backward()
    held, raised = _gradient(log_scale).flatten().tolist()
    assert held == 0  # the symbol 0 would have it still smaller
    wanted = log_scale.detach().double().requires_grad_()
    _, bits = _plain(v[None].double(), torch.zeros(()), wanted[None], torch.zeros(()))
    bits.sum().backward()
    assert raised == pytest.approx(_gradient(wanted)[0, 1, 0].item(), rel=1e-5)
    assert raised < -10


def test_what_is_rarer_than_the_floor_costs_the_floor() -> None:
    v = torch.tensor([1e4, -1e4, 3e38]).view(1, 3, 1)
    inputs = [v, torch.zeros_like(v), torch.zeros_like(v)]
    leaves = [x.requires_grad_() for x in inputs]
    v_hat, bits = CodedLatents.apply(*leaves, torch.zeros(1, 3, 1))
    assert torch.equal(v_hat, v)
    assert bits.item() == pytest.approx(3 * -math.log2(1e-9), rel=1e-5)
    bits.sum().backward()
    assert all(_gradient(leaf).isfinite().all() for leaf in leaves)
