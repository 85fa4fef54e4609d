"""Shared fixtures: real photographs and the packaged model."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import numpy as np
import pytest
import torch
from PIL import Image

import latentcodec
from latentcodec.runtime import model_store, precision, registry
from latentcodec.runtime.base import Family
from tests.paths import KODAK, ROOT

# What an example costs says nothing on a busy machine.
hypothesis.settings.register_profile("tests", deadline=None)
hypothesis.settings.load_profile("tests")

pytest.register_assert_rewrite("tests.command_line", "tests.page_followed")


@pytest.fixture(autouse=True)
def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights that a test registers are known to no other test."""
    monkeypatch.setattr(model_store, "_own", dict(model_store._own))


@pytest.fixture(autouse=True)
def _as_many_threads() -> Iterator[None]:
    """Of torch's threads no test leaves more to the next: they would wait for those of others."""
    usual = torch.get_num_threads()
    yield
    if torch.get_num_threads() != usual:
        torch.set_num_threads(usual)


@pytest.fixture(scope="session")
def family() -> Family:
    """The packaged default model."""
    return model_store.load_codec(model_store.by_name(model_store.chosen()))


@pytest.fixture
def family_in_float32(monkeypatch: pytest.MonkeyPatch) -> Family:
    """The same without bfloat16, which rounds otherwise where products have another shape."""
    monkeypatch.setenv(precision.VARIABLE, "float32")
    return registry.load(model_store.checked_bytes(model_store.by_name(model_store.chosen())))


@pytest.fixture(scope="session")
def photo() -> np.ndarray:
    """A real photograph, uint8 [512, 768, 3]."""
    return np.asarray(Image.open(KODAK / "kodim23.png").convert("RGB"))


@pytest.fixture
def crop(photo: np.ndarray) -> Image.Image:
    """A piece of the photograph, 56 x 40 px, which the test may change."""
    return Image.fromarray(np.ascontiguousarray(photo[200:240, 300:356]))


@pytest.fixture(scope="session")
def data(photo: np.ndarray) -> bytes:
    """A `.lat` file of the same piece."""
    return latentcodec.encode(photo[200:240, 300:356], quality=40)


@pytest.fixture
def decodings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The scales at which something was decoded by `latentcodec.codec.decode`."""
    scales: list[int] = []
    decode = latentcodec.decode

    def watched(data: bytes, *, scale: int) -> Image.Image:
        scales.append(scale)
        return decode(data, scale=scale)

    monkeypatch.setattr("latentcodec.codec.decode", watched)
    return scales


@pytest.fixture
def folder(tmp_path: Path, crop: Image.Image, data: bytes) -> Path:
    """photo.png, photo.lat, and an older output under each name that the tests write to."""
    crop.save(tmp_path / "photo.png")
    (tmp_path / "photo.lat").write_bytes(data)
    for name in ("out.lat", "out.png"):
        (tmp_path / name).write_bytes(b"an older file")
    return tmp_path


@pytest.fixture
def here(tmp_path: Path, photo: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: a.png, b.jpg, and photos with a tree of two pictures and other things."""
    monkeypatch.chdir(tmp_path)
    Path("photos/2024").mkdir(parents=True)
    packaged = model_store.FOLDER
    Path("mine.safetensors").symlink_to(packaged / "ae-base.safetensors")
    Path("photos/.hidden").mkdir()
    for number, name in enumerate(
        ["a.png", "b.jpg", "photos/c.PNG", "photos/2024/d.webp", "photos/.hidden/e.png"]
    ):
        Image.fromarray(photo[50 * number : 50 * number + 40, 300:348]).save(name)
    Path("photos/notes.txt").write_text("no picture")
    return tmp_path


@pytest.fixture
def reader(tmp_path: Path, photo: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder of someone who follows a page of docs/, who is at home in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    Path("docs").symlink_to(ROOT / "docs")
    packaged = model_store.FOLDER
    Path("mine.safetensors").symlink_to(packaged / "ae-base.safetensors")
    Path("photos/2024").mkdir(parents=True)
    for number, name in enumerate(["photo.png", "a.jpg", "b.jpg", "photos/2024/c.jpg"]):
        Image.fromarray(photo[70 * number : 70 * number + 64, 300:396]).save(name)
    return tmp_path


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
