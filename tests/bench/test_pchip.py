"""Many curves at once are what scipy makes of each."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("scipy", reason="the extra `bench` is not installed")

from scipy.interpolate import PchipInterpolator

from latentcodec.bench.bdrate import Curve, NotComparable, bd_rate, bd_rates
from latentcodec.bench.pchip import mean_between


@pytest.mark.parametrize("points", [2, 3, 4, 10])
def test_means_are_those_of_scipy(points: int) -> None:
    random = np.random.default_rng(points)
    x = np.cumsum(random.uniform(0.1, 3, (200, points)), axis=1)
    y = random.normal(size=(200, points))
    y[:50] = np.sort(y[:50])  # as curves of rate are
    y[50:60] = np.sort(np.round(y[50:60]))  # with level pieces
    low, high = np.sort(random.uniform(x[:, :1], x[:, -1:], (200, 2)), axis=1).T
    found = mean_between(x, y, low, high)
    for place in range(200):
        curve = PchipInterpolator(x[place], y[place])
        mean = curve.integrate(low[place], high[place]) / (high[place] - low[place])
        assert found[place] == pytest.approx(mean, rel=1e-9, abs=1e-9)


def test_rates_of_many_pairs_are_those_of_each() -> None:
    random = np.random.default_rng(1)

    def curve() -> Curve:
        rates = np.cumsum(random.uniform(0.1, 1, random.integers(1, 9)))
        quality = 30 + 4 * np.log(rates) + random.normal(0, 0.3, len(rates))
        return Curve.from_points(rates.tolist(), quality.tolist())

    anchors, tests = ([curve() for _ in range(300)] for _ in "at")
    expected = []
    for pair in zip(anchors, tests, strict=True):
        try:
            expected.append(bd_rate(*pair).percent)
        except NotComparable:
            continue
    assert 30 < len(expected) < 300
    assert bd_rates(anchors, tests) == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert len(bd_rates(anchors[:1], [Curve.from_points([1.0], [99.0])])) == 0
