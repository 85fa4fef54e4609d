"""How far a figure would move with other pictures: bootstrap intervals over the images."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95
RESAMPLES = 1000
# Resamples of fewer images are too much alike to say anything.
MIN_IMAGES = 5
_SEED = 1


@dataclass(frozen=True)
class Interval:
    """The central 95 % of a figure over the resamples, in the figure's own unit."""

    low: float
    high: float

    def overlaps(self, other: Interval) -> bool:
        """Whether the two have a value in common."""
        return self.low <= other.high and other.low <= self.high

    def contains(self, value: float) -> bool:
        """Whether a value is between the ends, or one of them."""
        return self.low <= value <= self.high


@functools.cache
def weights(images: int) -> NDArray[np.float64]:
    """How much each image counts in each resample, float64 [RESAMPLES, images].

    Images are drawn with replacement, as many as there are (Efron, "Bootstrap methods: another look
    at the jackknife", 1979). The seed is fixed, so that the same draws serve every codec, which
    makes comparisons paired, and a figure is the same in every run.
    """
    draws = np.random.default_rng(_SEED).integers(images, size=(RESAMPLES, images))
    counts = np.stack([np.bincount(draw, minlength=images) for draw in draws])
    return counts / images


def interval(values: Sequence[float] | NDArray[np.float64]) -> Interval | None:
    """The percentile interval of a figure's values over the resamples.

    None where more than a tenth of the resamples gave no value.
    """
    if len(values) < 0.9 * RESAMPLES:
        return None
    tail = 50.0 * (1.0 - CONFIDENCE)
    low, high = np.percentile(values, [tail, 100.0 - tail])
    return Interval(float(low), float(high))


def interval_of_mean(values: Sequence[float]) -> Interval | None:
    """The interval of the mean of one value per image; None below MIN_IMAGES images."""
    if len(values) < MIN_IMAGES:
        return None
    return interval(list(weights(len(values)) @ np.asarray(values)))
