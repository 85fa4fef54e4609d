"""The families' networks: starting point, coding order, and what they have in common."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from latentcodec.entropy.coding_order import GROUPS, PHASES, STEPS, coded_in_step
from latentcodec.models.autoencoder import FactorizedDensity
from latentcodec.models.dct import shortcut_matrices
from latentcodec.models.families import build, sized
from latentcodec.models.layers import (
    LevelTable,
    depth_to_space,
    lower_bound,
    space_to_depth,
)
from latentcodec.models.rate import gaussian_bits
from latentcodec.models.vae import VariationalAutoencoder, kl_bits


def test_every_latent_is_coded_once() -> None:
    pairs = [pair for step in range(STEPS) for pair in coded_in_step(step)]
    assert sorted(pairs) == [(p, g) for p in range(PHASES) for g in range(GROUPS)]


def test_the_first_two_steps_are_a_checkerboard_in_every_group() -> None:
    for group in range(GROUPS):
        phases = [p for step in (0, 1) for p, g in coded_in_step(step) if g == group]
        assert sorted(phases) in ([0, 3], [1, 2])


def test_full_dct_is_inverted_exactly() -> None:
    analysis, synthesis = shortcut_matrices(768)
    assert np.abs(synthesis @ analysis - np.eye(768)).max() < 1e-6


@pytest.mark.parametrize("family", ["hyper", "ae", "vae"])
def test_untrained_model_is_a_dct_codec(family: str, photo: np.ndarray) -> None:
    """Without noise the start reproduces a photograph as well as its level would."""
    model = build(family, sized(family, "base"))
    x = torch.from_numpy(photo[:256, :256].copy()).float()[None] / 127.5 - 1
    model.start(x)
    level = torch.tensor([9.0])
    y = model.analyse(x, level)
    x_hat = model.synthesise(y * model.gain(level).exp(), level)
    assert 10 * torch.log10(4 / (x_hat - x).square().mean()) > 40


def test_space_to_depth_is_undone() -> None:
    x = torch.randn(2, 8, 12, 3)
    assert torch.equal(depth_to_space(space_to_depth(x, 4), 4), x)
    cell = space_to_depth(x, 4)[1, 1, 2].view(4, 4, 3)
    assert torch.equal(cell, x[1, 4:8, 8:12])


def test_level_table_interpolates() -> None:
    table = LevelTable(3, 2)
    with torch.no_grad():
        table.rows.copy_(torch.tensor([[0.0, 1.0], [2.0, 3.0], [6.0, 3.0]]))
    rows = table(torch.tensor([0.0, 0.5, 1.25, 2.0]))[:, 0, 0]
    expected = torch.tensor([[0.0, 1.0], [1.0, 2.0], [3.0, 3.0], [6.0, 3.0]])
    assert torch.allclose(rows, expected)


def test_gaussian_bits_sum_to_one() -> None:
    k = torch.arange(-60.0, 61.0)
    mass = 2 ** -gaussian_bits(k, torch.tensor(0.3), torch.tensor(5.0))
    assert abs(mass.sum() - 1) < 1e-5


def test_lower_bound_lets_gradients_lift() -> None:
    x = torch.tensor([0.05, 0.05, 0.5], requires_grad=True)
    (lower_bound(x, 0.11) * torch.tensor([1.0, -1.0, 1.0])).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [0.0, -1.0, 1.0]


def test_densities_are_densities() -> None:
    """Monotone, of mass one, and the same bins in training as at export."""
    torch.manual_seed(2)
    density = FactorizedDensity(4, 5)
    torch.nn.init.normal_(density.log_width.rows, 0, 0.3)
    for gate in density.gates:
        torch.nn.init.normal_(gate)
    level = torch.tensor([1.5])
    masses = density.bin_masses(level, -9, 9)
    assert masses.shape == (5, 21)
    assert (masses > 0).all()
    assert torch.allclose(masses.sum(1), torch.ones(5, dtype=torch.float64))
    v = torch.arange(-9.0, 10.0)[None, None, :, None].expand(1, 1, 19, 5)
    bins = density.likelihood(v, level)[0, 0].T
    assert torch.allclose(bins.double(), masses[:, 1:-1], rtol=1e-3, atol=1e-6)


def test_kl_is_what_sampling_says() -> None:
    """The closed form against a Monte Carlo estimate of E_q[log2 q - log2 p]."""
    torch.manual_seed(3)
    for mean, sigma in ((0.0, 1.0), (1.5, 0.3), (-0.4, 1.7), (3.0, 0.05)):
        q = torch.distributions.Normal(mean, sigma)
        z = q.sample((400_000,))
        estimate = (q.log_prob(z) - torch.distributions.Normal(0.0, 1.0).log_prob(z)).mean()
        exact = kl_bits(torch.tensor(mean), torch.tensor(sigma).log())
        assert abs(exact - estimate / math.log(2)) < 0.02 + 0.005 * exact


def test_the_posterior_is_sampled_and_differentiable(photo: np.ndarray) -> None:
    torch.manual_seed(1)
    model = build("vae", sized("vae", "small"))
    assert isinstance(model, VariationalAutoencoder)
    x = torch.from_numpy(photo[:64, :64].copy()).float()[None] / 127.5 - 1
    model.start(x)
    level = torch.tensor([3.0])
    first, second = model(x, level), model(x, level)
    assert torch.equal(first.bits, second.bits)
    assert not torch.equal(first.x_hat, second.x_hat)
    (first.x_hat.square().sum() + first.bits.sum()).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
