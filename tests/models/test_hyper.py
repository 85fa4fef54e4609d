"""The model of `hyper`: what each coding step sees, and the layouts between them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from latentcodec.entropy.coding_order import GROUPS, PHASES, coded_in_step, latents_of_step
from latentcodec.models.config import HyperConfig
from latentcodec.models.families import sized
from latentcodec.models.hyper import (
    Coded,
    HyperModel,
    from_steps,
    join_phases,
    rows_to_steps,
    split_phases,
    to_steps,
)


@pytest.fixture(scope="module")
def model() -> HyperModel:
    torch.manual_seed(0)
    config = sized("hyper", "small")
    assert isinstance(config, HyperConfig)
    model = HyperModel(config)
    for name, parameter in model.named_parameters():
        if name.endswith("rows"):
            torch.nn.init.normal_(parameter, 0, 0.3)
    return model.requires_grad_(False)


def test_phases_join_again() -> None:
    x = torch.randn(2, 6, 4, 5)
    phases = split_phases(x)
    assert phases.shape == (PHASES, 2, 3 * 2, 5)
    assert torch.equal(join_phases(phases, 6, 4), x)
    for phase in range(PHASES):
        assert torch.equal(phases[phase], x[:, phase // 2 :: 2, phase % 2 :: 2].flatten(1, 2))


def test_steps_are_those_of_the_coding_order() -> None:
    x = torch.randn(3, 6, 4, 4 * GROUPS)
    steps = to_steps(x)
    assert steps.shape == (PHASES, PHASES, 3, 3 * 2, 4)
    phases = split_phases(x).unflatten(-1, (GROUPS, 4))
    for step in range(PHASES):
        for place, (phase, group) in enumerate(coded_in_step(step)):
            assert torch.equal(steps[step, place], phases[phase, ..., group, :])
    assert torch.equal(from_steps(steps, 6, 4), x)


def test_steps_are_in_the_order_in_which_symbols_are_written() -> None:
    x = torch.randn(1, 6, 4, 4 * GROUPS)
    for step, own in enumerate(to_steps(x)):
        written = latents_of_step(x[0].numpy(), step)
        assert np.array_equal(own.flatten().numpy(), written)


def test_rows_are_laid_out_as_latents() -> None:
    row = torch.randn(2, 1, 1, 4 * GROUPS)
    rows = rows_to_steps(row)
    assert rows.shape == (PHASES, PHASES, 2, 1, 4)
    places = rows.expand(-1, -1, -1, 6, -1)
    assert torch.equal(places, to_steps(row.expand(-1, 6, 4, -1)))


@pytest.mark.parametrize("layout", [to_steps, lambda x: from_steps(to_steps(x), 2, 4)])
def test_layouts_have_gradients(layout: Callable[[Tensor], Tensor]) -> None:
    x = torch.randn(2, 2, 4, 2 * GROUPS, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(layout, (x,))


class _Seen:
    """What the network of each coding step gives, [mean, log scale]."""

    def __init__(self, model: HyperModel) -> None:
        self.outputs: list[tuple[Tensor, Tensor]] = []
        self._hooks = [step.register_forward_hook(self._see) for step in model.context]

    def _see(self, step: object, inputs: object, output: tuple[Tensor, Tensor]) -> None:
        self.outputs.append(output)

    def of(self, run: Callable[[], object]) -> list[tuple[Tensor, Tensor]]:
        self.outputs.clear()
        run()
        return list(self.outputs)

    def close(self) -> None:
        for hook in self._hooks:
            hook.remove()


@pytest.mark.parametrize("changed_from", range(PHASES))
def test_prediction_never_sees_what_it_predicts(model: HyperModel, changed_from: int) -> None:
    """A latent's mean and scale do not change when it, or anything coded later, changes."""
    torch.manual_seed(1)
    level = torch.tensor([3.0])
    psi = torch.randn(1, 8, 6, model.config.context_channels)
    v = 4 * torch.randn(1, 8, 6, model.config.latents)
    later = to_steps(v)
    later[changed_from:] += 50
    seen = _Seen(model)
    before = seen.of(lambda: model.code(v, psi, level))
    after = seen.of(lambda: model.code(from_steps(later, 8, 6), psi, level))
    seen.close()
    assert len(before) == len(after) == PHASES
    for step in range(PHASES):
        same = [torch.equal(a, b) for a, b in zip(before[step], after[step], strict=True)]
        assert same == [step <= changed_from] * 2


def test_latents_are_rounded_around_the_means_of_their_step(model: HyperModel) -> None:
    """v_hat in the places of v, the means moved into quantisation steps, rows for each sample."""
    torch.manual_seed(2)
    levels = torch.tensor([1.5, 8.0])
    psi = torch.randn(2, 4, 6, model.config.context_channels)
    v = 4 * torch.randn(2, 4, 6, model.config.latents)
    seen = _Seen(model)
    coded: list[Coded] = []
    outputs = seen.of(lambda: coded.append(model.code(v, psi, levels)))
    seen.close()
    v_hat, bits = coded[0]
    assert v_hat.shape == v.shape and bits.shape == (2,)
    steps_per_unit = model.y_std * model.gain(levels).exp()
    means = from_steps(torch.stack([mean for mean, _ in outputs]), 4, 6) * steps_per_unit
    symbols = v_hat - means
    assert torch.allclose(symbols, symbols.round(), atol=1e-4)
    assert ((v_hat - v).abs() < 1.5).all()
    # The second sample alone costs what it costs beside the first.
    alone = model.code(v[1:], psi[1:], levels[1:])
    assert torch.allclose(alone.v_hat, v_hat[1:], atol=1e-4)
    assert torch.allclose(alone.bits, bits[1:], rtol=1e-4)


@pytest.mark.parametrize("quality", [0.0, 4.5, 9.0])
def test_a_pass_of_training_reaches_every_parameter(quality: float, photo: np.ndarray) -> None:
    torch.manual_seed(3)
    config = sized("hyper", "small")
    assert isinstance(config, HyperConfig)
    model = HyperModel(config)
    x = torch.from_numpy(photo[:64, :128].copy()).float()[None] / 127.5 - 1
    model.start(x)
    out = model(x, torch.tensor([quality]))
    assert out.x_hat.shape == x.shape and out.bits.shape == (1,)
    (out.x_hat.square().sum() + out.bits.sum()).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
