"""The networks: starting point, coding order, and the pieces they are made of."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from latentcodec.models.coding_order import GROUPS, PHASES, coded_in_step
from latentcodec.models.config import CONFIGS
from latentcodec.models.dct import shortcut_matrices
from latentcodec.models.hyper import HyperModel, join_phases, split_phases
from latentcodec.models.layers import (
    LevelTable,
    depth_to_space,
    gaussian_bits,
    lower_bound,
    space_to_depth,
)


@pytest.mark.parametrize("steps", [1, 2, 4])
def test_every_latent_is_coded_once(steps: int) -> None:
    pairs = [pair for step in range(steps) for pair in coded_in_step(step, steps)]
    assert sorted(pairs) == [(p, g) for p in range(PHASES) for g in range(GROUPS)]


def test_two_steps_are_a_checkerboard_in_every_group() -> None:
    for group in range(GROUPS):
        phases = [p for p, g in coded_in_step(0, 2) if g == group]
        assert phases in ([0, 3], [1, 2])


def test_full_dct_is_inverted_exactly() -> None:
    analysis, synthesis = shortcut_matrices(768)
    assert np.abs(synthesis @ analysis - np.eye(768)).max() < 1e-6


def test_untrained_model_is_a_dct_codec(photo: np.ndarray) -> None:
    """Without noise from quantisation the start reproduces a photograph at over 40 dB."""
    model = HyperModel(CONFIGS["base"])
    x = torch.from_numpy(photo[:256, :256].copy()).float()[None] / 127.5 - 1
    level = torch.tensor([4.5])
    y = model.analyse(x, level)
    x_hat = model.synthesise(y * model.gain(level).exp(), level)
    assert 10 * torch.log10(4 / (x_hat - x).square().mean()) > 40


def test_space_to_depth_is_undone() -> None:
    x = torch.randn(2, 8, 12, 3)
    assert torch.equal(depth_to_space(space_to_depth(x, 4), 4), x)
    cell = space_to_depth(x, 4)[1, 1, 2].view(4, 4, 3)
    assert torch.equal(cell, x[1, 4:8, 8:12])


def test_phases_join_again() -> None:
    x = torch.randn(2, 6, 4, 5)
    assert torch.equal(join_phases(split_phases(x)), x)


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


@pytest.mark.parametrize("steps", [2, 4])
def test_prediction_never_sees_what_it_predicts(steps: int) -> None:
    """A latent's mean and scale do not change when it, or anything coded later, changes."""
    torch.manual_seed(0)
    config = dataclasses.replace(CONFIGS["small"], steps=steps)
    model = HyperModel(config)
    torch.nn.init.normal_(model.context.step_bias)
    level = torch.tensor([3.0])
    psi = torch.randn(1, 8, 8, config.context_channels)
    v = 4 * torch.randn(1, 8, 8, config.latents)
    mean, scale, _ = model.predict(v, psi, level)
    width = config.latents // GROUPS
    for step in range(steps):
        changed = v.clone()
        parts = [part.clone() for part in split_phases(changed)]
        for later in range(step, steps):
            for phase, group in coded_in_step(later, steps):
                parts[phase][..., group * width : (group + 1) * width] += 50
        new_mean, new_scale, _ = model.predict(join_phases(parts), psi, level)
        for old, new in ((mean, new_mean), (scale, new_scale)):
            old_parts, new_parts = split_phases(old), split_phases(new)
            for phase, group in coded_in_step(step, steps):
                channels = slice(group * width, (group + 1) * width)
                assert torch.equal(old_parts[phase][..., channels], new_parts[phase][..., channels])
        if step + 1 < steps:
            assert not torch.equal(mean, new_mean)
