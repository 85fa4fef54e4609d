"""The prior is the same integers as the oracle's, whatever computes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from torch import Tensor

from latentcodec.entropy.coding_order import STEPS, latents_of_step
from latentcodec.entropy.context_prior import ContextPrior, PriorNetworks, magnitudes
from latentcodec.runtime.torch_prior import TorchPrior
from tests.against_oracle import assert_exact, coded_by
from tests.oracle import Oracle, half_even, magnitude

_TENTHS = (10, 333, 747, 1000)
_SIZES = [(8, 12), (9, 13), (1, 1), (2, 7), (33, 30)]

Weights = dict[str, Tensor]


@pytest.fixture(params=["quiet", "loud", "faint"])
def weights(request: pytest.FixtureRequest) -> Weights:
    return request.getfixturevalue(request.param)


def _inputs(weights: Weights, size: tuple[int, int], seed: int) -> tuple[np.ndarray, np.ndarray]:
    """z_hat, [h/4, w/4, Z] in 1/16, and symbols, [h, w, M]: small ones and a few huge ones."""
    random = np.random.default_rng(seed)
    cells = -(-size[0] // 4), -(-size[1] // 4)
    z_hat = random.integers(-100, 101, (*cells, weights["quality.z_mean"].shape[1]))
    far = random.random(z_hat.shape) < 0.02
    z_hat[far] = random.choice([-(1 << 20), 1 << 20], far.sum())
    symbols = random.integers(-3, 4, (*size, weights["quality.to_step"].shape[1]))
    huge = random.random(symbols.shape) < 2e-3
    symbols[huge] = random.choice([-32767, 32767], huge.sum())
    return z_hat, symbols


@pytest.fixture(params=["torch", "onnx"])
def runtime(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def _loaded(weights: Weights, runtime: str) -> tuple[ContextPrior, PriorNetworks]:
    """A prior, and what runs its networks."""
    prior = ContextPrior({name: value.numpy() for name, value in weights.items()})
    if runtime == "torch":
        return prior, TorchPrior(prior)
    pytest.importorskip("onnxruntime", reason="the extra `onnx` is not installed")
    from latentcodec.runtime.onnx_networks import Sessions
    from latentcodec.runtime.onnx_prior import OnnxPrior

    return prior, OnnxPrior(prior, Sessions("cpu", None).get)


def _assert_exact(
    weights: Weights, runtime: str, size: tuple[int, int], tenths: int, seed: int
) -> set[str]:
    """Compare prior and oracle; returns which clamps of the oracle clamped."""
    oracle = Oracle({name: value.numpy() for name, value in weights.items()})
    coded = coded_by(*_loaded(weights, runtime))
    assert_exact(coded, oracle, *_inputs(weights, size, seed), tenths)
    return oracle.clamped


@pytest.mark.parametrize("tenths", _TENTHS)
@pytest.mark.parametrize("size", _SIZES)
def test_psi_equals_the_int64_oracle(
    weights: Weights, runtime: str, size: tuple[int, int], tenths: int
) -> None:
    z_hat, _ = _inputs(weights, size, seed=tenths)
    oracle = Oracle({name: value.numpy() for name, value in weights.items()})
    wanted = oracle.psi(z_hat, tenths, *size)
    prior, networks = _loaded(weights, runtime)
    psi = networks.psi(z_hat, prior.row("h_s_level", tenths), *wanted.shape[:2])
    found = psi.numpy() if runtime == "torch" else psi[0].transpose(1, 2, 0)
    assert np.array_equal(found, wanted)


@pytest.mark.parametrize("tenths", _TENTHS)
@pytest.mark.parametrize("size", _SIZES)
def test_the_prior_equals_the_int64_oracle(
    weights: Weights, runtime: str, size: tuple[int, int], tenths: int
) -> None:
    _assert_exact(weights, runtime, size, tenths, seed=tenths + size[0])


def test_every_clamp_is_driven(loud: Weights, runtime: str) -> None:
    """The tests above say something of the clamps: all of them clamp, on both sides."""
    clamped = set()
    for tenths in _TENTHS:
        clamped |= _assert_exact(loud, runtime, (9, 13), tenths, seed=tenths)
    first = {"z", "up_32", "block", "d", "e", "up_16", "psi"}
    names = first | {"u + bias", "head", "mean", "table", "latent", "u"}
    both = {f"{name} {side}" for name in names for side in "<>"}
    assert clamped == both


def test_every_shift_is_there(quiet: Weights, loud: Weights, faint: Weights) -> None:
    kinds = [(quiet, 5, 13), (loud, 0, 8), (faint, 14, 14)]
    for weights, *between in kinds:
        shift = weights["context.1.coded.shift"]
        assert between[0] <= shift.min() and shift.max() <= between[1]
        shift = weights["context.1.blocks.0.project.shift"]
        assert shift.max() <= 8


@pytest.fixture
def threads() -> Iterator[Callable[[int], None]]:
    """Sets the number of threads of torch, until the test is over."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_threads_change_nothing(
    weights: Weights, threads: Callable[[int], None], count: int
) -> None:
    threads(count)
    _assert_exact(weights, "torch", (45, 38), 620, seed=3)


@pytest.fixture
def precision() -> Iterator[Callable[[str], None]]:
    """Sets the precision of torch's float32 products, until the test is over."""
    before = torch.get_float32_matmul_precision()
    yield torch.set_float32_matmul_precision
    torch.set_float32_matmul_precision(before)


@pytest.mark.parametrize("name", ["high", "medium"])
def test_factors_rounded_to_bfloat16_change_nothing(
    weights: Weights, precision: Callable[[str], None], name: str
) -> None:
    """Where a processor multiplies these: integers up to 256 are among them."""
    precision(name)
    for size in ((9, 13), (45, 38)):
        _assert_exact(weights, "torch", size, 871, seed=4)


def test_order_of_use_changes_nothing(quiet: Weights, runtime: str) -> None:
    """Walks of one prior do not disturb each other."""
    prior, networks = _loaded(quiet, runtime)
    z_hat, symbols = _inputs(quiet, (5, 6), 5)
    own = [latents_of_step(symbols, step).astype(np.int32) for step in range(STEPS)]
    alone = coded_by(prior, networks)(z_hat, 444, 5, 6, lambda step, *_: own[step])
    walks = [prior.walk(networks, z_hat, tenths, 5, 6) for tenths in (444, 90)]
    for step in range(STEPS):
        for walk in walks:
            walk.parameters(step)
            walk.put(step, own[step])
    assert np.array_equal(walks[0].v_hat, alone)
    assert not np.array_equal(walks[1].v_hat, alone)


def test_halves_go_to_the_even_one() -> None:
    x = np.array([-5, -3, -2, -1, 0, 1, 2, 3, 5, 6, 7])
    assert half_even(x, 1).tolist() == [-2, -2, -1, 0, 0, 0, 1, 2, 2, 3, 4]
    assert half_even(x, 0).tolist() == x.tolist()
    assert half_even(x, -2).tolist() == (4 * x).tolist()
    shifts = np.array([0, 1, 2, 14])
    values = np.random.default_rng(6).integers(-(1 << 20), 1 << 20, (500, 4))
    assert np.array_equal(half_even(values, shifts), np.rint(values / 2.0**shifts))


def test_magnitudes_are_counted_by_thresholds() -> None:
    known = magnitudes()
    assert np.array_equal(known, magnitude(np.arange(len(known))))
    assert known[-1] == 256 and 256 not in known[:-10]
    # None is so near to a half that logarithms of another library could round it otherwise.
    exact = 64 * np.log1p(np.arange(len(known)) / 16)
    assert np.abs(exact - np.floor(exact) - 0.5).min() > 1e-4
