"""Shared fixtures: real photographs and the packaged model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latentcodec import model_store
from latentcodec.families.hyper import HyperFamily

KODAK = Path(__file__).parent.parent / "benchmarks" / "data" / "kodak"


@pytest.fixture(scope="session")
def family() -> HyperFamily:
    """The packaged default model."""
    return model_store.load(model_store.by_name("hyper"))


@pytest.fixture(scope="session")
def photo() -> np.ndarray:
    """A real photograph, uint8 [512, 768, 3]."""
    return np.asarray(Image.open(KODAK / "kodim23.png").convert("RGB"))
