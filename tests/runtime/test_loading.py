"""What it takes to load a model."""

from __future__ import annotations

import subprocess
import sys

_LOADED = """
import sys
from latentcodec.runtime import model_store
model_store.load_codec(model_store.by_name("hyper"), "torch")
print(*sorted({"sympy", "torch._dynamo", "latentcodec.training"} & set(sys.modules)))
"""


def test_nothing_is_compiled() -> None:
    """torch's compiler and what it imports take a second and 100 MB."""
    found = subprocess.run([sys.executable, "-c", _LOADED], capture_output=True, check=True)
    assert not found.stdout.split()
