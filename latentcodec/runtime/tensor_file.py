"""Tensors and a JSON description in one safetensors file: checkpoints and packaged weights."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy

_KEY = "latentcodec"  # of the description, among the file's metadata


def metadata_of(description: dict[str, Any]) -> dict[str, str]:
    """The metadata of a safetensors file that hold a description, which JSON can hold."""
    return {_KEY: json.dumps(description, sort_keys=True)}


def description_of(data: bytes) -> dict[str, Any]:
    """The description in the bytes of a file. Raises ValueError where there is none."""
    try:
        header_bytes = int.from_bytes(data[:8], "little")
        text = json.loads(data[8 : 8 + header_bytes])["__metadata__"][_KEY]
        return json.loads(text)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"not a file of latentcodec's tensors: {error}") from error


def pack(tensors: dict[str, np.ndarray], description: dict[str, Any]) -> bytes:
    """The bytes of a file."""
    flat = {name: np.ascontiguousarray(tensors[name]) for name in sorted(tensors)}
    return safetensors.numpy.save(flat, metadata=metadata_of(description))


def unpack(data: bytes) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Tensors and description of what `pack` made. Raises ValueError for anything else."""
    try:
        tensors = safetensors.numpy.load(data)
    except (safetensors.SafetensorError, KeyError, TypeError) as error:
        raise ValueError(f"not a file of latentcodec's tensors: {error}") from error
    return tensors, description_of(data)


def float_tensor(tensors: dict[str, np.ndarray], name: str) -> np.ndarray:
    """The tensor `float.NAME` of a weights file, float32, whatever holds it there.

    Weights in int8 are multiplied by the scales of their outputs. Raises KeyError.
    """
    stored = tensors[f"float.{name}"]
    if stored.dtype != np.int8:
        return stored.astype(np.float32)
    scale = tensors[f"float.{name}.scale"]
    return stored * scale.reshape(-1, *[1] * (stored.ndim - 1))
