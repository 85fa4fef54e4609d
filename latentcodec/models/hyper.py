"""The `hyper` family: a hierarchical VAE with conditional Gaussians, for the whole quality range.

    x --g_a--> y --gain--> v --Q--> v_hat --1/gain--> y_hat --g_s--> x_hat
               |               ^  N(mu, sigma)
               h_a             |
               v               |
               z --Q--> z_hat --h_s--> psi --context (from the v_hat already coded)

Mean-scale hyperprior: Minnen et al. 2018, "Joint Autoregressive and Hierarchical Priors for
Learned Image Compression"; coding order: `coding_order.py`; gains: `LevelTable`. Activations of
h_s and of the context networks are bounded, because export makes integers of them
(`BoundedBlock`).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from latentcodec.entropy.coding_order import GROUPS, PHASES, STEPS, coded_in_step
from latentcodec.entropy.tables import SCALE_LOW
from latentcodec.models.config import HyperConfig
from latentcodec.models.layers import (
    BoundedBlock,
    LevelTable,
    Quantisable,
    ResidualBlock,
    depth_to_space,
    lower_bound,
    round_through,
    space_to_depth,
)
from latentcodec.models.rate import CodedLatents, gaussian_bits
from latentcodec.models.transforms import Output, TransformModel, levelled

Z_STEP = 4.0  # of z_hat, in units of the other activations
_UNIT_BOUND = 32.0  # of a latent over y_std, where the context networks see it
_Z_BOUND = 16.0


class HyperAnalysis(nn.Module):
    """h_a: normalised y [B, h, w, M] -> z [B, h/4, w/4, Z]; h and w multiples of 4."""

    def __init__(self, c: HyperConfig) -> None:
        super().__init__()
        n = c.hyper_channels
        self.stem = nn.Linear(c.latents, n)
        self.magnitude = nn.Linear(c.latents, n, bias=False)
        self.level = LevelTable(c.anchors, n)
        self.block_16 = ResidualBlock(n)
        self.down_32 = nn.Linear(4 * n, n)
        self.block_32 = ResidualBlock(n)
        self.down_64 = nn.Linear(4 * n, c.hyper_latents)

    def forward(self, y: Tensor, magnitude: Tensor, level: Tensor) -> Tensor:
        """magnitude: see `magnitude_of`."""
        h = levelled(self.stem, y, self.level(level))
        h = functional.relu(h + self.magnitude(magnitude.to(h.dtype)))
        h = self.down_32(space_to_depth(self.block_16(h), 2))
        h = self.down_64(space_to_depth(self.block_32(functional.relu(h)), 2))
        return h.float()


class HyperSynthesis(Quantisable):
    """h_s: z_hat [B, h/4, w/4, Z] -> psi [B, h, w, context channels]."""

    def __init__(self, c: HyperConfig) -> None:
        super().__init__()
        n = c.hyper_channels
        self.up_32 = nn.Linear(c.hyper_latents, 4 * n)
        self.level = LevelTable(c.anchors, 4 * n)
        self.block = BoundedBlock(n, 2 * n)
        self.up_16 = nn.Linear(n, 4 * c.context_channels)

    def forward(self, z_hat: Tensor, level: Tensor) -> Tensor:
        added = self.up_32.bias.abs() + self.level.rows.abs().amax(0)
        weight = self.rounded_weight(self.up_32.weight * Z_STEP, added=added) / Z_STEP
        h = functional.linear(z_hat, weight, self.up_32.bias) + self.level(level)
        h = self.bounded(self.block(depth_to_space(self.bounded(h, 0), 2)))
        weight = self.rounded_weight(self.up_16.weight, added=self.up_16.bias.abs())
        h = functional.linear(h, weight, self.up_16.bias)
        return depth_to_space(h, 2)


class PhaseProduct(Quantisable):
    """A matrix of its own for each spatial phase: [PHASES, B, n, in] -> [PHASES, B, n, out]."""

    def __init__(self, inputs: int, outputs: int, bias: bool = False) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(PHASES, outputs, inputs))
        nn.init.uniform_(self.weight, -1 / math.sqrt(inputs), 1 / math.sqrt(inputs))
        self.bias = nn.Parameter(torch.zeros(PHASES, outputs)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        rows = x.flatten(1, 2)
        if self.bias is None:
            out = torch.bmm(rows, self.rounded_weight(self.weight).mT)
        else:
            weight = self.rounded_weight(self.weight, added=self.bias.abs())
            out = torch.baddbmm(self.bias.unsqueeze(1), rows, weight.mT)
        return out.view(*x.shape[:-1], -1)


class ContextStep(Quantisable):
    """The network of one coding step: from features to mean and log scale of what it codes.

    Every phase has a head of its own, since it codes another group of channels. Everything here
    is in units of `y_std`, whatever the quality: the caller moves means and scales into
    quantisation steps.
    """

    def __init__(self, c: HyperConfig, last: bool) -> None:
        super().__init__()
        n, group = c.context_channels, c.latents // GROUPS
        self.bias = nn.Parameter(torch.zeros(n))
        hidden = round(c.context_expansion * n)
        self.blocks = nn.Sequential(*(BoundedBlock(n, hidden) for _ in range(c.context_blocks)))
        self.head = PhaseProduct(n, 2 * group, bias=True)
        # What is coded here, for the features of the steps to come.
        self.coded = None if last else PhaseProduct(group, n)
        self.magnitude = None if last else PhaseProduct(group, n)

    def contribution(self, unit: Tensor, v_hat: Tensor) -> Tensor:
        """What is added to u, [PHASES, B, h/2 * w/2, C], of the latents [..., M/4] coded here, in
        units of y_std and in quantisation steps."""
        assert self.coded is not None and self.magnitude is not None
        magnitude = self.bounded(magnitude_of(v_hat), 0)
        return cast(Tensor, self.coded(unit) + self.magnitude(magnitude))

    def forward(self, u: Tensor) -> tuple[Tensor, Tensor]:
        """u [B, h, w, C] -> mean and log scale [PHASES, B, h/2 * w/2, M/4], float32."""
        h = self.bounded(self.blocks(self.bounded(u + self.bias, 0)))
        mean, log_scale = self.head(split_phases(h)).float().chunk(2, dim=-1)
        return mean, log_scale


def magnitude_of(v: Tensor) -> Tensor:
    """ln(1 + |v|) of latents in quantisation steps: what says most about the scales around, and
    what few hidden units would make of the latents themselves."""
    return torch.log1p(v.abs())


def split_phases(x: Tensor) -> Tensor:
    """[B, h, w, C] -> [PHASES, B, h/2 * w/2, C], phases in the order of `coding_order`."""
    b, h, w, c = x.shape
    cells = x.view(b, h // 2, 2, w // 2, 2, c).permute(2, 4, 0, 1, 3, 5)
    return cells.reshape(PHASES, b, (h // 2) * (w // 2), c)


def join_phases(x: Tensor, height: int, width: int) -> Tensor:
    """The inverse of `split_phases`."""
    _, b, _, c = x.shape
    cells = x.view(2, 2, b, height // 2, width // 2, c).permute(2, 3, 0, 4, 1, 5)
    return cells.reshape(b, height, width, c)


def _step_order() -> list[int]:
    """Of each (step, phase), which (phase, group) is coded."""
    pairs = (coded_in_step(step) for step in range(STEPS))
    return [phase * GROUPS + group for step in pairs for phase, group in step]


_ORDER = _step_order()
_INVERSE = [_ORDER.index(i) for i in range(PHASES * GROUPS)]


class _Reordered(torch.autograd.Function):
    """x[order], of which indexing would make a sum in the backward pass."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, order: list[int], inverse: list[int]) -> Tensor:
        ctx.inverse = inverse
        return x[order]

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        return gradient[ctx.inverse], None, None


def to_steps(x: Tensor) -> Tensor:
    """[B, h, w, M] -> [steps, PHASES, B, h/2 * w/2, M/4], as they are coded."""
    phases = split_phases(x)
    parts = phases.unflatten(-1, (GROUPS, -1)).permute(0, 3, 1, 2, 4).flatten(0, 1)
    return _Reordered.apply(parts, _ORDER, _INVERSE).unflatten(0, (-1, PHASES))


def from_steps(x: Tensor, height: int, width: int) -> Tensor:
    """The inverse of `to_steps`."""
    parts = _Reordered.apply(x.flatten(0, 1), _INVERSE, _ORDER)
    parts = parts.unflatten(0, (PHASES, GROUPS)).permute(0, 2, 3, 1, 4)
    return join_phases(parts.flatten(-2), height, width)


def rows_to_steps(rows: Tensor) -> Tensor:
    """[B, 1, 1, M], the same at all places -> [steps, PHASES, B, 1, M/4]."""
    return to_steps(rows.expand(-1, 2, 2, -1))


class Coded(NamedTuple):
    """v_hat [B, h, w, M] in quantisation steps, and its bits [B]."""

    v_hat: Tensor
    bits: Tensor


class HyperModel(TransformModel):
    """The whole model in floating point: what is trained, and what export makes integers of."""

    config: HyperConfig

    def __init__(self, config: HyperConfig) -> None:
        super().__init__(config)
        self.h_a = HyperAnalysis(config)
        self.h_s = HyperSynthesis(config)
        last = PHASES - 1
        self.context = nn.ModuleList(ContextStep(config, s == last) for s in range(PHASES))
        self.scale_offset = LevelTable(config.anchors, config.latents)  # added to ln sigma
        self.z_mean = LevelTable(config.anchors, config.hyper_latents)
        self.z_log_scale = LevelTable(config.anchors, config.hyper_latents)

    def steps(self) -> list[ContextStep]:
        """The networks of the coding steps, in their order."""
        return [cast(ContextStep, network) for network in self.context]

    @torch.no_grad()
    def start_prior(self, y: Tensor) -> None:
        """Means and scales that do not yet look at z: those of the photographs' latents."""
        normal = y.unflatten(1, (GROUPS, self.config.latents // GROUPS))
        # Photographs' coefficients are peaked: their mean absolute value, not their standard
        # deviation, is the scale of the typical one.
        typical = (normal - normal.mean(0)).abs().mean(0).clamp_min(1e-3).log()
        bias = torch.cat([normal.mean(0), typical], dim=1)
        for number, step in enumerate(self.steps()):
            groups = [group for _, group in coded_in_step(number)]
            assert step.head.bias is not None
            step.head.bias.copy_(bias[groups])
            step.head.weight.mul_(0.1)

    def quantise(self) -> None:
        """From now on, round in the prior as its integers will."""
        for part in self.modules():
            if isinstance(part, Quantisable):
                part.quantised = True

    def forward(self, x: Tensor, level: Tensor) -> Output:
        """Pixels and context see rounded latents, with straight-through gradients.

        x: float [B, H, W, 3] in -1..1, H and W multiples of 64; level: float [B] in
        0..anchors - 1.
        """
        y = self.analyse(x, level)
        v = y * self.gain(level).exp()
        z = self.h_a(y / self.y_std, magnitude_of(v), level)
        z_mean = self.z_mean(level)
        z_scale = lower_bound(self.z_log_scale(level).exp(), SCALE_LOW)
        z_noisy = z + torch.rand_like(z) - 0.5
        z_bits = gaussian_bits(z_noisy, z_mean, z_scale).sum(dim=(1, 2, 3))
        z_hat = (z_mean + round_through(z - z_mean)).clamp(-_Z_BOUND, _Z_BOUND)
        coded = self.code(v, self.h_s(z_hat, level), level)
        return Output(self.synthesise(coded.v_hat, level), coded.bits + z_bits)

    def code(self, v: Tensor, psi: Tensor, level: Tensor) -> Coded:
        """Round v, [B, h, w, M] in quantisation steps, step by step, each from those before."""
        _, height, width, _ = v.shape
        scaling = self.y_std * self.gain(level).exp()
        steps_per_unit = rows_to_steps(scaling)
        offset = rows_to_steps(scaling.log() + self.scale_offset(level))
        wanted = to_steps(v)
        noise = torch.rand_like(wanted) - 0.5
        bits, coded, u = [], [], psi
        for step, network in enumerate(self.steps()):
            mean, log_scale = network(u)
            v_hat, step_bits = CodedLatents.apply(
                wanted[step],
                mean * steps_per_unit[step],
                log_scale + offset[step],
                noise[step],
            )
            coded.append(v_hat)
            bits.append(step_bits)
            if network.coded is not None:
                unit = (v_hat / steps_per_unit[step]).clamp(-_UNIT_BOUND, _UNIT_BOUND)
                u = u + join_phases(network.contribution(unit, v_hat), height, width)
        return Coded(from_steps(torch.stack(coded), height, width), torch.stack(bits).sum(0))
