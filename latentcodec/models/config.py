"""What defines a model: sizes, and the quality scale."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, TypeVar

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


@dataclasses.dataclass(frozen=True)
class HyperConfig(TransformConfig):
    """Sizes of the `hyper` family."""

    hyper_latents: int = 96  # channels of z
    hyper_channels: int = 192
    context_channels: int = 160
    context_blocks: int = 1
    context_expansion: float = 2
    steps: int = 4  # coding steps: 2 (checkerboard) or 4


@dataclasses.dataclass(frozen=True)
class DenseConfig(Config):
    """Sizes of the `vae64` family, and its only multiplier."""

    lambda_low: float = 0.0001
    lambda_high: float = 0.0001
    channels_fine: int = 64
    channels_coarse: int = 128
    blocks: int = 2  # at each resolution
    latents: int = 128  # entries of z


_CONFIG_OF: dict[str, type[Config]] = {
    "hyper": HyperConfig,
    "ae": TransformConfig,
    "vae": TransformConfig,
    "vae64": DenseConfig,
}
FAMILIES = tuple(_CONFIG_OF)
# "small" is for rehearsals and tests: the same code in seconds.
_SIZES: dict[str, dict[str, Any]] = {
    "base": {"expansion_8": 1.75, "expansion_16": 1},
    "small": {
        "channels_8": 32,
        "channels_16": 48,
        "blocks_8": 1,
        "blocks_16": 1,
        "synthesis_blocks_8": 2,
        "synthesis_blocks_16": 1,
        "latents": 192,
        "hyper_latents": 16,
        "hyper_channels": 32,
        "context_channels": 32,
        "channels_fine": 16,
        "channels_coarse": 24,
        "blocks": 1,
    },
}
_HYPER_SIZES: dict[str, dict[str, Any]] = {
    "base": {
        "channels_16": 320,
        "blocks_16": 4,
        "synthesis_blocks_8": 4,
        "synthesis_blocks_16": 4,
        "expansion_8": 2,
        "expansion_16": 1.5,
        "activation": "hardswish",
        "block_biases": False,
        "latents": 512,
        "context_channels": 192,
        "context_blocks": 3,
        "context_expansion": 1.5,
    },
    "small": {"activation": "hardswish", "block_biases": False, "context_blocks": 2},
}
SIZES = tuple(_SIZES)


def config_of(family: str, values: dict[str, Any]) -> Config:
    """The configuration of a family from stored values. Raises TypeError for unknown ones."""
    return _CONFIG_OF[family](**values)


def sized(family: str, size: str) -> Config:
    """The configuration of one of SIZES."""
    known = {field.name for field in dataclasses.fields(_CONFIG_OF[family])}
    sizes = _SIZES[size] | (_HYPER_SIZES[size] if family == "hyper" else {})
    return config_of(family, {k: v for k, v in sizes.items() if k in known})
