"""From the bytes of a weights file to the working model of its family."""

from __future__ import annotations

from typing import Any

from latentcodec.errors import CorruptWeights
from latentcodec.models.config import config_of
from latentcodec.runtime import tensor_file
from latentcodec.runtime.base import Family
from latentcodec.runtime.dense_vae import DenseVaeFamily
from latentcodec.runtime.factorized import FactorizedFamily
from latentcodec.runtime.hyper import HyperFamily
from latentcodec.runtime.vae import VaeFamily

_FAMILY_OF: dict[str, Any] = {
    "hyper": HyperFamily,
    "ae": FactorizedFamily,
    "vae": VaeFamily,
    "vae64": DenseVaeFamily,
}


def load(weights: bytes) -> Family | DenseVaeFamily:
    """The model in a safetensors file that `training.export` wrote.

    Raises CorruptWeights for anything else.
    """
    try:
        tensors, description = tensor_file.unpack(weights)
        family = description["family"]
        return _FAMILY_OF[family](tensors, config_of(family, description["config"]))
    except (KeyError, TypeError, ValueError, RuntimeError, IndexError) as error:
        raise CorruptWeights(f"the weights cannot be loaded: {error}") from error
