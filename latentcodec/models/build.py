"""The model classes, by family."""

from __future__ import annotations

from typing import Any

from latentcodec.models.autoencoder import Autoencoder
from latentcodec.models.config import Config
from latentcodec.models.dense_vae import DenseVae
from latentcodec.models.hyper import HyperModel
from latentcodec.models.vae import VariationalAutoencoder

_MODEL_OF: dict[str, Any] = {
    "hyper": HyperModel,
    "ae": Autoencoder,
    "vae": VariationalAutoencoder,
    "vae64": DenseVae,
}


def build(family: str, config: Config) -> Any:
    """An untrained model: a Module with `config`, `start(photographs)` and
    `forward(x, level) -> Output`.
    """
    return _MODEL_OF[family](config)
