"""Filters across the borders of blocks: they reach 8 pixels, and their inverses undo them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from latentcodec.models.families import build, sized
from latentcodec.models.lapped import filtered
from latentcodec.models.transforms import averaged

FILTERS = torch.eye(16) + 0.05 * torch.randn(2, 16, 16, generator=torch.manual_seed(3))
SIZES = [(48, 80), (16, 80), (48, 16), (16, 16)]


@pytest.mark.parametrize("size", SIZES)
def test_the_inverse_undoes_it(size: tuple[int, int]) -> None:
    x = torch.randn(2, *size, 3)
    there = filtered(x, FILTERS)
    assert torch.allclose(filtered(there, torch.linalg.inv(FILTERS)), x, atol=1e-4)
    assert torch.equal(there, x) == (size == (16, 16))


def test_each_border_of_blocks_has_its_16_rows_and_columns() -> None:
    x = torch.randn(1, 48, 64, 3)
    there = filtered(x, FILTERS)
    # In numbers, one colour at a time: the halves of two blocks above and below, left and right.
    for colour in range(3):
        plane = x[0, :, :, colour].numpy()
        for left in (8, 24, 40):
            plane[:, left : left + 16] = plane[:, left : left + 16] @ FILTERS[1].numpy().T
        for top in (8, 24):
            plane[top : top + 16] = FILTERS[0].numpy() @ plane[top : top + 16]
        assert np.allclose(there[0, :, :, colour].numpy(), plane, atol=1e-5)


@pytest.mark.parametrize("scale", [2, 4, 8, 16])
def test_means_of_the_pixels(scale: int) -> None:
    x = torch.randn(2, 32, 48, 3)
    wanted = torch.nn.functional.avg_pool2d(x.permute(0, 3, 1, 2), scale).permute(0, 2, 3, 1)
    assert torch.allclose(averaged(x, scale), wanted, atol=1e-6)


def test_latents_of_a_whole_spectrum_give_the_pixels_back() -> None:
    """The shortcut alone, with all frequencies: analysis and synthesis are inverses."""
    config = sized("ae", "small")
    model = build("ae", type(config)(**{**vars(config), "latents": 768, "lapped": True}))
    with torch.no_grad():
        x = torch.rand(1, 64, 48, 3) * 2 - 1
        model.start(x)
        model.g_a.prefilter += FILTERS - torch.eye(16)
        back = model.g_s.linear(model.g_a.linear(x), 1, model.g_a.postfilter())
    assert torch.allclose(back, x, atol=1e-4)


def test_the_filters_are_trained() -> None:
    model = build("hyper", sized("hyper", "small"))
    x = torch.rand(2, 64, 64, 3) * 2 - 1
    model.start(x)
    out = model(x, torch.tensor([3.0, 5.0]))
    (out.bits.sum() + 1e4 * (out.x_hat - x).square().sum()).backward()
    gradient = model.g_a.prefilter.grad
    assert gradient.shape == (2, 16, 16)
    assert (gradient.flatten(1).norm(dim=1) > 0).all()
