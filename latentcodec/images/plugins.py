"""Formats that other packages teach Pillow, where they are installed (the extra `formats`)."""

from __future__ import annotations

import contextlib
import functools
import importlib
from pathlib import Path

# The packages, by the extensions of what they read.
_PACKAGES = {
    **dict.fromkeys((".heic", ".heif", ".hif"), "pillow-heif"),
    ".jxl": "pillow-jxl-plugin",
}


@functools.cache
def register() -> None:
    """Let Pillow know of HEIC and JPEG XL, if it can."""
    with contextlib.suppress(ImportError):
        importlib.import_module("pillow_heif").register_heif_opener()
    with contextlib.suppress(ImportError):
        importlib.import_module("pillow_jxl")  # registers itself


def advice(path: Path) -> str:
    """What would help to read a file of such a name, as the end of a sentence."""
    package = _PACKAGES.get(path.suffix.lower())
    return f": the package {package} would teach it" if package else ""
