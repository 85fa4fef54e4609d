"""Checkpoints: everything a run needs to go on, in one safetensors file (no pickle).

A checkpoint can be written in parts of a given size, and is joined again when read.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import Tensor

from latentcodec.system.atomic_write import write_file
from latentcodec.training import tensor_file


def save(path: Path, tensors: dict[str, Tensor], meta: dict[str, Any], part_bytes: int = 0) -> None:
    """Write atomically; with `part_bytes`, as PATH.part-00, PATH.part-01, ... instead."""
    data = tensor_file.pack(tensors, meta)
    path.parent.mkdir(parents=True, exist_ok=True)
    for old in _parts(path):
        old.unlink()
    if not part_bytes:
        write_file(path, data)
        return
    for number, start in enumerate(range(0, len(data), part_bytes)):
        part = path.with_name(f"{path.name}.part-{number:02d}")
        write_file(part, data[start : start + part_bytes])


def load(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and metadata of a checkpoint, whole or in parts.

    Raises FileNotFoundError, or ValueError for a file that is not a checkpoint.
    """
    parts = [] if path.exists() else _parts(path)
    data = b"".join(p.read_bytes() for p in parts) if parts else path.read_bytes()
    try:
        return tensor_file.unpack(data)
    except ValueError as error:
        raise ValueError(f"{path} is not a checkpoint of latentcodec: {error}") from error


def under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors whose names begin with `prefix`, such as "average/", by the rest of them."""
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def _parts(path: Path) -> list[Path]:
    return sorted(path.parent.glob(f"{path.name}.part-[0-9][0-9]"))
