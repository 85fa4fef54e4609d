"""What defines a model: sizes, and the quality scale."""

from __future__ import annotations

import dataclasses
import math


@dataclasses.dataclass(frozen=True)
class HyperConfig:
    """Sizes of the `hyper` family; stored as JSON in checkpoints and packaged weights."""

    channels_8: int = 128  # width at 1/8 resolution
    channels_16: int = 256  # width at 1/16 resolution
    blocks_8: int = 4
    blocks_16: int = 2
    latents: int = 384  # channels of y
    hyper_latents: int = 96  # channels of z
    hyper_channels: int = 192
    context_channels: int = 160
    steps: int = 4  # coding steps: 2 (checkerboard) or 4
    anchors: int = 10
    lambda_low: float = 0.001
    lambda_high: float = 1.0

    def lambda_of(self, level: float) -> float:
        """The Lagrangian multiplier (per squared error at 255 scale) of a quality level."""
        share = level / (self.anchors - 1)
        return math.exp(
            math.log(self.lambda_low) * (1 - share) + math.log(self.lambda_high) * share
        )


CONFIGS = {
    "base": HyperConfig(),
    # For rehearsals and tests: the same code in seconds.
    "small": HyperConfig(
        channels_8=32,
        channels_16=48,
        blocks_8=1,
        blocks_16=1,
        latents=192,
        hyper_latents=16,
        hyper_channels=32,
        context_channels=32,
    ),
}
