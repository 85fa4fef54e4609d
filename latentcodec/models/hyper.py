"""The `hyper` family: a hierarchical VAE with conditional Gaussians, for the whole quality range.

    x --g_a--> y --gain--> v --Q--> v_hat --1/gain--> y_hat --g_s--> x_hat
               |               ^  N(mu, sigma)
               h_a             |
               v               |
               z --Q--> z_hat --h_s--> psi --context (from the v_hat already coded)

Mean-scale hyperprior: Minnen et al. 2018, "Joint Autoregressive and Hierarchical Priors for
Learned Image Compression"; coding order: `coding_order.py`; gains: `LevelTable`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from latentcodec.entropy.coding_order import GROUPS, PHASES, coded_in_step
from latentcodec.entropy.tables import SCALE_LOW
from latentcodec.models.config import HyperConfig
from latentcodec.models.layers import (
    LevelTable,
    ResidualBlock,
    depth_to_space,
    gaussian_bits,
    lower_bound,
    round_for_rate,
    round_through,
    space_to_depth,
)
from latentcodec.models.transforms import Output, TransformModel


class HyperAnalysis(nn.Module):
    """h_a: normalised y [B, h, w, M] -> z [B, h/4, w/4, Z]; h and w multiples of 4."""

    def __init__(self, c: HyperConfig) -> None:
        super().__init__()
        n = c.hyper_channels
        self.stem = nn.Linear(c.latents, n)
        self.level = LevelTable(c.anchors, n)
        self.block_16 = ResidualBlock(n)
        self.down_32 = nn.Linear(4 * n, n)
        self.block_32 = ResidualBlock(n)
        self.down_64 = nn.Linear(4 * n, c.hyper_latents)

    def forward(self, y: Tensor, level: Tensor) -> Tensor:
        h = functional.relu(self.stem(y) + self.level(level))
        h = self.down_32(space_to_depth(self.block_16(h), 2))
        h = self.down_64(space_to_depth(self.block_32(functional.relu(h)), 2))
        return h.float()


class HyperSynthesis(nn.Module):
    """h_s: z_hat [B, h/4, w/4, Z] -> psi [B, h, w, context channels]."""

    def __init__(self, c: HyperConfig) -> None:
        super().__init__()
        n = c.hyper_channels
        self.up_32 = nn.Linear(c.hyper_latents, 4 * n)
        self.level = LevelTable(c.anchors, 4 * n)
        self.block = ResidualBlock(n)
        self.up_16 = nn.Linear(n, 4 * c.context_channels)

    def forward(self, z_hat: Tensor, level: Tensor) -> Tensor:
        h = depth_to_space(functional.relu(self.up_32(z_hat) + self.level(level)), 2)
        return depth_to_space(self.up_16(self.block(h)), 2)


class Context(nn.Module):
    """From psi and the latents already coded to the mean and log scale of the next ones.

    Everything here is in units of `y_std`, whatever the quality: the caller moves means and
    scales into quantisation steps.
    """

    def __init__(self, c: HyperConfig) -> None:
        super().__init__()
        self.coded = nn.Linear(c.latents, c.context_channels, bias=False)
        self.step_bias = nn.Parameter(torch.zeros(c.steps, c.context_channels))
        self.block = ResidualBlock(c.context_channels, expansion=c.context_expansion)
        self.head = nn.Linear(c.context_channels, 2 * c.latents)

    def contribution(self, y_hat: Tensor, group: int) -> Tensor:
        """What the newly coded channel group [..., M/4] adds to the features [..., C]."""
        width = self.coded.in_features // GROUPS
        return functional.linear(y_hat, self.coded.weight[:, group * width : (group + 1) * width])

    def features(self, u: Tensor, step: int) -> Tensor:
        return self.block(functional.relu(u + self.step_bias[step]))

    def parameters_of(self, h: Tensor, group: int) -> tuple[Tensor, Tensor]:
        """Mean and log scale [..., M/4] of a channel group from the features [..., C]."""
        width = self.head.out_features // GROUPS
        rows = slice(group * width, (group + 1) * width)
        out = functional.linear(h, self.head.weight[rows], self.head.bias[rows]).float()
        mean, log_scale = out.chunk(2, dim=-1)
        return mean, log_scale


def split_phases(x: Tensor) -> list[Tensor]:
    """[B, h, w, C] -> the four phases [B, h/2, w/2, C], in the order of `coding_order`."""
    return [x[:, p // 2 :: 2, p % 2 :: 2] for p in range(PHASES)]


def join_phases(parts: list[Tensor]) -> Tensor:
    """The inverse of `split_phases` (even h and w)."""
    return depth_to_space(torch.cat(parts, dim=-1), 2)


class HyperModel(TransformModel):
    """The whole model in floating point: what is trained, and what export makes integers of."""

    config: HyperConfig

    def __init__(self, config: HyperConfig) -> None:
        super().__init__(config)
        self.h_a = HyperAnalysis(config)
        self.h_s = HyperSynthesis(config)
        self.context = Context(config)
        self.scale_offset = LevelTable(config.anchors, config.latents)  # added to ln sigma
        self.z_mean = LevelTable(config.anchors, config.hyper_latents)
        self.z_log_scale = LevelTable(config.anchors, config.hyper_latents)

    @torch.no_grad()
    def start_prior(self, y: Tensor) -> None:
        """Means and scales that do not yet look at z: those of the photographs' latents."""
        normal = y.unflatten(1, (GROUPS, self.config.latents // GROUPS))
        # Photographs' coefficients are peaked: their mean absolute value, not their standard
        # deviation, is the scale of the typical one.
        typical = (normal - normal.mean(0)).abs().mean(0).clamp_min(1e-3).log()
        self.context.head.bias.copy_(torch.cat([normal.mean(0), typical], dim=1).flatten())
        self.context.head.weight.mul_(0.1)

    def forward(self, x: Tensor, level: Tensor) -> Output:
        """Pixels and context see rounded latents, with straight-through gradients.

        x: float [B, H, W, 3] in -1..1, H and W multiples of 64; level: float [B] in
        0..anchors - 1.
        """
        y = self.analyse(x, level)
        z = self.h_a(y / self.y_std, level)
        z_mean = self.z_mean(level)
        z_scale = lower_bound(self.z_log_scale(level).exp(), SCALE_LOW)
        z_noisy = z + torch.rand_like(z) - 0.5
        z_bits = gaussian_bits(z_noisy, z_mean, z_scale).sum(dim=(1, 2, 3))
        z_hat = z_mean + round_through(z - z_mean)
        v = y * self.gain(level).exp()
        mean, scale, v_hat = self.predict(v, self.h_s(z_hat, level), level)
        y_bits = self.latent_bits(v, v_hat, mean, scale).sum(dim=(1, 2, 3))
        return Output(self.synthesise(v_hat, level), y_bits + z_bits)

    def latent_bits(self, v: Tensor, v_hat: Tensor, mean: Tensor, scale: Tensor) -> Tensor:
        """Bits of each latent: those of the rounded one, which train the scale.

        A rounded latent tells neither its mean nor itself where to go: these two follow the rate
        under additive uniform noise (Balle et al. 2018).
        """
        noisy = gaussian_bits(v + torch.rand_like(v) - 0.5, mean, scale.detach())
        coded = gaussian_bits((v_hat - mean).detach(), torch.zeros_like(mean), scale)
        return coded + noisy - noisy.detach()

    def predict(self, v: Tensor, psi: Tensor, level: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Mean, scale and v_hat (all [B, h, w, M], in quantisation steps), step by step."""
        steps_per_unit = self.y_std * self.gain(level).exp()
        log_scale_offset = steps_per_unit.log() + self.scale_offset(level)
        groups = [t.chunk(GROUPS, dim=-1) for t in (steps_per_unit, log_scale_offset)]
        wanted = [part.chunk(GROUPS, dim=-1) for part in split_phases(v)]
        coded: dict[tuple[int, int], tuple[Tensor, Tensor, Tensor]] = {}
        u = psi
        for step in range(self.config.steps):
            features = split_phases(self.context.features(u, step))
            added: list[list[Tensor]] = [[] for _ in range(PHASES)]
            for phase, group in coded_in_step(step, self.config.steps):
                mean, log_scale = self.context.parameters_of(features[phase], group)
                mean = mean * groups[0][group]
                scale = lower_bound((log_scale + groups[1][group]).exp(), SCALE_LOW)
                v_hat = mean + round_for_rate(wanted[phase][group] - mean, scale)
                coded[phase, group] = mean, scale, v_hat
                added[phase].append(self.context.contribution(v_hat / groups[0][group], group))
            if step + 1 < self.config.steps:
                u = u + join_phases([torch.stack(a).sum(0) for a in added])
        whole = [
            [torch.cat([coded[p, g][i] for g in range(GROUPS)], dim=-1) for p in range(PHASES)]
            for i in range(3)
        ]
        mean, scale, v_hat = (join_phases(parts) for parts in whole)
        return mean, scale, v_hat
