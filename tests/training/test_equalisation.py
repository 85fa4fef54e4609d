"""A prior whose activations are equalised is the same function, and loses less to its integers."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from latentcodec.entropy.exact_net import LIMIT
from latentcodec.models.config import HyperConfig
from latentcodec.models.hyper import HyperModel
from latentcodec.models.layers import Quantisable
from latentcodec.training.equalisation import bounded_blocks, equalise, ranges

_CONFIG = HyperConfig(
    channels_8=16,
    channels_16=16,
    blocks_8=1,
    blocks_16=1,
    synthesis_blocks_8=1,
    synthesis_blocks_16=1,
    latents=32,
    hyper_latents=8,
    hyper_channels=16,
    context_channels=16,
)
_LEVEL = torch.tensor([1.0, 8.0])


def _model() -> HyperModel:
    """One whose blocks' activations are a tenth of a unit or less."""
    torch.manual_seed(4)
    model = HyperModel(_CONFIG)
    for block in bounded_blocks(model).values():
        block.depthwise.weight.data.mul_(0.05)
        block.project.weight.data.mul_(20)
    return model


def _crops() -> Tensor:
    return torch.rand(2, 128, 128, 3, generator=torch.Generator().manual_seed(1)) * 2 - 1


class _FirstStep(nn.Module):
    """What the first coding step says of the latents, of psi."""

    def __init__(self) -> None:
        super().__init__()
        self.network = _model().steps()[0]

    def forward(self, psi: Tensor, level: Tensor | None = None) -> Tensor:
        with torch.no_grad():
            return torch.cat(self.network(psi))


def test_the_function_stays_and_its_rounding_shrinks() -> None:
    psi = torch.randn(2, 8, 8, 16, generator=torch.Generator().manual_seed(2))
    step, equal = _FirstStep(), _FirstStep()
    exact = step(psi)
    equalise(equal, ranges(equal, [psi], _LEVEL))
    torch.testing.assert_close(equal(psi), exact, rtol=1e-4, atol=1e-5)
    for model in (step, equal):
        for part in model.modules():
            if isinstance(part, Quantisable):
                part.quantised = True
    assert (equal(psi) - exact).abs().mean() < (step(psi) - exact).abs().mean() / 4


def test_what_was_seen_stays_within_the_bound() -> None:
    model = _model()
    equalise(model, ranges(model, [_crops()], _LEVEL))
    for seen in ranges(model, [_crops()], _LEVEL).values():
        assert all(r.max() < 4 / 1.4 for r in seen)
        assert seen.hidden.max() > 2


def test_weights_never_outgrow_their_integers() -> None:
    """However often it is done: a channel that is nearly silent is scaled up each time."""
    psi = torch.randn(1, 8, 8, 16, generator=torch.Generator().manual_seed(2))
    step = _FirstStep()
    block = next(iter(bounded_blocks(step).values()))
    block.depthwise.weight.data[0] *= 1e-7
    exact = step(psi)
    for _ in range(8):
        equalise(step, ranges(step, [psi], _LEVEL))
    torch.testing.assert_close(step(psi), exact, rtol=1e-3, atol=1e-4)
    for layer in (block.depthwise, block.expand):
        assert layer.weight.abs().max() <= LIMIT


def test_ranges_lie_where_the_model_does() -> None:
    """On a GPU, say; every machine has the device that computes nothing."""
    seen = ranges(_FirstStep().to("meta"), [], _LEVEL)
    assert {one.device.type for of in seen.values() for one in of} == {"meta"}
