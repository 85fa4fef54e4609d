"""Photographs to train on."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="module")
def folder(photo: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six small photographs, four of them from one source."""
    path = tmp_path_factory.mktemp("photos")
    rows = []
    for number in range(6):
        top, left = 64 * number, 96 * number
        Image.fromarray(photo[top : top + 192, left : left + 192]).save(path / f"{number}.png")
        rows.append({"file": f"{number}.png", "source": "one" if number < 4 else f"s{number}"})
    (path / "index.json").write_text(json.dumps(rows))
    return path
