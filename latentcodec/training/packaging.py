"""What packaged weights of each family have beside their transforms: made, and undone.

An exporter is given the model, the `float.*` tensors of its weights file and photographs to measure
on, and returns all tensors of the file. A restorer is given those, the state dict so far and the
configuration, and returns the state dict of the model.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from latentcodec.entropy.context_prior import ContextPrior
from latentcodec.models.autoencoder import Autoencoder
from latentcodec.models.config import Config, HyperConfig
from latentcodec.models.hyper import HyperModel
from latentcodec.models.vae import VariationalAutoencoder
from latentcodec.training.data import CALIBRATION_PX, Photographs
from latentcodec.training.equalisation import equalise, ranges_on
from latentcodec.training.integer_prior import float_prior, integer_prior
from latentcodec.training.tables import density_tables, standard_tables

Tensors = dict[str, Tensor]


def export_hyper(model: HyperModel, floats: Tensors, data: Sequence[Path] | None) -> Tensors:
    """The prior on integers; photographs equalise its activations, and its tables are measured.

    Raises CorruptWeights where the integer networks would break their exactness bound.
    """
    photographs = Photographs.load(data, CALIBRATION_PX, torch.device("cpu")) if data else None
    if photographs:
        equalise(model, ranges_on(photographs, model))
    tensors = floats | integer_prior(model)
    arrays = {name: value.numpy() for name, value in tensors.items()}
    ContextPrior(arrays)  # refuses what would not be exact
    if not photographs:
        return tensors
    # Only measuring needs the coder.
    from latentcodec.runtime.registry import built
    from latentcodec.training.calibrate import measured_tables

    return tensors | measured_tables(built(arrays, "hyper", model.config, "torch"), photographs)


def restore_hyper(weights: Tensors, state: Tensors, config: Config) -> Tensors:
    """The float networks of the prior, from its integers."""
    assert isinstance(config, HyperConfig)
    return state | float_prior(weights, state, config)


def export_ae(model: Autoencoder, floats: Tensors, data: Sequence[Path] | None) -> Tensors:
    """The densities that it has learned, as tables."""
    return floats | density_tables(model)


def export_vae(
    model: VariationalAutoencoder, floats: Tensors, data: Sequence[Path] | None
) -> Tensors:
    """Tables of N(0, 1), and gains that lead to quantisation steps, not to units of the prior.

    Raises ValueError where there are no photographs.
    """
    if not data:
        raise ValueError("a vae is exported with photographs (--calibrate): they set its steps")
    tensors = floats | standard_tables(model, data)
    tensors["float.gain.rows"] = tensors["float.gain.rows"] - tensors["float.log_step.rows"]
    return tensors


def restore_vae(weights: Tensors, state: Tensors, config: Config) -> Tensors:
    """Gains that lead to units of the prior again."""
    gains = state["gain.rows"] + state["log_step.rows"]
    return {k: v for k, v in state.items() if k != "log_step.rows"} | {"gain.rows": gains}
