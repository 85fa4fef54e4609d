"""The residual block's forward and backward pass in training, a cache-sized part at a time.

The wide features between the two products are the largest tensors of a training step. Here they
never leave the cache: each part of the rows goes through both products before the next one
begins, and the backward pass computes them again, which costs less than to fetch them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from latentcodec.entropy.exact_net import UNIT_BITS

BOUND = 4.0  # of what enters a product of a bounded block: LIMIT in units of 2 ** -UNIT_BITS
_PART_ROWS = 2048
_UNIT = 2.0**UNIT_BITS


def bounded(x: Tensor, low: float = -BOUND, rounded: bool = False) -> Tensor:
    """x within low..BOUND, and rounded as the integers of the exported prior are; new memory."""
    x = x.clamp(low, BOUND)
    return x.mul_(_UNIT).round_().div_(_UNIT) if rounded else x


class Activation(NamedTuple):
    """A function of the hidden units, and what becomes of the block's other activations."""

    name: str
    bounded: bool = False
    rounded: bool = False

    def __call__(self, x: Tensor, inplace: bool = False) -> Tensor:
        if self.bounded:
            return bounded(x, 0, self.rounded)
        if self.name == "hardswish":
            return functional.hardswish(x, inplace=inplace)
        return functional.relu(x, inplace=inplace)

    def gradient(self, gradient: Tensor, x: Tensor) -> Tensor:
        """Of the hidden units before the function, x, from that of those behind it."""
        if self.bounded:
            return torch.ops.aten.hardtanh_backward(gradient, x, 0, BOUND)
        if self.name == "hardswish":
            return torch.ops.aten.hardswish_backward(gradient, x)
        return torch.ops.aten.threshold_backward(gradient, x, 0)


ACTIVATIONS = {
    "relu": Activation("relu"),
    "hardswish": Activation("hardswish"),
    "bounded": Activation("bounded", bounded=True),
    "rounded": Activation("rounded", bounded=True, rounded=True),
}


def _filtered(x: Tensor, taps: Tensor, bias: Tensor | None = None) -> Tensor:
    """A depthwise convolution of [B, H, W, C] with zero padding."""
    padding = taps.shape[-1] // 2
    h = functional.conv2d(x.permute(0, 3, 1, 2), taps, bias, padding=padding, groups=len(taps))
    return h.permute(0, 2, 3, 1)


class ResidualFunction(torch.autograd.Function):
    """x + project act(expand depthwise(x)), x [B, H, W, C]; `bounded` clamps what is multiplied."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        taps: Tensor,
        taps_bias: Tensor | None,
        expand: Tensor,
        expand_bias: Tensor,
        project: Tensor,
        project_bias: Tensor | None,
        activation: Activation,
    ) -> Tensor:
        dtype = torch.get_autocast_dtype(x.device.type)
        if not torch.is_autocast_enabled(x.device.type):
            dtype = x.dtype
        with torch.autocast(x.device.type, enabled=False):
            x, taps, w1, w2 = (t.to(dtype) for t in (x, taps, expand, project))
            b1 = expand_bias.to(dtype)
            if activation.bounded:
                seen = bounded(x, rounded=activation.rounded)
                h = bounded(_filtered(seen, taps), rounded=activation.rounded)
            else:
                h = _filtered(x, taps, None if taps_bias is None else taps_bias.to(dtype))
            out = torch.empty_like(x)
            rows = (t.reshape(-1, x.shape[-1]).split(_PART_ROWS) for t in (x, h, out))
            for x_part, h_part, out_part in zip(*rows, strict=True):
                wide = activation(torch.addmm(b1, h_part, w1.T), inplace=True)
                torch.addmm(x_part, wide, w2.T, out=out_part)
            if project_bias is not None:
                out += project_bias.to(dtype)
        ctx.save_for_backward(x, h, taps, w1, b1, w2)
        ctx.activation, ctx.biases = activation, project_bias is not None
        return out

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, h, taps, w1, b1, w2 = ctx.saved_tensors
        activation: Activation = ctx.activation
        trained = any(ctx.needs_input_grad[1:7])
        gradient = gradient.to(x.dtype).contiguous()
        h_gradient = torch.empty_like(h)
        w1_gradient, w2_gradient = (torch.zeros_like(w, dtype=torch.float32) for w in (w1, w2))
        b1_gradient = torch.zeros_like(b1, dtype=torch.float32)
        rows = (t.view(-1, x.shape[-1]).split(_PART_ROWS) for t in (gradient, h, h_gradient))
        for g_part, h_part, gh_part in zip(*rows, strict=True):
            narrow = torch.addmm(b1, h_part, w1.T)
            wide = activation.gradient(g_part @ w2, narrow)
            torch.mm(wide, w1, out=gh_part)
            if trained:
                w2_gradient += g_part.T @ activation(narrow)
                w1_gradient += wide.T @ h_part
                b1_gradient += wide.sum(0)
        if activation.bounded:
            h_gradient = torch.ops.aten.hardtanh_backward(h_gradient, h, -BOUND, BOUND)
        x_gradient = _filtered_gradient(h_gradient, x, taps, activation).add_(gradient)
        if not trained:
            return x_gradient, *(None,) * 7
        taps_gradient = _taps_gradient(h_gradient, x, taps, activation)
        biases = [h_gradient, gradient] if ctx.biases else []
        taps_bias, project_bias = [t.flatten(0, 2).sum(0).float() for t in biases] or (None, None)
        weights = (taps_gradient, taps_bias, w1_gradient, b1_gradient, w2_gradient, project_bias)
        return x_gradient, *weights, None


def _filtered_gradient(gradient: Tensor, x: Tensor, taps: Tensor, activation: Activation) -> Tensor:
    """The gradient of the filter's input."""
    # A filter's own backward pass takes twice the time of a filter with the taps turned round.
    by_x = _filtered(gradient, taps.flip(2, 3))
    return torch.ops.aten.hardtanh_backward(by_x, x, -BOUND, BOUND) if activation.bounded else by_x


def _taps_gradient(gradient: Tensor, x: Tensor, taps: Tensor, activation: Activation) -> Tensor:
    """The gradient of the filter's taps."""
    padding = taps.shape[-1] // 2
    seen = bounded(x, rounded=activation.rounded) if activation.bounded else x
    _, by_taps, _ = torch.ops.aten.convolution_backward(
        gradient.permute(0, 3, 1, 2),
        seen.permute(0, 3, 1, 2),
        taps,
        None,
        [1, 1],
        [padding, padding],
        [1, 1],
        False,
        [0, 0],
        len(taps),
        [False, True, False],
    )
    return by_taps.float()
