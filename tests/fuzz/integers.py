"""The integer networks over inputs that no photograph has, against the oracle on int64."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import safetensors.numpy
import torch

from latentcodec.entropy.context_prior import ContextPrior
from latentcodec.models.config import HyperConfig
from latentcodec.models.families import sized
from latentcodec.models.hyper import HyperModel
from latentcodec.runtime import model_store
from latentcodec.runtime.hyper import HyperFamily
from latentcodec.runtime.torch_prior import TorchPrior
from latentcodec.training.integer_prior import integer_prior
from tests.against_oracle import assert_exact, coded_by
from tests.oracle import Oracle

# Takes one input; returns a name for how it was taken, for the counts.
Target = Callable[[random.Random], str]


def packaged_target() -> Target:
    """The prior of the packaged model."""
    entry = model_store.by_name(model_store.chosen())
    family = model_store.load_codec(entry)
    assert isinstance(family, HyperFamily)
    coded, config = family.coded, family.config
    weights = safetensors.numpy.load_file(model_store.FOLDER / entry.file)
    oracle = Oracle(weights)

    @torch.inference_mode()
    def one(chance: random.Random) -> str:
        numbers = np.random.default_rng(chance.randrange(1 << 32))
        z_hat, symbols, tenths = _input(numbers, config)
        assert_exact(coded, oracle, z_hat, symbols, tenths)
        return "exact"

    return one


def _input(numbers: np.random.Generator, config: HyperConfig) -> tuple[np.ndarray, np.ndarray, int]:
    """z_hat and symbols for a grid of 1 to 6 x 1 to 6 latents, and a quality in tenths."""
    height, width = (int(side) for side in numbers.integers(1, 7, 2))
    largest = int(numbers.choice([1, 1 << 5, 1 << 9, 1 << 12, 1 << 16, 1 << 27]))
    shape = -(-height // 4), -(-width // 4), config.hyper_latents
    z_hat = numbers.integers(-largest, largest, shape, endpoint=True)
    reach = int(numbers.choice([0, 3, 32767]))
    symbols = numbers.integers(-reach, reach, (height, width, config.latents), endpoint=True)
    return z_hat, symbols, int(numbers.integers(10, 1001))


def drawn_target() -> Target:
    """The prior with weights of chance, of any size that is exact.

    What could be inexact is refused: it ends in CorruptWeights.
    """
    config = sized("hyper", "small")
    assert isinstance(config, HyperConfig)

    @torch.inference_mode()
    def one(chance: random.Random) -> str:
        seed = chance.randrange(1 << 32)
        torch.manual_seed(seed)
        numbers = np.random.default_rng(seed)
        model = HyperModel(config)
        for name, parameter in model.named_parameters():
            if name.endswith("bias") or name.endswith("rows"):
                torch.nn.init.normal_(parameter)
            parameter.mul_(float(np.exp(numbers.normal(0, 1.5))))
        tensors = integer_prior(model)
        arrays = {name: value.numpy() for name, value in tensors.items()}
        prior, oracle = ContextPrior(arrays), Oracle(arrays)
        coded = coded_by(prior, TorchPrior(prior))
        assert_exact(coded, oracle, *_input(numbers, config))
        return "exact"

    return one
