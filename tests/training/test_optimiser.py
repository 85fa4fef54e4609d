"""Muon against torch's own, the coordinates of the shortcut, and averages of the weights."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from latentcodec.models.families import build, sized
from latentcodec.training import checkpoint
from latentcodec.training.averages import Averages
from latentcodec.training.muon import Muon, orthogonal
from latentcodec.training.optimiser import Optimisers
from latentcodec.training.restore import Saved

_SHAPES = [(24, 16), (16, 24), (24, 16), (20, 20), (1, 8), (3, 24, 16), (2, 8, 40), (1, 20, 20)]


def _gradients(step: int) -> list[Tensor]:
    random = torch.Generator().manual_seed(step)
    return [torch.randn(shape, generator=random) * 10.0 ** (step - 2) for shape in _SHAPES]


def _matrices(parameters: list[nn.Parameter]) -> list[Tensor]:
    """All of them as matrices, stacks one by one."""
    return [m for p in parameters for m in _flat(p.detach())]


def _flat(stack: Tensor) -> Tensor:
    return stack.reshape(-1, *stack.shape[-2:])


def test_muon_is_the_one_of_torch() -> None:
    torch.manual_seed(8)
    ours = [nn.Parameter(torch.randn(shape)) for shape in _SHAPES]
    theirs = [nn.Parameter(m.clone()) for m in _matrices(ours)]
    start = [m.clone() for m in theirs]
    own = Muon(ours, lr=0.02)
    wanted = torch.optim.Muon(theirs, lr=0.02, weight_decay=0.0, adjust_lr_fn="match_rms_adamw")
    for step in range(5):
        for p, gradient in zip(ours, _gradients(step), strict=True):
            p.grad = gradient.clone()
        single = [m for g in _gradients(step) for m in _flat(g)]
        for p, gradient in zip(theirs, single, strict=True):
            p.grad = gradient
        own.step()
        wanted.step()
        if step == 3:  # as over a run: rates are set from outside
            own.param_groups[0]["lr"] = wanted.param_groups[0]["lr"] = 0.005
        for p, gradient in zip(ours, _gradients(step), strict=True):
            assert p.grad is not None and torch.equal(p.grad, gradient)  # only read
    for mine, other, before in zip(_matrices(ours), theirs, start, strict=True):
        moved = (other - before).norm()
        assert moved > 0.01
        assert (mine - other).norm() < 0.02 * moved  # products of bfloat16 differ by this much


def test_momentum_is_that_of_torch() -> None:
    """It stands in views of one tensor, and goes into checkpoints by parameter."""
    ours = [nn.Parameter(torch.zeros(shape)) for shape in _SHAPES]
    theirs = [nn.Parameter(m.clone()) for m in _matrices(ours)]
    own, wanted = Muon(ours, lr=0.1), torch.optim.Muon(theirs, lr=0.1)
    for step in range(3):
        for p, gradient in zip(ours, _gradients(step), strict=True):
            p.grad = gradient
        single = [m for g in _gradients(step) for m in _flat(g)]
        for p, gradient in zip(theirs, single, strict=True):
            p.grad = gradient
        own.step()
        wanted.step()
    buffers = [m for p in ours for m in _flat(own.state[p]["momentum_buffer"])]
    for buffer, p in zip(buffers, theirs, strict=True):
        assert torch.allclose(buffer, wanted.state[p]["momentum_buffer"], rtol=1e-5)


def test_momentum_that_is_restored_is_used() -> None:
    one, two = ([nn.Parameter(torch.zeros(4, 3)) for _ in range(2)] for _ in range(2))
    first, second = Muon(one, lr=0.1), Muon(two, lr=0.1)
    for number, p in enumerate(one):
        p.grad = torch.randn(4, 3) + number
    first.step()
    for p, q in zip(one, two, strict=True):
        q.data.copy_(p.data)
        second.state[q]["momentum_buffer"].copy_(first.state[p]["momentum_buffer"])
        p.grad = torch.ones(4, 3)
        q.grad = torch.ones(4, 3)
    first.step()
    second.step()
    assert all(torch.equal(p, q) for p, q in zip(one, two, strict=True))


def test_matrices_of_a_shape_wait_for_all_of_them() -> None:
    parameters = [nn.Parameter(torch.ones(shape)) for shape in ((4, 3), (4, 3), (3, 4))]
    parameters[0].grad = torch.randn(4, 3)
    parameters[2].grad = torch.randn(3, 4)
    Muon(parameters, lr=0.1).step()
    moved = [not torch.equal(p, torch.ones_like(p)) for p in parameters]
    assert moved == [False, False, True]


@pytest.mark.parametrize("shape", [(3, 30, 20), (3, 20, 30), (1, 64, 64)])
def test_singular_values_come_near_one(shape: tuple[int, int, int]) -> None:
    torch.manual_seed(9)
    x = torch.randn(shape)
    u, _, v = torch.linalg.svd(x, full_matrices=False)
    wanted = u @ v
    found = orthogonal(x)
    values = torch.linalg.svdvals(found)
    assert values.min() > 0.3 and values.max() < 1.3
    assert (found - wanted).norm() < 0.35 * wanted.norm()
    assert torch.equal(orthogonal(torch.zeros(shape)), torch.zeros(shape))


def _averaged(updates: int, decays: tuple[float, ...]) -> tuple[Averages, list[list[float]]]:
    """Averages of a model that is its number of updates, and their values after each."""
    model = nn.Linear(1, 1, bias=False)
    model.weight.data.fill_(0)
    averages, values = Averages(model, decays), []
    for update in range(1, updates + 1):
        model.weight.data.fill_(update)
        averages.update(model, update)
        values.append(_values(averages))
    return averages, values


def _values(averages: Averages) -> list[float]:
    return [average.get_parameter("weight").item() for average in averages.models()]


def test_averages_are_exponential_and_young_ones_are_shorter() -> None:
    decays = (0.9, 0.999)
    _, values = _averaged(400, decays)
    for number, decay in enumerate(decays):
        wanted = 0.0
        for update in range(1, 401):
            if update <= 128:
                kept = min(decay, (1 + update) / (10 + update))
            elif update % 8 == 0:  # eight updates at a time
                kept = min(decay, (1 + update) / (10 + update)) ** 8
            else:
                kept = 1.0
            wanted = kept * wanted + (1 - kept) * update
            assert values[update - 1][number] == pytest.approx(wanted, rel=1e-4)


def test_averages_come_back_from_a_checkpoint(tmp_path: Path) -> None:
    averages, _ = _averaged(50, (0.5, 0.9))
    tensors = averages.tensors()
    assert tensors.keys() == {"average/weight", "average-0.9/weight"}
    checkpoint.save(tmp_path / "c.safetensors", tensors, {})
    tensors, _ = checkpoint.load(tmp_path / "c.safetensors")
    again = Averages(nn.Linear(1, 1, bias=False), (0.5, 0.9))
    again.restore(tensors)
    assert again.tensors().keys() == averages.tensors().keys()
    assert all(torch.equal(again.tensors()[key], value) for key, value in tensors.items())


def test_a_checkpoint_cut_to_its_weights_has_them_as_its_average(tmp_path: Path) -> None:
    config = sized("ae", "small")
    state = build("ae", config).state_dict()
    meta = {"family": "ae", "config": dataclasses.asdict(config), "progress": {"step": 3}}
    path = tmp_path / "cut.safetensors"
    checkpoint.save(path, {f"model/{k}": v for k, v in state.items()}, meta)
    saved = Saved.load(path, "ae")
    assert all(torch.equal(saved.tensors[f"average/{k}"], v) for k, v in state.items())


def test_an_average_that_a_checkpoint_lacks_begins_as_its_first() -> None:
    averages, _ = _averaged(50, (0.5, 0.9))
    tensors = averages.tensors()
    other = Averages(nn.Linear(1, 1, bias=False), (0.5, 0.9, 0.999))
    other.restore(tensors)
    restored = _values(other)
    assert restored[:2] == _values(averages)
    assert restored[2] == restored[0] != restored[1]
    assert other.first is other.models()[0]


def test_the_shortcut_is_trained_in_coordinates_that_travel() -> None:
    """A checkpoint brings its own whitening: other photographs do not change the matrix."""
    torch.manual_seed(4)
    model = nn.Module()
    model.g_a = nn.Module()
    matrix_of = nn.Linear(6, 4, bias=False)
    model.g_a.shortcut, model.g_a.stem = matrix_of, nn.Linear(6, 4)
    first = Optimisers(model, torch.randn(6, 6) + 3 * torch.eye(6))
    for _ in range(2):
        matrix_of.weight.square().sum().backward()
        first.after_backward()
        first.step(1.0)
    matrix = matrix_of.weight.detach().clone()
    second = Optimisers(model, torch.randn(6, 6) + 3 * torch.eye(6))
    second.restore(first.tensors())
    for optimisers in (first, second):
        with torch.no_grad():
            matrix_of.weight.copy_(matrix)
        matrix_of.weight.square().sum().backward()
        optimisers.after_backward()
        optimisers.step(1e-9)
        assert torch.allclose(matrix_of.weight, matrix, atol=1e-5)
    old = {k: v for k, v in first.tensors().items() if not k.endswith("whitening")}
    third = Optimisers(model, torch.randn(6, 6) + 3 * torch.eye(6))
    third.restore(old)  # without its whitening, coordinates mean nothing
    matrix_of.weight.square().sum().backward()
    third.after_backward()
    third.step(1e-9)
    assert torch.allclose(matrix_of.weight, matrix, atol=1e-4)
