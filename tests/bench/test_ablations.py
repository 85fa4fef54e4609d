"""benchmarks/ablations.py: every change can be made to the training as it is, and is measured."""

from __future__ import annotations

import dataclasses
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import ablations
import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from latentcodec.models import transforms
from latentcodec.models.families import config_of, sized
from latentcodec.training import calibrate, equalisation, loop, packaging
from latentcodec.training.data import Photographs
from latentcodec.training.settings import Settings

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(photo: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("photos")
    Image.fromarray(photo).save(path / "photo.png")
    return path


def _settings(folder: Path, out: Path) -> Settings:
    config = dataclasses.asdict(sized("hyper", "small")) | {"latents": 96}
    return Settings(
        [folder], out, config_of("hyper", config), minutes=0.02, batch=2, crop_px=64, seed=3
    )


def _updated(settings: Settings, photographs: Photographs) -> dict[str, Tensor]:
    """The model after two updates."""
    trainer = loop.Trainer(settings, photographs)
    trainer.train_step()
    trainer.train_step()
    return trainer.model.state_dict()


@pytest.fixture(scope="module")
def photographs(folder: Path) -> Photographs:
    return Photographs.load([folder], 107, torch.device("cpu"))


@pytest.fixture(scope="module")
def plain(folder: Path, photographs: Photographs) -> dict[str, Tensor]:
    return _updated(_settings(folder, Path("unused")), photographs)


@pytest.mark.parametrize("name", ablations._CHANGES)
def test_every_change_changes_something(
    name: str, folder: Path, photographs: Photographs, plain: dict[str, Tensor]
) -> None:
    if name.startswith("SOAP") and not importlib.util.find_spec("pytorch_optimizer"):
        pytest.skip("pytorch-optimizer is not installed")
    alter, change = ablations._CHANGES[name]
    before = _settings(folder, Path("unused"))
    settings = alter(before)
    if settings.crop_px > 300:  # the rule is the same with crops that take less time
        settings = dataclasses.replace(settings, crop_px=128)
    with change():
        state = _updated(settings, photographs)
    if state.keys() != plain.keys() or settings.config != before.config:
        return
    same = all(torch.equal(state[key], value) for key, value in plain.items())
    # The rate descends at the end, which is not yet there.
    assert same == (name in ("none (baseline)", "learning rate descends over 60 %"))


@pytest.fixture
def few_crops() -> Iterator[None]:
    with (
        mock.patch.object(calibrate, "_CROPS", 2),
        mock.patch.object(calibrate, "CALIBRATION_PX", 128),
        mock.patch.object(packaging, "CALIBRATION_PX", 128),
        mock.patch.object(equalisation, "_BATCHES", 1),
    ):
        yield


def test_a_row_is_trained_and_measured(folder: Path, tmp_path: Path, few_crops: None) -> None:
    settings = _settings(folder, tmp_path / "out.safetensors")
    found = ablations._measure(("none (baseline)", settings, folder, 1))
    assert found["change"] == "none (baseline)"
    assert isinstance(found["crops"], int) and found["crops"] >= 2
    assert isinstance(found["bd_rate_percent"], float)
    ablations._write(tmp_path / "ablations.csv", [found])
    assert "none (baseline)" in (tmp_path / "ablations.csv").read_text()


def test_a_change_lasts_until_it_is_measured(
    folder: Path, tmp_path: Path, few_crops: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A synthesis that adds its correction in full is measured as it was trained."""
    seen: list[float] = []
    family_curve = ablations._family_curve

    def curve(*arguments: object) -> object:
        seen.append(transforms.HEAD_GAIN)
        return family_curve(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(ablations, "_family_curve", curve)
    settings = _settings(folder, tmp_path / "out.safetensors")
    ablations._measure(("correction of pixels not scaled down", settings, folder, 1))
    assert seen == [1.0]
    assert transforms.HEAD_GAIN < 1
