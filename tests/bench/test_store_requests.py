"""benchmarks/store_requests.py: what it counts."""

from __future__ import annotations

import importlib.util
import os

import pytest
import store_requests

pytestmark = pytest.mark.slow


def test_a_picture_is_one_get_and_one_put(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("moto", "s3fs", "flask"):
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is not installed: the extra `dev` brings it")
    for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, os.environ.get(name, ""))  # put back afterwards
    monkeypatch.setenv("AWS_DEFAULT_REGION", "")
    counts = store_requests.counted(3)
    assert counts["GET"] == counts["PUT"] == 3
    assert counts["LIST"] > 0
