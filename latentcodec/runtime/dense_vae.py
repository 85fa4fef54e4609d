"""The packaged `vae64` model at work: whole small pictures as one vector."""

from __future__ import annotations

import numpy as np
import torch

from latentcodec.models.config import DenseConfig
from latentcodec.models.dense_vae import SIDE_PX, DenseVae
from latentcodec.runtime.torch_networks import to_network, to_uint8, weights_into


class DenseVaeFamily:
    """Draws, embeds and renders pictures of 64 x 64 px; it is no codec."""

    side_px = SIDE_PX

    def __init__(self, tensors: dict[str, np.ndarray], config: DenseConfig) -> None:
        """`tensors`: those of a weights file. Raises KeyError or RuntimeError for others."""
        self.config = config
        with torch.device("meta"):
            net = DenseVae(config)
        self._net = weights_into(net, tensors)

    def draw(self, random: np.random.Generator, tenths: int, height: int, width: int) -> np.ndarray:
        """z ~ N(0, I), float32 [L]; there is one quality and one size."""
        return random.standard_normal(self.config.latents, dtype=np.float32)

    @torch.inference_mode()
    def embed(self, pixels: np.ndarray, tenths: int) -> np.ndarray:
        """The posterior's mean of a picture, uint8 [64, 64, 3]: float32 [L]."""
        return self._net.encoder(to_network(pixels))[0][0].numpy()

    @torch.inference_mode()
    def render(self, z: np.ndarray, tenths: int) -> np.ndarray:
        """The picture of a vector [L]: uint8 [64, 64, 3]."""
        return to_uint8(self._net.decoder(torch.from_numpy(z).float().unsqueeze(0)))
