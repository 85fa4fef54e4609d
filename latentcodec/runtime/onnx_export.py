"""All that someone needs to run a model elsewhere: its ONNX graphs, and tables for the coder.

ONNX Runtime is not needed for it.
"""

from __future__ import annotations

import dataclasses

from latentcodec.entropy.coding_order import STEPS
from latentcodec.entropy.context_prior import ContextPrior
from latentcodec.errors import CorruptWeights
from latentcodec.models.config import HyperConfig, TransformConfig
from latentcodec.models.families import config_of
from latentcodec.runtime import tensor_file
from latentcodec.runtime.onnx_prior import h_s_graph, step_graph
from latentcodec.runtime.onnx_transforms import TransformGraphs
from latentcodec.runtime.registry import check_runs_on_onnx

TABLES = "tables.safetensors"


def export(weights: bytes) -> dict[str, bytes]:
    """The files, by their names, of a weights file. Raises LatError."""
    try:
        tensors, description = tensor_file.unpack(weights)
        config = config_of(description["family"], description["config"])
    except (KeyError, TypeError, ValueError) as error:
        raise CorruptWeights(f"the weights cannot be loaded: {error}") from error
    check_runs_on_onnx(description["family"])
    assert isinstance(config, TransformConfig)
    graphs = TransformGraphs(tensors, config)
    files = {"g_a.onnx": graphs.g_a(), "g_s.onnx": graphs.g_s()}
    if isinstance(config, HyperConfig):
        prior = ContextPrior(tensors)
        files |= {"h_a.onnx": graphs.h_a(), "h_s.onnx": h_s_graph(prior)}
        files |= {f"context_{step}.onnx": step_graph(prior, step) for step in range(STEPS)}
    kept = ("tables.", "quality.", "float.gain.")
    tables = {k: v for k, v in tensors.items() if k.startswith(kept)}
    # With what the weights file leaves to the defaults of this package.
    complete = description | {"config": dataclasses.asdict(config)}
    files[TABLES] = tensor_file.pack(tables, complete)
    return files
