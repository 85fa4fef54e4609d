"""PCHIP of many curves at once, for the bootstrap: scipy's takes one at a time, of which a table
with intervals needs some hundred thousand."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def mean_between(x: Floats, y: Floats, low: Floats, high: Floats) -> Floats:
    """The mean of each curve, float64 [curves, points], from low to high, [curves]: [curves].

    x rises in each, and low < high are within it. The interpolation of Fritsch and Butland 1984, "A
    method for constructing local monotone piecewise cubic interpolants", and the ends as
    scipy.interpolate.PchipInterpolator has them.
    """
    width = np.diff(x)
    rise = np.diff(y) / width
    slope = _slopes(width, rise)
    start, end = slope[:, :-1], slope[:, 1:]
    square = (3 * rise - 2 * start - end) / width
    cube = (start + end - 2 * rise) / width**2

    def integral(to: Floats) -> Floats:
        """From each curve's first point."""
        t = np.clip(to[:, None] - x[:, :-1], 0, width)
        return (t * (y[:, :-1] + t * (start / 2 + t * (square / 3 + t * cube / 4)))).sum(1)

    mean: Floats = (integral(high) - integral(low)) / (high - low)
    return mean


def _slopes(width: Floats, rise: Floats) -> Floats:
    """At each point."""
    if rise.shape[1] == 1:
        return np.repeat(rise, 2, axis=1)
    first, second = 2 * width[:, 1:] + width[:, :-1], width[:, 1:] + 2 * width[:, :-1]
    falls = np.sign(rise[:, 1:]) * np.sign(rise[:, :-1]) <= 0
    with np.errstate(divide="ignore", invalid="ignore"):
        inner = (first + second) / (first / rise[:, :-1] + second / rise[:, 1:])
    ends = (_end(width[:, a], width[:, b], rise[:, a], rise[:, b]) for a, b in ((0, 1), (-1, -2)))
    left, right = (end[:, None] for end in ends)
    return np.concatenate([left, np.where(falls, 0.0, inner), right], axis=1)


def _end(width: Floats, next_width: Floats, rise: Floats, next_rise: Floats) -> Floats:
    """The slope at an end, by three points, as far as that keeps the curve's shape."""
    slope = ((2 * width + next_width) * rise - width * next_rise) / (width + next_width)
    turns = (np.sign(rise) != np.sign(next_rise)) & (np.abs(slope) > 3 * np.abs(rise))
    kept = np.where(turns, 3 * rise, slope)
    end: Floats = np.where(np.sign(slope) != np.sign(rise), 0.0, kept)
    return end
