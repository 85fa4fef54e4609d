"""benchmarks/integer_cost.py: what it compares is the same network, in floats and in integers."""

from __future__ import annotations

import re
from pathlib import Path
from unittest import mock

import integer_cost
import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from latentcodec.models.families import sized
from latentcodec.models.hyper import HyperModel
from latentcodec.training import equalisation
from latentcodec.training.data import Photographs
from latentcodec.training.loop import Trainer
from latentcodec.training.settings import Settings


@pytest.fixture(scope="module")
def checkpoint(photo: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cost")
    Image.fromarray(photo[:192, :192]).save(folder / "photo.png")
    path = folder / "checkpoint.safetensors"
    settings = Settings([folder], path, sized("hyper", "small"), updates=4, batch=2, crop_px=64)
    trainer = Trainer(settings, Photographs.load([folder], 107, torch.device("cpu")))
    for _ in range(4):
        trainer.train_step()
    for model in (trainer.model, *trainer.averages.models()):
        # So early, many scales are too small for a table, and what is not coded costs nothing.
        model.get_parameter("scale_offset.rows").data.add_(4)
    trainer.save(path)
    return path


@pytest.mark.slow
def test_the_cost_of_integers_is_small(checkpoint: Path, photo: np.ndarray) -> None:
    both = integer_cost.Both(checkpoint)
    for quality in (20, 90):
        found = both.difference(photo[200:328, 300:492], quality)
        assert found.float_bits > 1000
        assert found.integer_bits == pytest.approx(found.float_bits, rel=0.03)
        assert 0 < found.mean_square < 0.05**2
        assert found.other_tables < 0.05


@pytest.mark.slow
def test_equalised_activations_are_of_the_same_network(
    checkpoint: Path, photo: np.ndarray, tmp_path: Path
) -> None:
    Image.fromarray(photo).save(tmp_path / "photo.png")
    pixels = photo[200:328, 300:492]
    with mock.patch.object(equalisation, "_BATCHES", 2):
        both = integer_cost.Both(checkpoint), integer_cost.Both(checkpoint, [tmp_path])
    before, after = (b.difference(pixels, 60) for b in both)
    assert after.float_bits == pytest.approx(before.float_bits, rel=1e-4)
    assert after.integer_bits == pytest.approx(before.integer_bits, rel=1e-3)
    small, large = (b.float.h_s.block.depthwise.weight.abs().max() for b in both)
    assert large > 2 * small


@pytest.mark.slow
def test_another_prior_is_seen_to_differ(checkpoint: Path, photo: np.ndarray) -> None:
    """Means and tables that are not those of the integers, and bits that are more."""
    both = integer_cost.Both(checkpoint)
    pixels = photo[200:328, 300:492]
    before = both.difference(pixels, 60)
    assert isinstance(both.float, HyperModel)
    with torch.no_grad():
        for step in both.float.steps():
            assert step.head.bias is not None
            step.head.bias.add_(0.3)
    after = both.difference(pixels, 60)
    assert after.mean_square > 10 * before.mean_square
    assert after.other_tables > 0.9
    assert after.float_bits != before.float_bits and after.integer_bits == before.integer_bits


def test_the_command_prints_a_line_for_each_quality(checkpoint: Path) -> None:
    arguments = [str(checkpoint), "--images", str(checkpoint.parent)]
    result = CliRunner().invoke(integer_cost.main, arguments, catch_exceptions=False)
    lines = result.output.splitlines()
    assert len(lines) == 7
    assert all(re.search(r"cost [+-]\d+\.\d+ % mean.*% other tables$", line) for line in lines)
