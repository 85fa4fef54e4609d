"""Bjontegaard's difference in rate between two rate-distortion curves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

MIN_OVERLAP_DB = 1.0


class NotComparable(ValueError):
    """Two curves share too little of the PSNR axis; the message is one sentence for a person."""


@dataclass(frozen=True)
class Curve:
    """A rate-distortion curve that rises strictly in PSNR, and never falls in rate.

    Attributes:
        bpp: float64 [n], bits per pixel, all above 0.
        psnr_db: float64 [n], dB.
    """

    bpp: NDArray[np.float64]
    psnr_db: NDArray[np.float64]

    @classmethod
    def from_points(cls, bpp: Sequence[float], psnr_db: Sequence[float]) -> Curve:
        """Build a curve from points in any order; both sequences have length n, in bpp and dB.

        Points that cannot be on a strictly rising curve are dropped, see below.

        Raises:
            ValueError: The sequences differ in length, or a rate is not positive.
        """
        points = sorted(zip(bpp, psnr_db, strict=True), key=lambda point: (point[0], -point[1]))
        if points and not points[0][0] > 0.0:
            raise ValueError(f"a rate must be above 0 bpp, not {points[0][0]}")
        kept: list[tuple[float, float]] = []
        best_db = -math.inf
        for rate, quality in points:
            # PCHIP needs strictly rising PSNR. A point that spends more bits and does not raise
            # the PSNR is one that nobody would choose, so it is left out. So is an exact copy,
            # whose PSNR is infinite and has no place on the axis.
            if quality > best_db and math.isfinite(quality):
                kept.append((rate, quality))
                best_db = quality
        table = np.array(kept, dtype=np.float64).reshape(-1, 2)
        return cls(bpp=table[:, 0], psnr_db=table[:, 1])

    def mean_log_rate(self, low_db: float, high_db: float) -> float:
        """Mean of ln(bpp) over the PSNR range from low_db to high_db, which the curve covers."""
        log_rate = PchipInterpolator(self.psnr_db, np.log(self.bpp))
        return float(log_rate.integrate(low_db, high_db)) / (high_db - low_db)


@dataclass(frozen=True)
class BdRate:
    """A BD-rate in percent (negative: fewer bits) and the PSNR range in dB that it is over."""

    percent: float
    low_db: float
    high_db: float


def bd_rate(anchor: Curve, test: Curve) -> BdRate:
    """How many more bits, in percent, `test` needs than `anchor` at equal PSNR.

    The mean, over the whole PSNR range that both curves cover, of the difference in ln(rate),
    turned back into a ratio. After G. Bjontegaard, "Calculation of average PSNR differences
    between RD-curves", VCEG-M33, 2001, with his cubic polynomial replaced by piecewise cubic
    Hermite interpolation (PCHIP), which does not overshoot between the points.

    Raises:
        NotComparable: A curve has fewer than two points, or the ranges overlap by less than 1 dB.
    """
    shortest = min(len(anchor.bpp), len(test.bpp))
    if shortest < 2:
        raise NotComparable(f"a curve needs 2 points that rise in PSNR, and one has {shortest}")
    low_db = float(max(anchor.psnr_db[0], test.psnr_db[0]))
    high_db = float(min(anchor.psnr_db[-1], test.psnr_db[-1]))
    overlap_db = max(high_db - low_db, 0.0)
    if overlap_db < MIN_OVERLAP_DB:
        raise NotComparable(
            f"the curves overlap by {overlap_db:.2f} dB, and {MIN_OVERLAP_DB:g} dB is needed"
        )
    difference = test.mean_log_rate(low_db, high_db) - anchor.mean_log_rate(low_db, high_db)
    return BdRate(percent=100.0 * math.expm1(difference), low_db=low_db, high_db=high_db)
