"""From the bytes of a weights file to the working model of its family."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from latentcodec.errors import CorruptWeights, LatError
from latentcodec.models.config import Config
from latentcodec.models.families import config_of, part
from latentcodec.runtime import tensor_file
from latentcodec.runtime.choice import Runtime, chosen


def load(weights: bytes, runtime: Runtime | None = None) -> Any:
    """The model in a safetensors file that `training.export` wrote: a `Family`, or what draws
    pictures only.

    Raises CorruptWeights for anything else, and LatError for a runtime that is not installed or
    cannot run the model.
    """
    runtime = chosen(runtime)
    try:
        tensors, description = tensor_file.unpack(weights)
        family = description["family"]
        return built(tensors, family, config_of(family, description["config"]), runtime)
    except (KeyError, TypeError, ValueError, RuntimeError, IndexError) as error:
        raise CorruptWeights(f"the weights cannot be loaded: {error}") from error


def built(tensors: dict[str, np.ndarray], family: str, config: Config, runtime: Runtime) -> Any:
    """The model of the tensors of a weights file; raises what `load` catches for others."""
    if runtime == "onnx":
        check_runs_on_onnx(family)
    kind = part(family, "runtime")
    if family == "vae64":
        return kind(tensors, config)
    module = importlib.import_module(f"latentcodec.runtime.{runtime}_networks")
    return kind(tensors, config, module.networks_of(tensors, family, config))


def check_runs_on_onnx(family: str) -> None:
    """Raise LatError for a model that only torch runs."""
    if family == "vae64":
        raise LatError(f"the family {family} runs on torch only")
