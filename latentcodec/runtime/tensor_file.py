"""Tensors and a JSON description in one safetensors file: checkpoints and packaged weights."""

from __future__ import annotations

import json
from typing import Any

import safetensors
import safetensors.torch
from torch import Tensor

_KEY = "latentcodec"  # of the description, among the file's metadata


def pack(tensors: dict[str, Tensor], description: dict[str, Any]) -> bytes:
    """The bytes of a file: tensors on any device, and a description that JSON can hold."""
    flat = {name: tensors[name].detach().cpu().contiguous() for name in sorted(tensors)}
    metadata = {_KEY: json.dumps(description, sort_keys=True)}
    return safetensors.torch.save(flat, metadata=metadata)


def unpack(data: bytes) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and description of what `pack` made. Raises ValueError for anything else."""
    try:
        tensors = safetensors.torch.load(data)
        header_bytes = int.from_bytes(data[:8], "little")
        text = json.loads(data[8 : 8 + header_bytes])["__metadata__"][_KEY]
        return tensors, json.loads(text)
    except (safetensors.SafetensorError, KeyError, TypeError) as error:
        raise ValueError(f"not a file of latentcodec's tensors: {error}") from error
