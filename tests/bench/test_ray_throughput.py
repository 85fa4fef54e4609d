"""benchmarks/ray_throughput.py, but for the commands that it times."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import ray_throughput
from PIL import Image


def test_a_folder_has_the_same_pictures_again(tmp_path: Path, photo: np.ndarray) -> None:
    (tmp_path / "photos").mkdir()
    for number in range(2):
        Image.fromarray(photo[: 10 + number, :100]).save(tmp_path / f"photos/{number}.png")
    megapixels = ray_throughput.folder_of(tmp_path / "photos", 3, tmp_path / "in")
    assert megapixels == pytest.approx((1000 + 1100 + 1000) / 1e6)
    assert len(list((tmp_path / "in").glob("*.png"))) == 3


def test_rates_are_without_the_start(capsys: pytest.CaptureFixture[str]) -> None:
    whole = {"local pool": [12.0, 99.0, 12.0], "Ray": [25.0, 25.0, 25.0]}
    start = {"local pool": [2.0, 2.0, 2.0], "Ray": [5.0, 5.0, 5.0]}
    ray_throughput.report(80, whole, start, workers=2)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == (
        "local pool: 12.0 s, of which 2.0 s to start; 8.00 MP/s without, 4.00 MP/s a worker"
    )
    assert lines[2] == "Ray has 50 % of the local pool's rate"
