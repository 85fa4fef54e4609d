"""Bjontegaard's differences in rate and in quality between two rate-distortion curves."""

from __future__ import annotations

import contextlib
import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentcodec.bench.pchip import mean_between

MIN_OVERLAP_DB = 1.0


class NotComparable(ValueError):
    """Two curves share too little of an axis; the message is one sentence for a person."""


@dataclass(frozen=True)
class Curve:
    """A rate-distortion curve that rises strictly in rate and in quality.

    Attributes:
        bpp: float64 [n], bits per pixel, all above 0.
        quality: float64 [n], in dB, or in points for a metric that has no dB.
    """

    bpp: NDArray[np.float64]
    quality: NDArray[np.float64]

    @classmethod
    def from_points(cls, bpp: Sequence[float], quality: Sequence[float]) -> Curve:
        """Build a curve from points in any order; both sequences have length n.

        Points that cannot be on a strictly rising curve are dropped, see below.

        Raises:
            ValueError: The sequences differ in length, or a rate is not positive.
        """
        points = sorted(zip(bpp, quality, strict=True), key=lambda point: (point[0], -point[1]))
        if points and not points[0][0] > 0.0:
            raise ValueError(f"a rate must be above 0 bpp, not {points[0][0]}")
        kept: list[tuple[float, float]] = []
        best = -math.inf
        for rate, reached in points:
            # PCHIP needs strictly rising quality. A point that spends more bits and does not
            # raise it is one that nobody would choose, so it is left out. So is an exact copy,
            # whose PSNR is infinite and has no place on the axis.
            if reached > best and math.isfinite(reached):
                kept.append((rate, reached))
                best = reached
        table = np.array(kept, dtype=np.float64).reshape(-1, 2)
        return cls(bpp=table[:, 0], quality=table[:, 1])

    def mean_log_rate(self, low: float, high: float) -> float:
        """Mean of ln(bpp) over the qualities from low to high, which the curve covers."""
        return float(self._log_rate.integrate(low, high)) / (high - low)

    def mean_quality(self, low_bpp: float, high_bpp: float) -> float:
        """Mean quality over ln(bpp) between two rates that the curve covers."""
        low, high = math.log(low_bpp), math.log(high_bpp)
        return float(_pchip(np.log(self.bpp), self.quality).integrate(low, high)) / (high - low)

    @functools.cached_property
    def _log_rate(self) -> Any:
        """ln(bpp) over quality, kept because one curve meets many others."""
        return _pchip(self.quality, np.log(self.bpp))


@dataclass(frozen=True)
class BdRate:
    """A BD-rate in percent (negative: fewer bits) and the range of quality that it is over."""

    percent: float
    low: float
    high: float


@dataclass(frozen=True)
class BdGain:
    """A gain in quality (positive: better) and the range of rates in bpp that it is over."""

    gain: float
    low_bpp: float
    high_bpp: float


def bd_rate(anchor: Curve, test: Curve, min_overlap: float = MIN_OVERLAP_DB) -> BdRate:
    """How many more bits, in percent, `test` needs than `anchor` at equal quality.

    The mean, over the whole range of quality that both curves cover, of the difference in
    ln(rate), turned back into a ratio. After G. Bjontegaard, "Calculation of average PSNR
    differences between RD-curves", VCEG-M33, 2001, with his cubic polynomial replaced by piecewise
    cubic Hermite interpolation (PCHIP), which does not overshoot between the points.

    Raises:
        NotComparable: A curve has fewer than two points, or the ranges of quality overlap by less
            than `min_overlap`, which is in the unit of quality.
    """
    low, high = _shared_quality(anchor, test, min_overlap)
    difference = test.mean_log_rate(low, high) - anchor.mean_log_rate(low, high)
    return BdRate(percent=100.0 * math.expm1(difference), low=low, high=high)


def bd_rates(
    anchors: Sequence[Curve], tests: Sequence[Curve], min_overlap: float = MIN_OVERLAP_DB
) -> NDArray[np.float64]:
    """`bd_rate` of many pairs in percent, as many as can be compared: float64 [n]."""
    kept, spans = [], []
    for pair in zip(anchors, tests, strict=True):
        with contextlib.suppress(NotComparable):
            spans.append(_shared_quality(*pair, min_overlap))
            kept.append(pair)
    if not kept:
        return np.empty(0)
    first, second = (_mean_log_rates(curves, np.array(spans)) for curves in zip(*kept, strict=True))
    return 100.0 * np.expm1(second - first)


def _mean_log_rates(curves: Sequence[Curve], spans: NDArray[np.float64]) -> NDArray[np.float64]:
    """`Curve.mean_log_rate` of many, each over its own span: float64 [n, 2] -> [n]."""
    lengths = np.array([len(curve.bpp) for curve in curves])
    means = np.empty(len(curves))
    for length in np.unique(lengths):
        places = np.flatnonzero(lengths == length).tolist()
        quality = np.stack([curves[place].quality for place in places])
        log_rate = np.log(np.stack([curves[place].bpp for place in places]))
        means[places] = mean_between(quality, log_rate, *spans[places].T)
    return means


def bd_gain(anchor: Curve, test: Curve, min_overlap: float = MIN_OVERLAP_DB) -> BdGain:
    """How much better `test` is than `anchor` at equal rate, in the unit of quality.

    BD-PSNR where the quality is PSNR: the mean difference over the logarithm of the rates that
    both curves cover, by the same interpolation as `bd_rate`.

    Raises:
        NotComparable: As `bd_rate`, or the curves share no rates.
    """
    _shared_quality(anchor, test, min_overlap)
    low = float(max(anchor.bpp[0], test.bpp[0]))
    high = float(min(anchor.bpp[-1], test.bpp[-1]))
    if not low < high:
        raise NotComparable("the curves share no range of bits per pixel")
    gain = test.mean_quality(low, high) - anchor.mean_quality(low, high)
    return BdGain(gain=gain, low_bpp=low, high_bpp=high)


def _pchip(x: NDArray[np.float64], y: NDArray[np.float64]) -> Any:
    """The PCHIP curve through the points, which rise in x."""
    from scipy.interpolate import PchipInterpolator  # of the extra, which not all of bench needs

    return PchipInterpolator(x, y)


def _shared_quality(anchor: Curve, test: Curve, min_overlap: float) -> tuple[float, float]:
    shortest = min(len(anchor.bpp), len(test.bpp))
    if shortest < 2:
        raise NotComparable(f"a curve needs 2 points that rise in quality, and one has {shortest}")
    low = float(max(anchor.quality[0], test.quality[0]))
    high = float(min(anchor.quality[-1], test.quality[-1]))
    overlap = max(high - low, 0.0)
    if overlap < min_overlap:
        unit = "dB" if min_overlap == MIN_OVERLAP_DB else "points"
        raise NotComparable(
            f"the curves overlap by {overlap:.2f} {unit}, and {min_overlap:g} {unit} is needed"
        )
    return low, high
