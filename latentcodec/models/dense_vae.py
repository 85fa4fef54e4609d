"""The `vae64` family: a variational autoencoder of whole small pictures, one vector for each.

    x --encoder--> mu, ln sigma [L];  z = mu + sigma * eps;  z --decoder--> x_hat

Kingma and Welling 2014. Where `vae` has a grid of latents that are independent under its prior,
and so no picture as a whole, every entry of this vector can speak of the whole picture. It
draws and mixes pictures; it is no codec.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from latentcodec.models.config import DenseConfig
from latentcodec.models.layers import depth_to_space, residual_blocks, space_to_depth
from latentcodec.models.transforms import Output
from latentcodec.models.vae import LOG_SIGMA_RANGE, kl_bits

_PATCH_PX = 4  # the encoder's first cells; the decoder's last ones are of half the side
_CELLS = 4  # side of the grid that the vector is read from and written to
SIDE_PX = 64  # of the pictures


class Encoder(nn.Module):
    """x [B, 64, 64, 3] in -1..1 -> mu and ln sigma, [B, L] each."""

    def __init__(self, c: DenseConfig) -> None:
        super().__init__()
        fine, coarse = c.channels_fine, c.channels_coarse
        self.stem = nn.Linear(3 * _PATCH_PX**2, fine)
        self.blocks_16 = residual_blocks(fine, c.blocks)
        self.down_8 = nn.Linear(4 * fine, coarse)
        self.blocks_8 = residual_blocks(coarse, c.blocks)
        self.down_4 = nn.Linear(4 * coarse, coarse)
        self.blocks_4 = residual_blocks(coarse, c.blocks)
        self.head = nn.Linear(_CELLS**2 * coarse, 2 * c.latents)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h = self.blocks_16(self.stem(space_to_depth(x, _PATCH_PX)))
        h = self.blocks_8(self.down_8(space_to_depth(h, 2)))
        h = self.blocks_4(self.down_4(space_to_depth(h, 2)))
        mean, log_sigma = self.head(h.flatten(1)).float().chunk(2, dim=1)
        return mean, log_sigma.clamp(*LOG_SIGMA_RANGE)


class Decoder(nn.Module):
    """z [B, L] -> pixels [B, 64, 64, 3] around -1..1 (not clamped)."""

    def __init__(self, c: DenseConfig) -> None:
        super().__init__()
        fine, coarse = c.channels_fine, c.channels_coarse
        self.stem = nn.Linear(c.latents, _CELLS**2 * coarse)
        self.blocks_4 = residual_blocks(coarse, c.blocks)
        self.up_8 = nn.Linear(coarse, 4 * coarse)
        self.blocks_8 = residual_blocks(coarse, c.blocks)
        self.up_16 = nn.Linear(coarse, 4 * fine)
        self.blocks_16 = residual_blocks(fine, c.blocks)
        self.up_32 = nn.Linear(fine, 2 * fine)
        self.blocks_32 = residual_blocks(fine // 2, 1)
        self.head = nn.Linear(fine // 2, 3 * (_PATCH_PX // 2) ** 2)

    def forward(self, z: Tensor) -> Tensor:
        h = self.blocks_4(self.stem(z).unflatten(1, (_CELLS, _CELLS, -1)))
        h = self.blocks_8(depth_to_space(self.up_8(h), 2))
        h = self.blocks_16(depth_to_space(self.up_16(h), 2))
        h = self.blocks_32(depth_to_space(self.up_32(h), 2))
        return depth_to_space(self.head(h).float(), _PATCH_PX // 2)


class DenseVae(nn.Module):
    """Trained as `vae` is, with one trade-off instead of a quality scale."""

    def __init__(self, config: DenseConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)

    @torch.no_grad()
    def start(self, x: Tensor) -> None:
        """Start from the mean picture of photographs x [B, 64, 64, 3]."""
        colour = x.mean(dim=(0, 1, 2))
        self.decoder.head.bias.copy_(colour.repeat((_PATCH_PX // 2) ** 2))

    def forward(self, x: Tensor, level: Tensor) -> Output:
        """`level` is not looked at: there is one trade-off."""
        mean, log_sigma = self.encoder(x)
        z = mean + log_sigma.exp() * torch.randn_like(mean)
        return Output(self.decoder(z), kl_bits(mean, log_sigma).sum(dim=1))
