"""Building blocks shared by the model families. All tensors are channels-last, [B, H, W, C]."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from latentcodec.entropy.exact_net import EXACT, LIMIT, MAX_SHIFT, STREAM_SHIFT, UNIT_BITS
from latentcodec.models.fused import hardswish_linear
from latentcodec.models.residual import ACTIVATIONS, BOUND, Activation, ResidualFunction, bounded

_PART_ROWS = 6144  # few calls count as much as what fits in the cache


class ResidualBlock(nn.Module):
    """x + W2 act(W1 depthwise(x)), with `expansion` C hidden units; shape [B, H, W, C] is kept.

    The two products are `Linear` layers over the last axis: on a CPU they reach the matrix
    kernels directly, without the layout changes that a 1x1 convolution brings. Without `biases`
    only the one before the activation is there: the others add nothing that it cannot.
    """

    def __init__(
        self,
        channels: int,
        kernel: int = 3,
        expansion: float = 2,
        activation: str = "relu",
        biases: bool = True,
    ) -> None:
        super().__init__()
        hidden = round(expansion * channels)
        self.depthwise = nn.Conv2d(
            channels, channels, kernel, padding=kernel // 2, groups=channels, bias=biases
        )
        self.expand = nn.Linear(channels, hidden)
        self.project = nn.Linear(hidden, channels, bias=biases)
        self.activation = ACTIVATIONS[activation]
        self.reach = kernel // 2  # rows and columns that an output sees beside its own

    def forward(self, x: Tensor) -> Tensor:
        if torch.is_grad_enabled():
            return residual(x, self)
        h = self.depthwise(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1).contiguous()
        return self._sum(x, h, h)

    def hidden(self, x: Tensor) -> Tensor:
        """The hidden units before their activation, [B, H, W, expansion C]."""
        h = self.depthwise(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        return cast(Tensor, self.expand(h))

    def inner(self, x: Tensor) -> None:
        """Put the results in the place of x, [1, H, W, C], but for the first and last `reach` rows,
        which are only seen."""
        h = functional.conv2d(
            x.permute(0, 3, 1, 2),
            self.depthwise.weight,
            self.depthwise.bias,
            padding=(0, self.reach),
            groups=self.depthwise.groups,
        )
        rows = x[:, self.reach : -self.reach]
        self._sum(rows, h.permute(0, 2, 3, 1), rows)

    def _sum(self, x: Tensor, h: Tensor, out: Tensor) -> Tensor:
        """out: x, which it may be, and what is made of the filtered h, which it may replace."""
        # New memory costs as much as the sums themselves: the wide features are made a part at a
        # time, small enough for the cache.
        rows = (t.reshape(-1, t.shape[-1]).split(_PART_ROWS) for t in (x.to(h.dtype), h, out))
        weight = self.project.weight.T.to(h.dtype)  # autocast leaves alone what has `out`
        for x_part, h_part, out_part in zip(*rows, strict=True):
            wide = self._expanded(h_part)
            torch.addmm(x_part, wide, weight, out=out_part)
            if self.project.bias is not None:
                out_part += self.project.bias
        return out

    def _expanded(self, h: Tensor) -> Tensor:
        """The hidden units, [n, expansion C]."""
        if self.activation.name == "hardswish":
            return hardswish_linear(h, self.expand.weight, self.expand.bias)
        return self.activation(self.expand(h), True)


class _Bounded(torch.autograd.Function):
    """`bounded`, whose gradient passes the rounding unchanged."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, low: float, rounded: bool) -> Tensor:
        ctx.save_for_backward(x)
        ctx.low = low
        return bounded(x, low, rounded)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (x,) = ctx.saved_tensors
        return torch.ops.aten.hardtanh_backward(gradient, x, ctx.low, BOUND), None, None


def weight_shift(weight: Tensor, finest: int = MAX_SHIFT, added: Tensor | float = 0.0) -> Tensor:
    """The fractional bits of each output's weights, [..., out]: as many as the bounds admit.

    weight: [..., out, in]; added: the largest magnitude of what is added to the products,
    [..., out].
    """
    largest = weight.double().abs().amax(-1).clamp_min(1e-9)
    total = weight.double().abs().sum(-1).clamp_min(1e-9) * LIMIT + added * 2.0**UNIT_BITS
    room = torch.minimum(LIMIT / largest, 0.98 * EXACT / total)
    return torch.log2(room).floor().clamp(0, finest)


class Quantisable(nn.Module):
    """A part of the prior, which export makes integers of."""

    quantised = False  # whether the forward pass rounds as the integers will (in training's end)

    def bounded(self, x: Tensor, low: float = -BOUND) -> Tensor:
        """x within low..BOUND, which low 0 makes a bounded ReLU."""
        return _Bounded.apply(x, low, self.quantised)

    def rounded_weight(
        self, weight: Tensor, finest: int = MAX_SHIFT, added: Tensor | float = 0.0
    ) -> Tensor:
        """weight [..., out, in], or its integers with a straight-through gradient.

        added: the largest magnitude of what is added to the products, such as a bias.
        """
        if not self.quantised:
            return weight
        with torch.no_grad():
            step = 2.0 ** -weight_shift(weight, finest, added).float().unsqueeze(-1)
            rounding = torch.round(weight / step) * step - weight
        return weight + rounding


class BoundedBlock(Quantisable):
    """x + W2 relu(W1 depthwise(x)) with bounds on what enters each product; [B, H, W, C].

    Export makes exact integers of these: activations of at most A units and weights whose
    magnitudes sum to W give products below A W, and integers below 2 ** 24 are exact in float32.
    """

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False)
        self.expand = nn.Linear(channels, hidden)
        self.project = nn.Linear(hidden, channels, bias=False)

    @property
    def activation(self) -> Activation:
        """What is between the two products."""
        return ACTIVATIONS["rounded" if self.quantised else "bounded"]

    def forward(self, x: Tensor) -> Tensor:
        taps = self.depthwise.weight
        return ResidualFunction.apply(
            x,
            self.rounded_weight(taps.flatten(1)).view_as(taps),
            None,
            self.rounded_weight(self.expand.weight, added=self.expand.bias.abs()),
            self.expand.bias,
            self.rounded_weight(self.project.weight, STREAM_SHIFT),
            None,
            self.activation,
        )

    def filtered(self, x: Tensor) -> Tensor:
        """What the first product sees, [B, H, W, C]."""
        h = self.depthwise(self.bounded(x).permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        return self.bounded(h)

    def hidden(self, x: Tensor) -> Tensor:
        """The hidden units before their activation, [B, H, W, hidden]."""
        return cast(Tensor, self.expand(self.filtered(x)))


def residual(x: Tensor, block: ResidualBlock) -> Tensor:
    """The block of x, with gradients."""
    depthwise, expand, project = block.depthwise, block.expand, block.project
    return ResidualFunction.apply(
        x,
        depthwise.weight,
        depthwise.bias,
        expand.weight,
        expand.bias,
        project.weight,
        project.bias,
        block.activation,
    )


def residual_blocks(
    channels: int,
    count: int,
    kernel: int = 3,
    expansion: float = 2,
    activation: str = "relu",
    biases: bool = True,
) -> nn.Sequential:
    """`count` of them, one after another."""
    return nn.Sequential(
        *(ResidualBlock(channels, kernel, expansion, activation, biases) for _ in range(count))
    )


class LevelTable(nn.Module):
    """A trainable row of `width` numbers for each anchor of the quality scale.

    A level between two anchors gets the linear mix of their rows; where a row holds logarithms
    of gains, that is the exponential interpolation of Cui et al. 2021, "Asymmetric Gained Deep
    Image Compression With Continuous Rate Adaptation".
    """

    def __init__(self, anchors: int, width: int) -> None:
        super().__init__()
        self.rows = nn.Parameter(torch.zeros(anchors, width))

    def forward(self, level: Tensor) -> Tensor:
        """Rows for `level` (float [B], 0 <= level <= anchors - 1): float [B, 1, 1, width]."""
        low = level.detach().floor().clamp(0, self.rows.shape[0] - 2).long()
        mix = (level - low).unsqueeze(1)
        return torch.lerp(self.rows[low], self.rows[low + 1], mix)[:, None, None, :]


def space_to_depth(x: Tensor, factor: int) -> Tensor:
    """[B, H, W, C] -> [B, H / factor, W / factor, factor * factor * C], row-major in the cell."""
    b, h, w, c = x.shape
    cells = x.view(b, h // factor, factor, w // factor, factor, c)
    return cells.permute(0, 1, 3, 2, 4, 5).reshape(b, h // factor, w // factor, factor * factor * c)


def depth_to_space(x: Tensor, factor: int, out: Tensor | None = None) -> Tensor:
    """The inverse of `space_to_depth`; out: where to write it, contiguous."""
    b, h, w, c = x.shape
    left = c // (factor * factor)
    cells = x.view(b, h, w, factor, factor, left).permute(0, 1, 3, 2, 4, 5)
    if out is None:
        return cells.reshape(b, h * factor, w * factor, left)
    out.view(cells.shape).copy_(cells)
    return out


class _LowerBound(torch.autograd.Function):
    """max(x, bound) whose gradient still reaches an x below the bound when it would raise it."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, bound: float) -> Tensor:
        ctx.save_for_backward(x)
        ctx.bound = bound
        return x.clamp_min(bound)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (x,) = ctx.saved_tensors
        return gradient * ((x >= ctx.bound) | (gradient < 0)), None


def lower_bound(x: Tensor, bound: float) -> Tensor:
    """max(x, bound), trainable from below (Balle et al. 2018, appendix 6.2)."""
    return _LowerBound.apply(x, bound)


def round_through(x: Tensor) -> Tensor:
    """Round to the nearest integer; the gradient passes unchanged (straight-through)."""
    return x + (torch.round(x) - x).detach()
