"""`benchmarks/patterns.py`: pictures of single pixels to train on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import patterns
import pytest
from click.testing import CliRunner
from PIL import Image


def test_each_is_a_picture_of_its_own_and_the_same_each_time(tmp_path: Path) -> None:
    result = CliRunner().invoke(patterns.main, [str(tmp_path), "--count", "5"])
    assert result.exit_code == 0, result.output
    paths = sorted(tmp_path.iterdir())
    pictures = [np.asarray(Image.open(path)) for path in paths]
    assert len({picture.tobytes() for picture in pictures}) == 5
    assert all(np.array_equal(one, patterns.pattern(k)) for k, one in enumerate(pictures))


@pytest.mark.parametrize("kind", list(dict.fromkeys(patterns._KINDS)))
def test_every_kind_has_detail_of_a_few_pixels(kind: patterns.Kind) -> None:
    """On the average, half of what varies is lost in a picture of a quarter of the size."""
    lost = []
    for seed in range(10):
        mask = kind(np.random.default_rng(seed)).astype(float)
        assert mask.shape == (512, 512) and mask.min() >= 0 and mask.max() <= 1
        coarse = np.kron(mask.reshape(128, 4, 128, 4).mean((1, 3)), np.ones((4, 4)))
        lost.append(((mask - coarse) ** 2).mean() / mask.var())
    assert np.mean(lost) > 0.5
