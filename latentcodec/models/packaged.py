"""What of each model is packaged in floating point: the `float.*` tensors of a weights file."""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import Tensor, nn

from latentcodec.models.config import HyperConfig, TransformConfig
from latentcodec.models.hyper import HyperAnalysis
from latentcodec.models.layers import LevelTable
from latentcodec.models.transforms import Analysis, Synthesis

NetT = TypeVar("NetT", bound=nn.Module)


def set_precision(transform: NetT, dtype: torch.dtype) -> NetT:
    """Give g_a, g_s or h_a layers of `dtype`, but for the shortcut and the level tables.

    Features have the precision of the layers; pixels and latents are float32 all the same.
    """
    for name, layer in transform.named_modules():
        if isinstance(layer, nn.Linear | nn.Conv2d) and name != "shortcut":
            layer.to(dtype)
    return transform


class Transforms(nn.Module):
    """Those of every codec: transforms and gains."""

    y_std: Tensor

    def __init__(self, config: TransformConfig) -> None:
        super().__init__()
        self.g_a = Analysis(config)
        self.g_s = Synthesis(config)
        self.gain = LevelTable(config.anchors, config.latents)
        self.inverse_gain = LevelTable(config.anchors, config.latents)
        self.register_buffer("y_std", torch.empty(config.latents))


class HyperTransforms(Transforms):
    """The prior is in integers, but for h_a, which only the encoder needs."""

    def __init__(self, config: HyperConfig) -> None:
        super().__init__(config)
        self.h_a = HyperAnalysis(config)


class VaeTransforms(Transforms):
    """With the posterior's width and the quantisation steps that follow from it."""

    def __init__(self, config: TransformConfig) -> None:
        super().__init__(config)
        self.log_sigma = LevelTable(config.anchors, config.latents)
        self.sigma_head = nn.Linear(config.channels_16, config.latents)
        # ln of the quantisation step in units of the prior: sqrt(12) posterior sigmas.
        self.log_step = LevelTable(config.anchors, config.latents)
