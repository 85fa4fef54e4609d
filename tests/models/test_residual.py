"""The residual block's own forward and backward pass against plain autograd."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from latentcodec.models.layers import BoundedBlock, ResidualBlock
from latentcodec.models.residual import _PART_ROWS, BOUND

_CHANNELS, _HIDDEN = 6, 10
_SHAPE = (2, 30, 41, _CHANNELS)  # more rows than a part has, and no multiple of it


def _block(activation: str, biases: bool, kernel: int) -> ResidualBlock | BoundedBlock:
    if activation in ("bounded", "rounded"):
        block = BoundedBlock(_CHANNELS, _HIDDEN)
        block.quantised = activation == "rounded"
        return block
    return ResidualBlock(_CHANNELS, kernel, _HIDDEN / _CHANNELS, activation, biases)


def _plain(x: Tensor, block: ResidualBlock | BoundedBlock) -> Tensor:
    """x + W2 act(W1 depthwise(x)), from whole operations that autograd knows."""
    if isinstance(block, BoundedBlock):
        return _plain_bounded(x, block)
    h = block.expand(block.depthwise(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1))
    h = functional.hardswish(h) if block.activation.name == "hardswish" else h.relu()
    return x + block.project(h)


def _plain_bounded(x: Tensor, block: BoundedBlock) -> Tensor:
    """The same, with bounds and, where the block is quantised, straight-through rounding."""
    taps, expand, project = (part.weight for part in (block.depthwise, block.expand, block.project))
    if block.quantised:
        taps, project = _integers(taps, 14), _integers(project, 8)
        expand = _integers(expand, 14)
    h = _bounded(x, -BOUND, block.quantised).permute(0, 3, 1, 2)
    h = functional.conv2d(h, taps, padding=1, groups=len(taps)).permute(0, 2, 3, 1)
    h = _bounded(h, -BOUND, block.quantised)
    h = torch.where(h.abs() < BOUND, h, h.detach())  # what is rounded to a bound is at it
    h = functional.linear(h, expand, block.expand.bias)
    return x + functional.linear(_bounded(h, 0, block.quantised), project)


def _bounded(x: Tensor, low: float, rounded: bool) -> Tensor:
    x = x.clamp(low, BOUND)
    return x + ((64 * x).round() / 64 - x).detach() if rounded else x


def _integers(weight: Tensor, finest: int) -> Tensor:
    """Each output's weights in the finest steps in which none is larger than 256."""
    rows = weight.detach().flatten(1)
    step = 2.0 ** -(256 / rows.abs().amax(1)).log2().floor().clamp(0, finest)
    step = step.view(-1, *[1] * (weight.ndim - 1))
    return weight + ((weight / step).round() * step - weight).detach()


_KINDS = [
    *itertools.product(("relu", "hardswish"), (True, False), (3, 5)),
    ("bounded", False, 3),
    ("rounded", False, 3),
]


@pytest.fixture(params=_KINDS, ids=lambda kind: "-".join(map(str, kind)))
def block(request: pytest.FixtureRequest) -> ResidualBlock | BoundedBlock:
    torch.manual_seed(7)
    block = _block(*request.param)
    for parameter in block.parameters():
        nn.init.normal_(parameter, 0, 0.5)
    return block


def _gradient(leaf: Tensor) -> Tensor:
    assert leaf.grad is not None
    return leaf.grad


def test_value_and_gradients_are_those_of_autograd(block: ResidualBlock | BoundedBlock) -> None:
    assert _SHAPE[0] * _SHAPE[1] * _SHAPE[2] > _PART_ROWS
    x = 4 * torch.randn(_SHAPE)
    weight = torch.randn(_SHAPE)
    found = []
    for function in (block, lambda x: _plain(x, block)):
        block.zero_grad()
        own = x.clone().requires_grad_()
        value = function(own)
        (value * weight).sum().backward()
        leaves = {"x": own, **dict(block.named_parameters())}
        found.append({"value": value.detach()} | {k: _gradient(p) for k, p in leaves.items()})
    ours, theirs = found
    assert ours.keys() == theirs.keys()
    for name, wanted in theirs.items():
        assert wanted.abs().max() > 0.1, name
        atol = 2e-5 * float(wanted.abs().max())
        assert torch.allclose(ours[name], wanted, rtol=1e-4, atol=atol), name


def test_clamps_are_driven() -> None:
    """The test above says something of the bounds: all of them are met, on both sides."""
    torch.manual_seed(7)
    block = _block("bounded", False, 3)
    for parameter in block.parameters():
        nn.init.normal_(parameter, 0, 0.5)
    x = 4 * torch.randn(_SHAPE)
    filtered = block.depthwise(x.clamp(-BOUND, BOUND).permute(0, 3, 1, 2))
    hidden = block.hidden(x)
    for values, low in ((x, -BOUND), (filtered, -BOUND), (hidden, 0)):
        assert (values < low).float().mean() > 0.01
        assert (values > BOUND).float().mean() > 0.01


def test_without_gradients_it_is_the_same(block: ResidualBlock | BoundedBlock) -> None:
    x = 4 * torch.randn(_SHAPE)
    with torch.no_grad():
        assert torch.allclose(block(x), _plain(x, block), rtol=1e-4, atol=1e-4)


def test_hidden_units_are_those_between_the_products(
    block: ResidualBlock | BoundedBlock,
) -> None:
    if isinstance(block, BoundedBlock):
        block.quantised = False
    x = 4 * torch.randn(_SHAPE)
    hidden = block.activation(block.hidden(x))
    assert torch.allclose(block(x), x + block.project(hidden), rtol=1e-4, atol=1e-4)


def test_under_autocast_it_is_near(block: ResidualBlock | BoundedBlock) -> None:
    x = torch.randn(_SHAPE).requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        value = block(x)
        value.float().square().sum().backward()
    ours = [_gradient(p) for p in (x, *block.parameters())]
    wanted = torch.autograd.grad(_plain(x, block).square().sum(), [x, *block.parameters()])
    for gradient, exact in zip(ours, wanted, strict=True):
        assert gradient.dtype == torch.float32
        assert (
            gradient - exact
        ).norm() < 0.08 * exact.norm()  # at a bound, some fall on the other side
