"""Memory that is freed is there for what comes next."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

_FAULTS = """
import resource, sys
import numpy as np
from latentcodec.system.allocator import keep_memory
if "keep" in sys.argv: keep_memory()
def fill():
    for _ in range(5): [np.ones(2 << 20) for _ in range(4)]
fill()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
fill()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def _faults(*arguments: str) -> int:
    command = [sys.executable, "-c", _FAULTS, *arguments]
    return int(subprocess.run(command, capture_output=True, check=True).stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries do as usual")
def test_it_is_kept() -> None:
    """Four times 16 MiB are asked for, again and again."""
    assert _faults("keep") < 200
    assert _faults() > 4000
