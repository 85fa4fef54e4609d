"""Files decode to the same latents everywhere."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import exactness_worker
import numpy as np
import pytest

import latentcodec
from latentcodec.models.hyper import HyperModel
from latentcodec.runtime import model_store
from latentcodec.training import checkpoint
from latentcodec.training.export import export
from tests.paths import ROOT

_CAPABILITIES = {
    "no vector units": {"ATEN_CPU_CAPABILITY": "default", "ONEDNN_MAX_CPU_ISA": "SSE41"},
    "AVX2": {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2"},
    "AVX-512": {"ATEN_CPU_CAPABILITY": "avx512", "ONEDNN_MAX_CPU_ISA": "AVX512_CORE"},
    "everything there is": {},
}


@pytest.fixture(scope="module")
def weights(small_model: HyperModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small model as a weights file."""
    folder = tmp_path_factory.mktemp("weights")
    tensors = {f"average/{key}": value for key, value in small_model.state_dict().items()}
    meta = {
        "family": "hyper",
        "config": dataclasses.asdict(small_model.config),
        "progress": {"step": 6},
    }
    checkpoint.save(folder / "checkpoint", tensors, meta)
    export(folder / "checkpoint", folder / "small.safetensors")
    return folder / "small.safetensors"


@pytest.fixture(scope="module")
def files(weights: Path, photo: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Pictures with odd numbers of latents, of one latent, and with what no photograph has."""
    folder = tmp_path_factory.mktemp("files")
    noise = np.random.default_rng(8).integers(0, 256, (150, 90, 3), dtype=np.uint8)
    pictures = [photo[:130, :215], photo[33:250, 101:350], photo[:1, :1], noise]
    model = model_store.register_weights(weights)
    for number, (picture, quality) in enumerate(zip(pictures, (97.3, 40, 60, 100), strict=True)):
        data = latentcodec.encode(picture, model=model, quality=quality)
        (folder / f"{number}.lat").write_bytes(data)
    return sorted(folder.glob("*.lat"))


def test_the_oracle_decodes_what_is_decoded(files: list[Path]) -> None:
    for path in files:
        data = path.read_bytes()
        decoded = exactness_worker.latents(data, "in order")
        assert np.array_equal(exactness_worker.latents(data, "oracle"), decoded)
        assert np.abs(decoded).max() > 0


@pytest.mark.slow
@pytest.mark.parametrize("capability", _CAPABILITIES)
@pytest.mark.parametrize("threads", [1, 3])
def test_latents_are_the_same_on_every_processor(
    capability: str, threads: int, files: list[Path], weights: Path
) -> None:
    worker = ROOT / "benchmarks" / "exactness_worker.py"
    result = subprocess.run(
        [sys.executable, str(worker), "in order", str(threads), *map(str, files)],
        env=os.environ
        | _CAPABILITIES[capability]
        | {"LATENTCODEC_WEIGHTS": str(weights.parent), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    _, *found = result.stdout.split("\n", 1)
    here = [exactness_worker.digest(path.read_bytes(), "in order") for path in files]
    assert found[0].split() == here
