"""A picture that goes through the transforms in strips comes out as it does in one piece."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from latentcodec.models.config import TransformConfig
from latentcodec.models.first_layers import FirstLayers
from latentcodec.models.transforms import Analysis, Synthesis
from latentcodec.pipeline.decoder import SCALES
from latentcodec.runtime.base import Family
from latentcodec.runtime.streaming import analysed, synthesised

LAPPED = TransformConfig(channels_8=8, channels_16=8, blocks_16=1, lapped=True)
HEIGHTS = [[1] * 12, [5, 7], [2, 1, 9], [11, 1], [12]]


def cut(rows: np.ndarray, heights: list[int], unit: int) -> Iterator[np.ndarray]:
    """Strips of so many times `unit` rows."""
    yield from np.split(rows, np.cumsum(heights)[:-1] * unit)


@pytest.mark.parametrize("heights", HEIGHTS)
def test_analysis(family_in_float32: Family, photo: np.ndarray, heights: list[int]) -> None:
    whole = family_in_float32.analyse(photo[:192, :160], 700)
    parts = list(family_in_float32.analyse_strips(cut(photo[:192, :160], heights, 16), 700))
    assert np.allclose(np.concatenate(parts), whole, atol=1e-4)
    if sum(heights[:-1]) > family_in_float32.analysis_halo:
        assert max(map(len, parts)) < len(whole), "all waited for the last strip"


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("heights", HEIGHTS)
def test_synthesis(family: Family, photo: np.ndarray, heights: list[int], scale: int) -> None:
    _, v_hat = family.encode_latents(family.analyse(photo[:192, :160], 400), 400)
    whole = family.synthesise(v_hat, 400, scale).astype(int)
    parts = list(family.synthesise_strips(cut(v_hat, heights, 1), 400, scale))
    assert np.abs(np.concatenate(parts) - whole).max() <= 1


@pytest.mark.parametrize(
    "config",
    [
        TransformConfig(channels_8=8, channels_16=8, blocks_8=3, blocks_16=1, latents=12, kernel=5),
        TransformConfig(channels_8=8, channels_16=8, blocks_8=1, blocks_16=3, latents=12),
        TransformConfig(channels_8=8, channels_16=8, blocks_8=0, blocks_16=0, latents=12),
        dataclasses.replace(LAPPED, latents=12),
        dataclasses.replace(LAPPED, latents=12, blocks_8=0, synthesis_blocks_16=0),
        dataclasses.replace(
            LAPPED, blocks_8=0, blocks_16=0, synthesis_blocks_8=0, synthesis_blocks_16=0
        ),
    ],
)
@pytest.mark.parametrize("scale", SCALES)
@torch.inference_mode()
def test_other_sizes(config: TransformConfig, scale: int) -> None:
    """Rows that wait may be an odd number, and filters may reach beyond a whole strip."""
    torch.manual_seed(1)
    g_a, g_s = Analysis(config).eval(), Synthesis(config).eval()
    x, level, std = torch.rand(1, 96, 64, 3), torch.tensor([4.0]), torch.ones(config.latents)
    if g_a.prefilter is not None:
        g_a.prefilter.add_(torch.randn_like(g_a.prefilter), alpha=0.05)
    postfilter = g_a.postfilter()
    y = g_a(x, level, std)
    x_hat = g_s(y, level, std, postfilter, scale)
    first = FirstLayers(g_s, std, std, level, scale if postfilter is None else 1)
    for height in (1, 2, 5):
        rows = x.split(16 * height, dim=1)
        assert torch.allclose(torch.cat(list(analysed(g_a, rows, level, std)), 1), y, atol=1e-5)
        rows = y.split(height, dim=1)
        strips = synthesised(g_s, first, rows, level, postfilter, scale)
        pixels = torch.cat(list(strips), 1)
        assert torch.allclose(pixels, x_hat, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.int32, torch.float32, torch.float64])
@torch.inference_mode()
def test_the_shortcut_has_the_bits_of_whole_numbers_and_of_others(
    dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where torch rounds factors to bfloat16, beyond whose whole numbers a channel may go."""
    config = dataclasses.replace(LAPPED, latents=12)
    torch.manual_seed(1)
    g_s, std, level = Synthesis(config).eval(), torch.ones(12), torch.tensor([4.0])
    v = (1000 * torch.randn(1, 2, 3, 12) / torch.arange(1, 13) ** 2).to(dtype)
    pixels: list[torch.Tensor] = []
    for rounds in (False, True):
        rounding = functools.partial(bool, rounds)
        monkeypatch.setattr("latentcodec.models.first_layers.rounds_factors", rounding)
        first = FirstLayers(g_s, std, std, level, 1)
        pixels.append(first(v, torch.empty(1, 2, 3, config.channels_16)))
    plain, rounded = pixels
    assert torch.allclose(rounded, plain, atol=0.02, rtol=0)
    assert plain.abs().max() > 100
