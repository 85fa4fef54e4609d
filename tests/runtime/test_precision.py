"""bfloat16 changes pixels by one grey level at most, and latents never."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import latentcodec
from latentcodec.models.lapped import filtered
from latentcodec.models.precise import precise_product
from latentcodec.runtime import model_store, precision
from latentcodec.runtime.base import Family
from latentcodec.runtime.registry import load
from latentcodec.runtime.torch_networks import TorchNetworks
from tests.command_line import fails
from tests.paths import KODAK
from tests.runtime.small_models import weights_of


def _packaged(wanted: str, monkeypatch: pytest.MonkeyPatch) -> Family:
    monkeypatch.setenv(precision.VARIABLE, wanted)
    entry = model_store.by_name(model_store.chosen())
    return load(model_store.checked_bytes(entry), "torch")


@contextlib.contextmanager
def rounded_factors() -> Iterator[None]:
    """torch as commands set it."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


@pytest.mark.parametrize("tenths", [200, 900])
def test_pixels_change_by_one_level_and_latents_not(
    tenths: int, photo: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = _packaged("float32", monkeypatch)
    rounded = _packaged("bfloat16", monkeypatch)
    payload, v_hat = exact.encode_latents(exact.analyse(photo[:160, :128], tenths), tenths)
    assert np.array_equal(rounded.decode_latents(payload, tenths, *v_hat.shape[:2]), v_hat)
    for scale in (1, 4):
        wanted = exact.synthesise(v_hat, tenths, scale).astype(int)
        found = rounded.synthesise(v_hat, tenths, scale)
        assert np.abs(found - wanted).max() <= 1
        assert (found != wanted).any()


def test_files_are_as_good(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lambda times error plus bits of what is encoded in bfloat16, decoded in float32: means of
    several photographs, since a latent between two symbols may make one of them dearer."""
    exact = _packaged("float32", monkeypatch)
    costs = []
    for model in (exact, _packaged("bfloat16", monkeypatch)):
        for number in (1, 5, 8, 13, 20, 23):
            with Image.open(KODAK / f"kodim{number:02}.png") as image:
                pixels = np.asarray(image.convert("RGB"))[:256, :256]
            payload, v_hat = model.encode_latents(model.analyse(pixels, 500), 500)
            error = exact.synthesise(v_hat, 500).astype(float) - pixels
            lambda_ = exact.config.lambda_of(exact.level(500))
            costs.append(lambda_ * (error**2).mean() + 8 * len(payload) / 256**2)
    in_float32, in_bfloat16 = np.reshape(costs, (2, -1))
    assert (in_bfloat16 / in_float32).mean() == pytest.approx(1, abs=0.002)


def test_another_precision_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(precision.VARIABLE, "float16")
    with pytest.raises(latentcodec.LatError, match="LATENTCODEC_PRECISION must be one of"):
        precision.dtype_of("cpu")


def test_the_shortcut_is_precise_where_factors_are_rounded() -> None:
    torch.manual_seed(1)
    x, weight = torch.rand(2, 3, 768), torch.randn(64, 768)
    wanted = x.double() @ weight.double().T
    with rounded_factors():
        found = precise_product(x, weight.T)
    assert torch.allclose(found.double(), wanted, atol=2e-3)


def test_filters_are_precise_where_factors_are_rounded() -> None:
    torch.manual_seed(2)
    x, filters = torch.rand(1, 48, 64, 3), torch.eye(16) + 0.1 * torch.randn(2, 16, 16)
    exact, found = x.double().requires_grad_(), x.clone().requires_grad_()
    filtered(exact, filters.double()).square().sum().backward()
    with rounded_factors():
        there = filtered(found, filters)
        there.square().sum().backward()
    assert torch.allclose(there, filtered(x, filters), atol=1e-4)
    assert exact.grad is not None and found.grad is not None
    assert torch.allclose(found.grad.double(), exact.grad, rtol=0.02, atol=0.02)


@pytest.mark.parametrize("tenths", [200, 900])
def test_a_command_sees_the_pixels_that_a_program_sees(
    tenths: int, photo: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rounded factors change latents by less than a hundredth of a step, and pixels by nothing but
    what lies between two levels: files of both are as good, if not the same."""
    model = _packaged("bfloat16", monkeypatch)
    networks, pixels = model.networks, photo[:160, :128]
    assert isinstance(networks, TorchNetworks)

    def seen() -> tuple[np.ndarray, np.ndarray, torch.Tensor]:
        y_hat = torch.from_numpy(v_hat).float().unsqueeze(0) * networks.steps(level) / 16
        with torch.autocast("cpu", torch.bfloat16):  # as in refining
            refined = networks.synthesis(y_hat, torch.tensor([level]))
        steps = model.steps_of(model.analyse(pixels, tenths), tenths)
        return steps, model.synthesise(v_hat, tenths).astype(int), refined

    level = model.level(tenths)
    payload, v_hat = model.encode_latents(model.analyse(pixels, tenths), tenths)
    wanted = seen()
    with rounded_factors():
        assert np.array_equal(model.decode_latents(payload, tenths, *v_hat.shape[:2]), v_hat)
        found = seen()
    assert np.abs(found[0] - wanted[0]).max() < 0.01
    assert np.abs(found[1] - wanted[1]).max() <= 1
    assert (found[1] != wanted[1]).mean() < 0.005
    assert (found[2] - wanted[2]).abs().max() < 0.02 / 127.5


_IN_A_PROCESS = """
import sys, numpy as np, torch
from latentcodec.runtime import precision
from latentcodec.runtime.registry import load
precision.use_whole_process()
model = load(sys.stdin.buffer.read(), "torch")
assert torch.get_float32_matmul_precision() == "medium"
y = np.random.default_rng(4).normal(0, 1, (9, 12, model.config.latents)).astype(np.float32)
payload, v_hat = model.encode_latents(y, 600)
sys.stdout.buffer.write(v_hat.tobytes() + payload)
"""


@pytest.mark.slow
def test_latents_in_a_process_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Products of the prior with rounded factors give what full precision gives."""
    weights = weights_of("hyper")
    monkeypatch.setenv(precision.VARIABLE, "bfloat16")
    command = [sys.executable, "-c", _IN_A_PROCESS]
    found = subprocess.run(command, input=weights, capture_output=True, check=True).stdout
    model = load(weights, "torch")
    latents = 9 * 12 * model.config.latents * 4
    v_hat = np.frombuffer(found[:latents], np.int32).reshape(9, 12, -1)
    assert torch.get_float32_matmul_precision() == "highest"
    assert np.array_equal(model.decode_latents(found[latents:], 600, 9, 12), v_hat)


@pytest.mark.slow
def test_a_vae_has_full_precision_in_a_process_of_ones_own() -> None:
    """Whatever is loaded before and behind it."""
    code = (
        "import torch; from latentcodec.runtime import model_store, precision\n"
        "precision.use_whole_process()\n"
        "for name in ('hyper', 'vae', 'ae'):\n"
        "    model_store.load_codec(model_store.by_name(name))\n"
        "    print(torch.get_float32_matmul_precision())"
    )
    environment = {**os.environ, precision.VARIABLE: "bfloat16"}
    command = [sys.executable, "-c", code]
    found = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["medium", "highest", "highest"]


def test_a_command_says_what_it_does_not_know(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(precision.VARIABLE, "float16")
    model_store._load.cache_clear()
    assert "LATENTCODEC_PRECISION" in fails(
        folder, "encode", folder / "photo.png", folder / "a.lat"
    )


@pytest.mark.parametrize("command", ["encode", "train"])
def test_training_keeps_full_precision(command: str) -> None:
    code = (
        "import sys; from latentcodec import __main__; from latentcodec.runtime import precision;"
        f"sys.argv = ['latentcodec', '{command}', '--help'];"
        "import contextlib\n"
        "with contextlib.suppress(SystemExit): __main__.run()\n"
        "print(precision._is_whole_process)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split()[-1] == str(command == "encode")
