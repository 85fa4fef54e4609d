"""Formats that other packages teach Pillow, where they are installed (the extra `formats`)."""

from __future__ import annotations

import contextlib
import functools
import importlib
from collections import Counter
from importlib.util import find_spec

# The packages and their modules, by the extensions of what they read and write.
_PACKAGES = {
    **dict.fromkeys((".heic", ".heif", ".hif"), ("pillow-heif", "pillow_heif")),
    ".jxl": ("pillow-jxl-plugin", "pillow_jxl"),
}


@functools.cache
def register() -> None:
    """Let Pillow know of HEIC and JPEG XL, if it can."""
    with contextlib.suppress(ImportError):
        importlib.import_module("pillow_heif").register_heif_opener()
    with contextlib.suppress(ImportError):
        importlib.import_module("pillow_jxl")  # registers itself


def advice(suffix: str, does: str = "reads it") -> str:
    """What would help with a file of such an extension, as the end of a sentence; "" where it is
    there, or nothing would."""
    package, module = _PACKAGES.get(suffix.lower(), ("", ""))
    return "" if not package or find_spec(module) else f": the package {package} {does}"


def not_written(suffix: str) -> str:
    """What is said of an extension whose format Pillow does not write here."""
    return f"Pillow writes no {suffix or 'such'} files{advice(suffix, 'writes them')}"


def listed(left_out: Counter[str]) -> str:
    """What was left out of folders, by suffix: 12 .txt, 1 .jxl: the package pillow-jxl-plugin
    reads it."""
    return ", ".join(f"{count} {kind}{advice(kind)}" for kind, count in left_out.most_common())
