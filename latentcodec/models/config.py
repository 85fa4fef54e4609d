"""What defines a model: sizes, and the quality scale."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from torch import Tensor

Level = TypeVar("Level", "float", "Tensor")  # of one sample, or of a batch


@dataclasses.dataclass(frozen=True)
class Config:
    """The quality scale. Configurations are stored as JSON in checkpoints and packaged weights."""

    anchors: int = 10  # rows of the tables over the scale
    lambda_low: float = 0.001
    lambda_high: float = 1.0

    def level_of(self, quality: float) -> float:
        """The position of a quality, 1 to 100, on the scale of the level tables."""
        return (quality - 1) / 99 * (self.anchors - 1)

    def lambda_of(self, level: Level) -> Level:
        """The Lagrangian multiplier (per squared error at 255 scale) of quality levels."""
        ratio = self.lambda_high / self.lambda_low
        return self.lambda_low * ratio ** (level / (self.anchors - 1))


@dataclasses.dataclass(frozen=True)
class TransformConfig(Config):
    """Sizes of g_a and g_s: all that the `ae` and `vae` families have."""

    channels_8: int = 128  # width at 1/8 resolution
    channels_16: int = 256  # width at 1/16 resolution
    blocks_8: int = 4  # of g_a
    blocks_16: int = 2
    synthesis_blocks_8: int = 5  # of g_s
    synthesis_blocks_16: int = 2
    kernel: int = 3  # side of the depthwise filters of g_a and g_s
    # Hidden units of g_s's blocks, over their channels; those of g_a, which costs the decoder
    # nothing, have twice as many.
    expansion_8: float = 2
    expansion_16: float = 2
    activation: str = "relu"  # of the blocks of g_a and g_s: "relu" or "hardswish"
    block_biases: bool = True  # whether a block has more than the bias before its activation
    latents: int = 384  # channels of y
    lapped: bool = False  # whether blocks overlap: see `models/lapped.py`

    @property
    def analysis_halo(self) -> int:
        """How far, in latent positions, a latent sees beside its own pixels."""
        return self._halo(self.blocks_8, self.blocks_16)

    @property
    def synthesis_halo(self) -> int:
        """How far, in latent positions, a pixel sees beside its own latents."""
        return self._halo(self.synthesis_blocks_8, self.synthesis_blocks_16)

    def _halo(self, blocks_8: int, blocks_16: int) -> int:
        reach = self.kernel // 2
        return max(reach * blocks_16 + math.ceil(reach * blocks_8 / 2), int(self.lapped))


@dataclasses.dataclass(frozen=True)
class HyperConfig(TransformConfig):
    """Sizes of the `hyper` family."""

    hyper_latents: int = 96  # channels of z
    hyper_channels: int = 192
    context_channels: int = 160
    context_blocks: int = 1
    context_expansion: float = 2


@dataclasses.dataclass(frozen=True)
class DenseConfig(Config):
    """Sizes of the `vae64` family, and its only multiplier."""

    lambda_low: float = 0.0001
    lambda_high: float = 0.0001
    channels_fine: int = 64
    channels_coarse: int = 128
    blocks: int = 2  # at each resolution
    latents: int = 128  # entries of z
