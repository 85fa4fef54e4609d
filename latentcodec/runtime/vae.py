"""The packaged `vae` model at work: coding as in `ae`, and its posterior and prior."""

from __future__ import annotations

import numpy as np
import torch

from latentcodec.models.packaged import VaeTransforms
from latentcodec.models.vae import LOG_SIGMA_RANGE
from latentcodec.runtime.base import to_network
from latentcodec.runtime.factorized import FactorizedFamily


class VaeFamily(FactorizedFamily):
    """`unit_steps` are in units of the prior N(0, I)."""

    transforms = VaeTransforms
    # Its synthesis is used to noise that prefers no side, so smaller symbols have to save more than
    # elsewhere (docs/training.md).
    error_bits = 60
    net: VaeTransforms

    @torch.inference_mode()
    def unit_steps(self, tenths: int) -> np.ndarray:
        return self.net.log_step(self.level(tenths)).exp()[0, 0, 0].numpy()

    @torch.inference_mode()
    def posterior(self, pixels: np.ndarray, tenths: int) -> tuple[np.ndarray, np.ndarray]:
        """Mean and ln sigma of q(z | x), float32 [h, w, M] each, of uint8 [16 h, 16 w, 3]."""
        x, level, net = to_network(pixels), self.level(tenths), self.net
        features = net.g_a.features(x, level)
        y = net.g_a.latents(net.g_a.linear(x), features, net.y_std)[0].numpy()
        mean = self.steps_of(y, tenths)
        log_sigma = net.log_sigma(level) + net.sigma_head(features)
        return mean * self.unit_steps(tenths), log_sigma.clamp(*LOG_SIGMA_RANGE)[0].numpy()

    def draw(self, random: np.random.Generator, tenths: int, height: int, width: int) -> np.ndarray:
        """z ~ N(0, I), float32 [h, w, M]."""
        return random.standard_normal((height, width, self.config.latents), dtype=np.float32)
