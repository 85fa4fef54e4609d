"""A process that meets pictures of ever new sizes does not grow."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from latentcodec.system.kernel_cache import limit_kernels

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "picture_sizes.py"
SIZES = "--sizes", "30", "--smallest-px", "16", "--largest-px", "200"


def test_a_setting_of_the_user_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LRU_CACHE_CAPACITY", "7")
    monkeypatch.delenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY", raising=False)
    limit_kernels()
    assert os.environ["LRU_CACHE_CAPACITY"] == "7"
    assert int(os.environ["ONEDNN_PRIMITIVE_CACHE_CAPACITY"]) < 1024


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="/proc/self/statm")
def test_memory_stays_over_many_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "LRU_CACHE_CAPACITY", "ONEDNN_PRIMITIVE_CACHE_CAPACITY":
        monkeypatch.delenv(name, raising=False)
    command = [sys.executable, str(BENCHMARK), "--here", *SIZES]
    lines = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    mib = [float(line.split(": ")[1].split()[0]) for line in lines.splitlines()]
    assert len(mib) == 6
    assert mib[-1] - mib[2] < 40, lines  # 90 without
