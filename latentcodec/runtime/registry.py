"""From the bytes of a weights file to the working model of its family."""

from __future__ import annotations

from typing import TYPE_CHECKING

from latentcodec.errors import CorruptWeights
from latentcodec.models.families import config_of, part
from latentcodec.runtime import tensor_file

if TYPE_CHECKING:
    from latentcodec.runtime.base import Family
    from latentcodec.runtime.dense_vae import DenseVaeFamily


def load(weights: bytes) -> Family | DenseVaeFamily:
    """The model in a safetensors file that `training.export` wrote.

    Raises CorruptWeights for anything else.
    """
    try:
        tensors, description = tensor_file.unpack(weights)
        family = description["family"]
        return part(family, "runtime")(tensors, config_of(family, description["config"]))
    except (KeyError, TypeError, ValueError, RuntimeError, IndexError) as error:
        raise CorruptWeights(f"the weights cannot be loaded: {error}") from error
