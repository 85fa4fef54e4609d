"""The entropy path gives the same integers on every machine: against the oracle, and across
instruction sets, thread counts and tile orders."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
import torch

import latentcodec
from latentcodec.format import container
from latentcodec.pipeline.latent_tiles import decode_latents
from latentcodec.runtime import model_store
from latentcodec.runtime.base import Family
from latentcodec.runtime.hyper import HyperFamily
from tests.against_oracle import assert_exact
from tests.oracle import Oracle

_HASHES = """
import hashlib, sys, torch
from latentcodec.format import container
from latentcodec.runtime import model_store
from latentcodec.pipeline.latent_tiles import decode_latents
torch.set_num_threads(int(sys.argv[1]))
for path in sys.argv[2:]:
    file = container.read(open(path, "rb").read())
    family = model_store.load_codec(model_store.by_name(model_store.chosen()))
    print(hashlib.sha256(decode_latents(file, family).tobytes()).hexdigest())
"""


def _weights() -> dict[str, np.ndarray]:
    entry = model_store.by_name(model_store.chosen())
    folder = model_store.FOLDER
    return safetensors.numpy.load_file(folder / entry.file)


@pytest.mark.parametrize("tenths", [10, 333, 500, 747, 1000])
@pytest.mark.parametrize("shape", [(160, 96), (144, 208)])
def test_torch_path_equals_the_int64_oracle(
    family: HyperFamily, photo: np.ndarray, tenths: int, shape: tuple[int, int]
) -> None:
    y = family.analyse(photo[100 : 100 + shape[0], 200 : 200 + shape[1]], tenths)
    height, width, _ = y.shape
    z_cells = -(-height // 4), -(-width // 4)
    random = np.random.default_rng(tenths)
    oracle = Oracle(_weights())
    reach = 9 << oracle.z_bits
    z_hat = random.integers(-reach, reach, (*z_cells, family.config.hyper_latents))
    # Real symbols are small; a few huge ones drive every clamp.
    symbols = random.integers(-3, 4, y.shape)
    symbols[random.random(y.shape) < 1e-3] = 32767
    with torch.inference_mode():
        assert_exact(family.coded, oracle, z_hat, symbols, tenths)


@pytest.fixture(scope="module")
def files(photo: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("exact")
    crops = [photo[:256, :384], photo[33:250, 101:350], photo[200:201, 300:301]]
    paths = []
    for number, (crop, quality) in enumerate(zip(crops, (95, 40, 60), strict=True)):
        path = folder / f"{number}.lat"
        path.write_bytes(latentcodec.encode(crop, quality=quality))
        paths.append(path)
    return paths


_MACHINES = {
    "one thread": (1, {}),
    "four threads": (4, {}),
    "no vector units": (
        2,
        {
            "ATEN_CPU_CAPABILITY": "default",
            "ONEDNN_MAX_CPU_ISA": "SSE41",
            "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
        },
    ),
    "AVX2": (
        2,
        {
            "ATEN_CPU_CAPABILITY": "avx2",
            "ONEDNN_MAX_CPU_ISA": "AVX2",
            "MKL_ENABLE_INSTRUCTIONS": "AVX2",
        },
    ),
    "AVX-512": (
        3,
        {
            "ATEN_CPU_CAPABILITY": "avx512",
            "ONEDNN_MAX_CPU_ISA": "AVX512_CORE",
            "MKL_ENABLE_INSTRUCTIONS": "AVX512",
        },
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("machine", _MACHINES)
def test_latents_are_the_same_on_every_machine(
    machine: str, files: list[Path], family: Family
) -> None:
    threads, variables = _MACHINES[machine]
    result = subprocess.run(
        [sys.executable, "-c", _HASHES, str(threads), *map(str, files)],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=True,
    )
    here = [
        hashlib.sha256(decode_latents(container.read(f.read_bytes()), family).tobytes())
        for f in files
    ]
    assert result.stdout.split() == [h.hexdigest() for h in here]


def test_what_the_encoder_meant_is_what_the_decoder_reads(
    family: Family, photo: np.ndarray
) -> None:
    for tenths in (10, 105, 500, 1000):
        y = family.analyse(photo[:208, :304], tenths)
        payload, meant = family.encode_latents(y, tenths)
        assert np.array_equal(family.decode_latents(payload, tenths, *y.shape[:2]), meant)


def test_latents_beyond_every_table_survive(family: Family) -> None:
    """Escapes: latents far outside what the prior expects come through or are clipped by the
    encoder, and both sides agree."""
    y = np.random.default_rng(0).normal(0, 50, (6, 5, family.config.latents)).astype(np.float32)
    y[2, 3, :7] = [1e9, -1e9, 40000, -40000, 3e4, 1e4, -1e4]
    payload, meant = family.encode_latents(y, 1000)
    assert np.array_equal(family.decode_latents(payload, 1000, 6, 5), meant)
    assert np.abs(meant).max() > 32767 * 16 / 2


@pytest.mark.slow
def test_tiles_decode_in_any_order(family: Family, photo: np.ndarray) -> None:
    big = np.tile(photo, (3, 2, 1))[:1100, :1300]
    file = container.read(latentcodec.encode(big, quality=20))
    whole = decode_latents(file, family)
    assert len(file.tiles) == 4
    corners = [(0, 0, 64, 64), (0, 64, 64, 18), (64, 0, 5, 64), (64, 64, 5, 18)]
    for number in (3, 1, 0, 2):
        top, left, height, width = corners[number]
        alone = family.decode_latents(file.tiles[number], 200, height, width)
        assert np.array_equal(alone, whole[top : top + height, left : left + width])
