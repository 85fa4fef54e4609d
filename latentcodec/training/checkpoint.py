"""Checkpoints: everything a run needs to go on, in one safetensors file (no pickle).

A checkpoint can be written in parts of a given size, and is joined again when read.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from torch import Tensor

from latentcodec.system.atomic_write import write_file
from latentcodec.training import tensor_file


def save(path: Path, tensors: dict[str, Tensor], meta: dict[str, Any], part_bytes: int = 0) -> None:
    """Write a checkpoint; with `part_bytes`, as PATH.part-00, PATH.part-01, ... instead.

    What was there stays until all of the new one is on the disk, beside it.
    """
    data = tensor_file.pack(tensors, meta)
    path.parent.mkdir(parents=True, exist_ok=True)
    if part_bytes:
        starts = range(0, len(data), part_bytes)
        pieces = [data[start : start + part_bytes] for start in starts]
        kept = {
            path.with_name(f"{path.name}.part-{n:02d}"): piece for n, piece in enumerate(pieces)
        }
        _write_together(kept)
    else:
        kept = {path: data}
        write_file(path, data)
    for old in {path, *_parts(path)} - kept.keys():
        old.unlink(missing_ok=True)


def _write_together(files: dict[Path, bytes]) -> None:
    """Write files under other names first, so that a disk that is full changes none of them."""
    new = {path.with_name(f".{path.name}.new"): path for path in files}
    try:
        for written, path in new.items():
            write_file(written, files[path])
        for written, path in new.items():
            written.replace(path)
    finally:
        for written in new:
            written.unlink(missing_ok=True)


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
    """The parts of a checkpoint that are there, in their order."""
    named = re.compile(rf"{re.escape(path.name)}\.part-(\d{{2,}})")
    found = {}
    for file in path.parent.iterdir() if path.parent.is_dir() else ():
        if number := named.fullmatch(file.name):
            found[int(number[1])] = file
    return [found[number] for number in sorted(found)]
