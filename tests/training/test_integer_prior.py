"""From the float networks of `hyper`'s prior to integers, and back."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch
from torch import Tensor

from latentcodec.entropy.context_prior import STREAM_BITS, ContextPrior
from latentcodec.entropy.exact_net import EXACT, LIMIT, MAX_SHIFT, STREAM_SHIFT, UNIT_BITS
from latentcodec.models.config import HyperConfig
from latentcodec.models.families import sized
from latentcodec.models.hyper import HyperModel
from latentcodec.runtime.torch_prior import TorchPrior
from latentcodec.training.integer_prior import float_prior, integer_prior

_PRIOR = ("h_s.", "context.", "scale_offset.", "z_mean.", "z_log_scale.")


@pytest.fixture(scope="module", params=[1, 3])
def model(request: pytest.FixtureRequest) -> HyperModel:
    """Networks as drawn, with tables and biases that are not zero."""
    torch.manual_seed(10)
    config = sized("hyper", "small")
    assert isinstance(config, HyperConfig)
    model = HyperModel(dataclasses.replace(config, context_blocks=request.param))
    model.y_std.uniform_(0.01, 0.3)
    model.gain.rows.data.copy_(torch.linspace(0, 3, config.anchors)[:, None])
    for name, parameter in model.named_parameters():
        if name.startswith(_PRIOR) and (name.endswith("rows") or name.endswith("bias")):
            torch.nn.init.normal_(parameter, 0, 0.3)
    return model.requires_grad_(False)


@pytest.fixture(scope="module")
def integers(model: HyperModel) -> dict[str, Tensor]:
    return integer_prior(model)


def _layers(integers: dict[str, Tensor]) -> list[str]:
    return [key.removesuffix(".shift") for key in integers if key.endswith(".shift")]


def test_every_tensor_holds_integers_that_the_prior_takes(integers: dict[str, Tensor]) -> None:
    assert not any(value.is_floating_point() for value in integers.values())
    ContextPrior({name: value.numpy() for name, value in integers.items()})
    for name in _layers(integers):
        shift = integers[f"{name}.shift"]
        finest = STREAM_SHIFT if name.endswith("project") else MAX_SHIFT
        assert shift.min() >= 0 and shift.max() <= finest
        assert integers[f"{name}.weight"].abs().max() <= LIMIT


def test_weights_are_as_fine_as_their_bounds_admit(integers: dict[str, Tensor]) -> None:
    """One bit more would break the limit of a weight, or of a sum, in every output."""
    for name in _layers(integers):
        shift, weight = integers[f"{name}.shift"], integers[f"{name}.weight"].double().abs()
        weight = weight.flatten(1) if "depthwise" in name else weight
        total = weight.sum(-1) * LIMIT
        if f"{name}.bias" in integers:
            total += integers[f"{name}.bias"].abs()
        finest = STREAM_SHIFT if name.endswith("project") else MAX_SHIFT
        room = (weight.amax(-1) < LIMIT / 2 - 1) & (total < 0.95 * EXACT / 2)
        assert not (room & (shift < finest)).any(), name


def test_what_was_integers_is_close_to_what_they_were_made_of(
    model: HyperModel, integers: dict[str, Tensor]
) -> None:
    state = model.state_dict()
    floats = {key: value for key, value in state.items() if not key.startswith(_PRIOR)}
    assert isinstance(model.config, HyperConfig)
    restored = float_prior(integers, floats, model.config)
    assert restored.keys() == state.keys() - floats.keys()
    tables = {"scale_offset": 2**-13, "z_mean": 2**-5, "z_log_scale": 1 / 16, "h_s.level": 2**-15}
    for name, error in tables.items():
        found, wanted = restored[f"{name}.rows"], state[f"{name}.rows"]
        assert torch.allclose(found, wanted, rtol=0, atol=1.01 * error + 1e-5), name
    for name in _layers(integers):
        step = 2.0 ** -integers[f"{name}.shift"].double()
        found, wanted = restored[f"{name}.weight"], state[f"{name}.weight"]
        assert found.shape == wanted.shape
        input_step = 1 / 4 if name == "h_s.up_32" else 1  # z has 4 bits, other inputs 6
        half = step.view(*step.shape, *[1] * (found.ndim - step.ndim)) * input_step / 2
        assert ((found - wanted).abs() <= 1.01 * half).all(), name
        if f"{name}.bias" in integers:
            found, wanted = restored[f"{name}.bias"], state[f"{name}.bias"]
            assert ((found - wanted).abs() <= 1.01 * step / 2 / 2**UNIT_BITS + 1e-6).all(), name
    for number in range(4):
        name = f"context.{number}.bias"
        assert torch.allclose(restored[name], state[name], rtol=0, atol=2**-15)


def test_integers_of_what_was_restored_are_the_same(
    model: HyperModel, integers: dict[str, Tensor]
) -> None:
    assert isinstance(model.config, HyperConfig)
    again = HyperModel(model.config)
    state = model.state_dict()
    floats = {key: value for key, value in state.items() if not key.startswith(_PRIOR)}
    again.load_state_dict(floats | float_prior(integers, floats, model.config))
    second = integer_prior(again)
    for name in _layers(integers):
        ratio = 2.0 ** (second[f"{name}.shift"] - integers[f"{name}.shift"]).double()
        for part in ("weight", "bias"):
            if f"{name}.{part}" in integers:
                value = integers[f"{name}.{part}"]
                factor = ratio.view(*ratio.shape, *[1] * (value.ndim - ratio.ndim))
                assert torch.equal(second[f"{name}.{part}"], value * factor)
    anchors = torch.linspace(0, 99, model.config.anchors).round().long()
    for key in (key for key in integers if key.startswith("quality.")):
        difference = (second[key][anchors] - integers[key][anchors]).abs()
        assert (difference <= 1 + 1e-6 * integers[key][anchors].abs()).all(), key


@pytest.mark.parametrize("bias", [0.0, 3.0, -40.0])
def test_a_large_bias_leaves_room_for_itself(bias: float) -> None:
    config = sized("hyper", "small")
    assert isinstance(config, HyperConfig)
    model = HyperModel(config)
    head = model.steps()[1].head
    assert head.bias is not None
    head.weight.data.mul_(1e-3)
    head.bias.data.fill_(bias)
    integers = integer_prior(model)
    ContextPrior({name: value.numpy() for name, value in integers.items()})
    found = integers["context.1.head.bias"] * 2.0 ** -integers["context.1.head.shift"].double()
    assert torch.allclose(found, torch.tensor(bias * 2.0**UNIT_BITS).double(), atol=0.5)
    assert math.isfinite(float(found.sum()))


def test_a_quantised_model_computes_what_its_integers_do() -> None:
    """psi of the float networks, rounded as at the end of a training, against that of integers."""
    torch.manual_seed(11)
    config = sized("hyper", "small")
    assert isinstance(config, HyperConfig)
    model = HyperModel(config).requires_grad_(False)
    model.h_s.up_32.weight.mul_(3)
    model.h_s.up_16.weight.mul_(3)
    z_symbols = torch.randint(-40, 41, (5, 3, config.hyper_latents))
    integers = integer_prior(model)
    prior = ContextPrior({name: value.numpy() for name, value in integers.items()})
    level_row = prior.row("h_s_level", 500)
    psi = TorchPrior(prior).psi(z_symbols.numpy(), level_row, 20, 12)
    wanted = psi * 2.0**-STREAM_BITS
    z_hat, level = z_symbols[None] / 16, torch.tensor([config.level_of(50)])
    plain = model.h_s(z_hat, level)[0] - wanted
    model.quantise()
    rounded = model.h_s(z_hat, level)[0] - wanted
    model.load_state_dict(float_prior(integers, model.state_dict(), config), strict=False)
    same = model.h_s(z_hat, level)[0] - wanted
    assert wanted.std() > 0.5
    assert rounded.std() < 0.4 * plain.std()  # roundings that the biases' own ones turned
    assert same.abs().max() <= 2 * 2.0**-STREAM_BITS
