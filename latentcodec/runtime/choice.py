"""Which library runs the networks: torch, or ONNX Runtime, which is a fraction of its size."""

from __future__ import annotations

import importlib.util
import os
from typing import Literal, get_args

from latentcodec.errors import LatError

Runtime = Literal["torch", "onnx"]
RUNTIMES: tuple[Runtime, ...] = get_args(Runtime)
VARIABLE = "LATENTCODEC_RUNTIME"
_MODULE_OF = {"torch": "torch", "onnx": "onnxruntime"}


def is_installed(runtime: Runtime) -> bool:
    """Whether the library is there; it is not imported."""
    return importlib.util.find_spec(_MODULE_OF[runtime]) is not None


def chosen(runtime: str | None = None) -> Runtime:
    """`runtime`, or what the environment variable names, or the first that is installed.

    torch comes first: it is what models are trained and measured with. Raises ValueError for
    another name, and LatError for one in the variable and for a library that is not installed.
    """
    wanted = runtime or os.environ.get(VARIABLE) or None
    for name in RUNTIMES:
        if wanted in (name, None) and is_installed(name):
            return name
    if wanted is None:
        raise LatError("neither torch nor onnxruntime is installed: pip install torch")
    for name in RUNTIMES:
        if wanted == name:
            raise LatError(f"{_MODULE_OF[name]} is not installed: pip install {_MODULE_OF[name]}")
    known = f"must be {' or '.join(RUNTIMES)}, not {wanted!r}"
    raise ValueError(f"the runtime {known}") if runtime else LatError(f"{VARIABLE} {known}")
