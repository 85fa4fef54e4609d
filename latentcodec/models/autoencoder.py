"""The `ae` family: a deterministic autoencoder with a learned factorized density per channel.

    x --g_a--> y --gain--> v --Q--> v_hat --1/gain--> y_hat --g_s--> x_hat
                                ^  p(v), one density per channel

Factorized model: Balle et al. 2018, "Variational Image Compression with a Scale Hyperprior",
section 6.1; gains: `LevelTable`.
"""

from __future__ import annotations

import copy
import itertools
import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from latentcodec.models.config import TransformConfig
from latentcodec.models.layers import LevelTable, round_through
from latentcodec.models.transforms import Output, TransformModel

_WIDTHS = (1, 3, 3, 3, 1)
_INIT_SCALE = 4.0  # spread of the densities before training, in typical latents
_LEAST_LIKELIHOOD = 1e-9


class FactorizedDensity(nn.Module):
    """One monotone network per channel, from a value to the logit of its cumulative density.

    Balle et al. 2018, section 6.1: layers softplus(H) x + b, each but the last followed by
    x + tanh(a) tanh(x). Inputs are in typical latents: `width` of the quality level is what one
    quantisation step is worth there.
    """

    def __init__(self, anchors: int, channels: int) -> None:
        super().__init__()
        self.log_width = LevelTable(anchors, channels)
        growth = _INIT_SCALE ** (1 / (len(_WIDTHS) - 1))
        self.matrices = nn.ParameterList()
        self.biases = nn.ParameterList()
        self.gates = nn.ParameterList()
        for inputs, outputs in itertools.pairwise(_WIDTHS):
            start = math.log(math.expm1(1 / growth / outputs))
            self.matrices.append(nn.Parameter(torch.full((channels, outputs, inputs), start)))
            self.biases.append(nn.Parameter(torch.rand(channels, outputs, 1) - 0.5))
            self.gates.append(nn.Parameter(torch.zeros(channels, outputs, 1)))

    def logits(self, values: Tensor) -> Tensor:
        """values, float [C, n] -> logits of the cumulative density, [C, n]."""
        h = values.unsqueeze(1)
        last = len(self.matrices) - 1
        for i, (matrix, bias) in enumerate(zip(self.matrices, self.biases, strict=True)):
            h = torch.baddbmm(bias, functional.softplus(matrix), h)
            if i < last:
                h = h + torch.tanh(self.gates[i]) * torch.tanh(h)
        return h.squeeze(1)

    def likelihood(self, v: Tensor, level: Tensor) -> Tensor:
        """Probability of the unit-wide bin around v: float [B, h, w, C], v in steps."""
        width = self.log_width(level).exp()
        with torch.autocast(v.device.type, enabled=False):
            edges = torch.stack([(v - 0.5) * width, (v + 0.5) * width])
            logits = self.logits(edges.movedim(-1, 0).flatten(1))
            lower, upper = logits.unflatten(1, edges.shape[:-1]).movedim(0, -1).unbind(0)
            # On the side where the two sigmoids are small, their difference is exact.
            sign = -torch.sign(lower + upper).detach()
            return (torch.sigmoid(sign * upper) - torch.sigmoid(sign * lower)).abs()

    @torch.no_grad()
    def bin_masses(self, level: Tensor, low: int, high: int) -> Tensor:
        """Of every channel at one level: the probabilities below `low`, of low..high, above.

        float64 [C, high - low + 3].
        """
        edges = torch.arange(low, high + 2, dtype=torch.float64) - 0.5
        width = self.log_width(level).double().exp()[0, 0, 0, :, None]
        below = torch.sigmoid(copy.deepcopy(self).double().logits(width * edges))
        ends = below.new_zeros(below.shape[0], 1), below.new_ones(below.shape[0], 1)
        return torch.diff(torch.cat([ends[0], below, ends[1]], dim=1), dim=1)


class Autoencoder(TransformModel):
    """z = f(x) here is v; the loss is the squared error plus the rate under the densities."""

    def __init__(self, config: TransformConfig) -> None:
        super().__init__(config)
        self.density = FactorizedDensity(config.anchors, config.latents)

    @torch.no_grad()
    def start_prior(self, y: Tensor) -> None:
        typical = y.abs().mean(0).clamp_min(1e-3) * self.y_std
        self.density.log_width.rows.copy_(-(self.gain.rows + typical.log()))

    def forward(self, x: Tensor, level: Tensor) -> Output:
        """Rate from additive uniform noise, pixels from straight-through rounding.

        x: float [B, H, W, 3] in -1..1, H and W multiples of 16; level: float [B] in
        0..anchors - 1.
        """
        v = self.analyse(x, level) * self.gain(level).exp()
        likelihood = self.density.likelihood(v + torch.rand_like(v) - 0.5, level)
        bits = -torch.log2(likelihood.clamp_min(_LEAST_LIKELIHOOD)).sum(dim=(1, 2, 3))
        return Output(self.synthesise(round_through(v), level), bits)
