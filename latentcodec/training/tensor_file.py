"""The files of `runtime.tensor_file` with torch's tensors, on any device and of any type."""

from __future__ import annotations

from typing import Any

import safetensors
import safetensors.torch
from torch import Tensor

from latentcodec.runtime.tensor_file import description_of, metadata_of


def pack(tensors: dict[str, Tensor], description: dict[str, Any]) -> bytes:
    """The bytes of a file: tensors on any device, and a description that JSON can hold."""
    flat = {name: tensors[name].detach().cpu().contiguous() for name in sorted(tensors)}
    return safetensors.torch.save(flat, metadata=metadata_of(description))


def unpack(data: bytes) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and description of what `pack` made. Raises ValueError for anything else."""
    try:
        tensors = safetensors.torch.load(data)
    except (safetensors.SafetensorError, KeyError, TypeError) as error:
        raise ValueError(f"not a file of latentcodec's tensors: {error}") from error
    return tensors, description_of(data)
