"""From a checkpoint to packaged weights: 8-bit transforms, integer prior, tables.

Weights of the transforms have 8 bits and a scale for each output, which costs 0.05 % of the bits
(docs/design.md) and saves half of the file.

The prior's networks become integers of 8 bits and a sign with a shift for each output, as the last
part of a training has seen them already (`training.integer_prior`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from latentcodec.models.families import build, config_of, part
from latentcodec.runtime.tensor_file import description_of
from latentcodec.system.atomic_write import write_file
from latentcodec.training import checkpoint, tensor_file
from latentcodec.training.averages import name_of

_INTEGER = ("h_s.", "context.", "scale_offset.", "z_mean.", "z_log_scale.")
_SINGLE = ("gain", "y_std", "level", "rows", "prefilter")  # what is small
# In half precision: it carries the DC, whose rounding would be seen at high quality.
_SHORTCUT = "shortcut"
_LARGEST = 127  # of a weight in 8 bits


def export(
    source: Path, target: Path, data: Sequence[Path] | None = None, average: float | None = None
) -> None:
    """Write packaged weights from an average of a checkpoint: the first, or that of a decay.

    data: photographs to measure on. A `vae` needs them for its steps; with them, `hyper` gets
    measured tables instead of Gaussian ones; an `ae` has learned its densities.

    Raises FileNotFoundError, ValueError for a file that is no checkpoint or for missing data,
    and CorruptWeights where the integer networks would break their exactness bound.
    """
    for path in data or ():
        path.stat()  # raises where there is nothing; some families do not look
    saved, meta = checkpoint.load(source)
    if "progress" not in meta:
        raise ValueError(f"{source} has been exported already: name the checkpoint that it is of")
    model = build(meta["family"], config_of(meta["family"], meta["config"]))
    name = name_of(average, first=average is None)
    averaged = checkpoint.under(saved, f"{name}/")
    if not averaged:
        raise ValueError(f"{source} has no average of decay {average}")
    try:
        model.load_state_dict(averaged)
    except RuntimeError as error:  # torch lists every tensor
        raise ValueError(f"{source} is of an earlier release, whose networks had others") from error
    tensors = _float_tensors(model)
    exporter = part(meta["family"], "exporter")
    if exporter:
        tensors = exporter(model, tensors, data)
    description = {"family": meta["family"], "config": meta["config"], "trained": meta["progress"]}
    target.parent.mkdir(parents=True, exist_ok=True)
    write_file(target, tensor_file.pack(tensors, description))


def _float_tensors(model: torch.nn.Module) -> dict[str, Tensor]:
    kept: dict[str, Tensor] = {}
    for name, value in model.state_dict().items():
        if name.startswith(_INTEGER):
            continue
        if any(word in name for word in _SINGLE):
            kept[f"float.{name}"] = value.float()
        elif value.ndim == 1 or _SHORTCUT in name:
            kept[f"float.{name}"] = value.half()
        else:
            kept |= _in_8_bits(f"float.{name}", value.float())
    return kept


def _in_8_bits(name: str, weight: Tensor) -> dict[str, Tensor]:
    """A weight [out, ...] as int8, and the float32 scale of each output beside it."""
    largest = weight.abs().flatten(1).amax(1).clamp_min(torch.finfo(torch.float32).tiny * _LARGEST)
    scale = largest / _LARGEST
    rows = weight / scale.view(-1, *[1] * (weight.ndim - 1))
    return {name: rows.round().to(torch.int8), f"{name}.scale": scale}


def register(weights: Path, name: str, code: str) -> None:
    """Enter a weights file into the manifest.json beside it, in place of its name's old entry.

    A new name comes last: the first model of a family is the one that the family's name stands for.
    name: such as "hyper-base"; code: four ASCII characters that files carry. Raises ValueError for
    a manifest.json that is none.
    """
    data = weights.read_bytes()
    description = description_of(data)
    path = weights.with_name("manifest.json")
    manifest = _manifest_at(path) if path.exists() else {"models": []}
    entry = {
        "name": name,
        "code": code,
        "family": description["family"],
        "file": weights.name,
        "sha256": hashlib.sha256(data).hexdigest(),
        "config": description["config"],
        "trained": description["trained"],
    }
    names = [row["name"] for row in manifest["models"]]
    place = names.index(name) if name in names else len(names)
    manifest["models"][place : place + 1] = [entry]
    write_file(path, (json.dumps(manifest, indent=2) + "\n").encode())


def _manifest_at(path: Path) -> dict[str, Any]:
    try:
        manifest = json.loads(path.read_bytes())
        if all("name" in row for row in manifest["models"]):
            return manifest
    except (ValueError, KeyError, TypeError):
        pass
    raise ValueError(f"{path} is no manifest of weights: nothing is registered there")
