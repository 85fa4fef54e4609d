"""Weights files of small models, as drawn and not trained: enough to compare runtimes with."""

from __future__ import annotations

import dataclasses

import torch

from latentcodec.models.autoencoder import Autoencoder
from latentcodec.models.config import HyperConfig, TransformConfig
from latentcodec.models.families import sized
from latentcodec.models.hyper import HyperModel
from latentcodec.models.transforms import TransformModel
from latentcodec.training import tensor_file
from latentcodec.training.export import _float_tensors
from latentcodec.training.integer_prior import integer_prior
from latentcodec.training.tables import density_tables


def weights_of(family: str, kernel: int = 3) -> bytes:
    """A weights file of a small `hyper` or `ae`; nothing in it is zero."""
    torch.manual_seed(5)
    config = dataclasses.replace(sized(family, "small"), kernel=kernel)  # type: ignore[call-arg]
    model: TransformModel
    if isinstance(config, HyperConfig):
        model = HyperModel(config)
    else:
        assert isinstance(config, TransformConfig)
        model = Autoencoder(config)
    _fill(model)
    if isinstance(model, HyperModel):
        tensors = _float_tensors(model) | integer_prior(model)
    else:
        assert isinstance(model, Autoencoder)
        tensors = _float_tensors(model) | density_tables(model)
    description = {"family": family, "config": dataclasses.asdict(config), "trained": {}}
    return tensor_file.pack(tensors, description)


@torch.no_grad()
def _fill(model: TransformModel) -> None:
    """A DCT codec whose networks have something to say, too."""
    smooth = torch.nn.functional.interpolate(torch.rand(4, 3, 16, 16), size=128, mode="bicubic")
    model.start(smooth.permute(0, 2, 3, 1) * 2 - 1)
    for name, parameter in model.named_parameters():
        if "level" in name or name.startswith(("inverse_gain", "scale_offset", "z_")):
            parameter.normal_(0, 0.1)
        elif name.endswith("bias"):
            parameter.add_(torch.randn_like(parameter), alpha=0.05)
        elif name.endswith("head.weight"):
            parameter.normal_(0, 0.05)
        elif name.endswith("prefilter"):
            parameter.add_(torch.randn_like(parameter), alpha=0.03)
