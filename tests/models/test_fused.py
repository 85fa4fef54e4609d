"""What is done in one pass is what two passes do."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from latentcodec.models import fused
from latentcodec.models.fused import clamped_depthwise, clamped_linear, hardswish_linear

TYPES = [torch.float32, torch.bfloat16, torch.float64]


@pytest.fixture(params=[True, False], ids=["fused", "apart"])
def _either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """As this machine does it, and as one does that has no such operators."""
    if not request.param:
        monkeypatch.setattr(fused, "_is_there", lambda dtype: False)


@pytest.mark.usefixtures("_either_way")
@pytest.mark.parametrize("dtype", TYPES)
@torch.inference_mode()
def test_linear(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    x, weight, bias = (torch.randint(-9, 9, shape).to(dtype) for shape in ((70, 8), (24, 8), (24,)))
    sums = x.double() @ weight.double().T + bias
    assert torch.equal(clamped_linear(x, weight, bias, -40, 90), sums.clamp(-40, 90).to(dtype))
    found = hardswish_linear(x / 16, weight / 8, bias / 128)
    wanted = functional.hardswish(sums / 128)
    assert torch.allclose(found.double(), wanted, rtol=1e-2, atol=1e-2)


@pytest.mark.usefixtures("_either_way")
@pytest.mark.parametrize("dtype", TYPES)
@torch.inference_mode()
def test_depthwise(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    x = torch.randint(-9, 9, (1, 12, 10, 8)).to(dtype).permute(0, 3, 1, 2)
    taps = torch.randint(-3, 3, (8, 1, 3, 3)).to(dtype)
    wanted = functional.conv2d(x.double(), taps.double(), padding=1, groups=8).clamp(-40, 30)
    found = clamped_depthwise(x, taps, -40, 30)
    assert torch.equal(found.double(), wanted)
    assert found.is_contiguous(memory_format=torch.channels_last)


@torch.inference_mode()
def test_under_autocast_features_and_weights_differ() -> None:
    x, weight, bias = torch.ones(4, 8).bfloat16(), torch.ones(24, 8), torch.ones(24)
    with torch.autocast("cpu", torch.bfloat16):
        found = hardswish_linear(x, weight, bias)
    assert found.dtype == torch.bfloat16
    assert torch.equal(found, torch.full((4, 24), 9).bfloat16())
