"""How hypothesis builds inputs in tests: the same ones in every run."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

steady = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow],  # the machine may be busy
)
