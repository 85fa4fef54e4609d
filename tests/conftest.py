"""Shared fixtures: real photographs and the packaged model."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latentcodec import model_store
from latentcodec.families.family import Family

KODAK = Path(__file__).parent.parent / "benchmarks" / "data" / "kodak"


@pytest.fixture(scope="session")
def family() -> Family:
    """The packaged default model."""
    return model_store.load_codec(model_store.by_name("hyper"))


@pytest.fixture(scope="session")
def photo() -> np.ndarray:
    """A real photograph, uint8 [512, 768, 3]."""
    return np.asarray(Image.open(KODAK / "kodim23.png").convert("RGB"))


@pytest.fixture
def ordinary_user() -> Iterator[Path]:
    """A new folder of a user whom permissions bind: root becomes `nobody` for the test."""
    folder = Path(tempfile.mkdtemp())
    root = os.geteuid() == 0
    if root:
        os.chown(folder, 65534, -1)
        os.setresuid(65534, 65534, 0)
    try:
        yield folder
    finally:
        if root:
            os.setresuid(0, 0, 0)
        folder.chmod(0o700)
        shutil.rmtree(folder)
