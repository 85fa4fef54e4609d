"""What is trained on: several sets at once, and grain."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from latentcodec.training.data import Augmentation, CropSampler, Photographs, with_grain


def _images(values: list[int], side: int = 96) -> Photographs:
    """Images of one value each, so that a crop tells where it comes from."""
    images = [torch.full((side, side, 3), value, dtype=torch.uint8) for value in values]
    cells = side // 32
    return Photographs(
        images,
        [np.ones((cells, cells), dtype=np.float32) for _ in values],
        np.full(len(values), 1 / len(values)),
    )


def test_a_joined_set_has_its_share_of_the_crops() -> None:
    joined = _images([0, 1, 2]).with_graphics(_images([200, 201], 128), 0.12)
    assert len(joined.images) == len(joined.details) == 5
    assert joined.shares[:3].sum() == pytest.approx(0.88)
    assert joined.shares[3:].sum() == pytest.approx(0.12)
    assert [int(image[0, 0, 0]) for image in joined.images] == [0, 1, 2, 200, 201]
    assert joined.details[4].shape == (4, 4)
    sampler = CropSampler(joined, 32, seed=3)
    batch = torch.cat([sampler.batch(step, 100) for step in range(10)])
    others = (batch.mean(dim=(1, 2, 3)) > 0).float().mean()
    assert 0.09 < others < 0.15


def _grained(quality: float, count: int = 400) -> torch.Tensor:
    """What is added to grey crops of a quality."""
    torch.manual_seed(4)
    return with_grain(torch.zeros(count, 12, 12, 3), torch.full((count,), quality))


def test_crops_of_all_qualities_get_fine_grain_and_upper_ones_coarse_grain() -> None:
    for quality, coarse in ((0.0, 0.0), (0.55, 0.0), (0.9, 0.04)):
        sigma = _grained(quality, 4000).std(dim=(1, 2, 3)) * 127.5
        assert (sigma > 0).float().mean() == pytest.approx(0.25 + coarse, abs=0.03)
        assert (sigma > 7.5).float().mean() == pytest.approx(0.7 * coarse, abs=0.015)


def test_grain_is_noise_of_any_strength_with_and_without_colour() -> None:
    x = _grained(0.7, 4000)
    grained = x[x.flatten(1).any(1)]
    sigma = grained.std(dim=(1, 2, 3)) * 127.5
    assert 20 < sigma.max() < 29
    assert sigma.min() < 1
    without = (grained == grained[..., :1]).flatten(1).all(1)
    assert without.float().mean() == pytest.approx(0.5, abs=0.1)
    # From place to place it is independent, and so are the channels where they differ.
    rows = grained[~without]
    for other in (rows.roll(1, 1), rows.roll(1, 2), rows.roll(1, 3)):
        assert (rows * other).mean().abs() < 0.02 * rows.square().mean()


def test_grain_stays_within_the_range() -> None:
    torch.manual_seed(5)
    x = with_grain(torch.ones(200, 8, 8, 3), torch.ones(200))
    assert x.max() == 1
    assert x.min() < 0.9


def _sampled(how: Augmentation, graphics: int = 0) -> torch.Tensor:
    """Crops of a picture of noise, blurred and so in need of what brings detail back."""
    torch.manual_seed(1)
    noise = torch.nn.functional.avg_pool2d(torch.rand(3, 300, 300), 5, 1)
    image = (noise * 255).to(torch.uint8).permute(1, 2, 0).contiguous()
    details = np.ones((9, 9), np.float32)
    details[:, :4] = 9  # said to have more on its left
    photographs = Photographs([image], [details], np.ones(1), graphics)
    sampler = CropSampler(photographs, 64, 7, how)
    return torch.cat([sampler.batch(step, 8) for step in range(12)])


def _sharpness(crops: torch.Tensor) -> float:
    return float(crops.diff(dim=2).std() / crops.std())


def test_photographs_get_their_detail_back() -> None:
    plain = _sampled(Augmentation(unscaled_share=1.0))
    scaled = _sampled(Augmentation(unscaled_share=0.0, sharpened_share=0.0))
    sharpened = _sampled(Augmentation(unscaled_share=0.0, sharpened_share=1.0))
    assert _sharpness(plain) < _sharpness(scaled) < _sharpness(sharpened)


def test_graphics_stay_as_they_are_drawn() -> None:
    drawn = _sampled(Augmentation(unscaled_share=0.0, sharpened_share=1.0), graphics=1)
    assert _sharpness(drawn) == pytest.approx(
        _sharpness(_sampled(Augmentation(unscaled_share=1.0))), rel=0.05
    )
