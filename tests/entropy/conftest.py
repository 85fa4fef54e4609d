"""Integer priors: one as it was trained, and one with large weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from latentcodec.models.config import HyperConfig
from latentcodec.models.families import sized
from latentcodec.models.hyper import HyperModel
from latentcodec.training.data import Photographs
from latentcodec.training.integer_prior import integer_prior
from latentcodec.training.loop import Trainer
from latentcodec.training.settings import Settings

_UPDATES = 6


@pytest.fixture(scope="session")
def small_model(photo: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> HyperModel:
    """A small model after a few updates."""
    folder = tmp_path_factory.mktemp("trained")
    Image.fromarray(photo[:256, :384]).save(folder / "photo.png")
    config = sized("hyper", "small")
    settings = Settings([folder], Path("unused"), config, updates=_UPDATES, batch=2, crop_px=64)
    trainer = Trainer(settings, Photographs.load([folder], 107, torch.device("cpu")))
    for _ in range(_UPDATES):
        trainer.train_step()
    assert isinstance(trainer.model, HyperModel)
    return trainer.model.requires_grad_(False)


@pytest.fixture(scope="session")
def quiet(small_model: HyperModel) -> dict[str, Tensor]:
    """As it was trained."""
    return integer_prior(small_model)


def _scaled(model: HyperModel, biases: float, **factors: float) -> dict[str, Tensor]:
    """The integers of a model whose layers of these names are larger by these factors."""
    assert isinstance(model.config, HyperConfig)
    other = HyperModel(model.config).requires_grad_(False)
    other.load_state_dict(model.state_dict())
    torch.manual_seed(12)
    for name, parameter in other.named_parameters():
        if name.startswith(("h_s.", "context.")):
            parameter.mul_(factors.get(name.split(".")[-2], 1))
            if name.endswith("bias"):
                parameter.add_(biases * torch.randn_like(parameter))
    return integer_prior(other)


@pytest.fixture(scope="session")
def loud(small_model: HyperModel) -> dict[str, Tensor]:
    """With weights so large that every clamp has something to do."""
    blocks = {"depthwise": 4, "expand": 8, "project": 8}
    return _scaled(small_model, 1, up_32=20, up_16=60, head=2000, coded=60, **blocks)


@pytest.fixture(scope="session")
def faint(small_model: HyperModel) -> dict[str, Tensor]:
    """With weights so small that they have all the fractional bits there may be."""
    blocks = {"depthwise": 0.1, "expand": 0.1, "project": 0.05}
    return _scaled(small_model, 0.3, up_32=0.1, up_16=0.1, head=0.1, coded=0.05, **blocks)
