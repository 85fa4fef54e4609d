"""The packaged `vae` model at work: coding as in `ae`, and its posterior and prior."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from latentcodec.entropy.tables import MEAN_BITS
from latentcodec.families.factorized import FactorizedFamily
from latentcodec.families.family import Transforms
from latentcodec.models.config import TransformConfig
from latentcodec.models.layers import LevelTable


class _Transforms(Transforms):
    def __init__(self, config: TransformConfig) -> None:
        super().__init__(config)
        self.log_sigma = LevelTable(config.anchors, config.latents)
        self.sigma_head = nn.Linear(config.channels_16, config.latents)
        # ln of the quantisation step in units of the prior: sqrt(12) posterior sigmas.
        self.log_step = LevelTable(config.anchors, config.latents)


class VaeFamily(FactorizedFamily):
    """`unit_steps` are in units of the prior N(0, I)."""

    transforms = _Transforms
    net: _Transforms

    @torch.inference_mode()
    def unit_steps(self, tenths: int) -> np.ndarray:
        return self.net.log_step(self.level(tenths)).exp()[0, 0, 0].numpy()

    @torch.inference_mode()
    def posterior(self, pixels: np.ndarray, tenths: int) -> tuple[np.ndarray, np.ndarray]:
        """Mean and ln sigma of q(z | x), float32 [h, w, M] each, for uint8 pixels [H, W, 3].

        H and W are multiples of 16.
        """
        level = self.level(tenths)
        mean = self.steps_of(self.analyse(pixels, tenths), tenths) * self.unit_steps(tenths)
        x = torch.from_numpy(pixels.astype(np.float32)).div_(127.5).sub_(1).unsqueeze(0)
        log_sigma = self.net.log_sigma(level) + self.net.sigma_head(self.net.g_a.features(x, level))
        return mean, log_sigma[0].numpy()

    def prior_latents(
        self, random: np.random.Generator, tenths: int, height: int, width: int
    ) -> np.ndarray:
        """z ~ N(0, I) as `synthesise` takes it: float32 [h, w, M] in 1/16 steps."""
        z = random.standard_normal((height, width, self.config.latents), dtype=np.float32)
        return z / self.unit_steps(tenths) * (1 << MEAN_BITS)
