"""The packaged `vae` model at work: coding as in `ae`, and its posterior and prior."""

from __future__ import annotations

import numpy as np

from latentcodec.models.config import TransformConfig
from latentcodec.runtime.factorized import FactorizedFamily
from latentcodec.runtime.networks import Networks


class VaeFamily(FactorizedFamily):
    """`unit_steps` are in units of the prior N(0, I)."""

    # Its synthesis is used to noise that prefers no side, so smaller symbols have to save more than
    # elsewhere (docs/training.md).
    error_bits = 60

    def __init__(
        self, tensors: dict[str, np.ndarray], config: TransformConfig, networks: Networks
    ) -> None:
        """As for `FactorizedFamily`."""
        super().__init__(tensors, config, networks)
        self._step_rows = tensors["float.log_step.rows"]

    def unit_steps(self, tenths: int) -> np.ndarray:
        return np.exp(self.row(self._step_rows, tenths))

    def draw(self, random: np.random.Generator, tenths: int, height: int, width: int) -> np.ndarray:
        """z ~ N(0, I), float32 [h, w, M]."""
        return random.standard_normal((height, width, self.config.latents), dtype=np.float32)
