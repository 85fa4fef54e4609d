"""The model classes, by family."""

from __future__ import annotations

from typing import Any

from latentcodec.models.autoencoder import Autoencoder
from latentcodec.models.config import TransformConfig
from latentcodec.models.hyper import HyperModel
from latentcodec.models.transforms import TransformModel
from latentcodec.models.vae import VariationalAutoencoder

_MODEL_OF: dict[str, Any] = {
    "hyper": HyperModel,
    "ae": Autoencoder,
    "vae": VariationalAutoencoder,
}


def build(family: str, config: TransformConfig) -> TransformModel:
    """An untrained model."""
    return _MODEL_OF[family](config)
