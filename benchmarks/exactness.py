"""Every photograph at several qualities, decoded as other machines would: no latent may differ.

Files are encoded once, by this process, which notes what latents were meant. Each row is a
process of its own, with its number of threads, instruction sets and order of tiles, that decodes
the latents of all files. Rows about tiles take mosaics of six photographs, in four tiles each.

Encode on one machine, decode on another: `--files DIR` keeps the files and what was meant, and
takes them where they are already there.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from PIL import Image

from latentcodec.format import container
from latentcodec.images.picture import picture_of
from latentcodec.options import EncodeOptions
from latentcodec.pipeline import encoder
from latentcodec.runtime import model_store
from latentcodec.runtime.base import Family, TileCoder

_ROOT = Path(__file__).resolve().parents[1]
_WORKER = Path(__file__).with_name("exactness_worker.py")
_MEANT = "meant.json"
_LEVELS = ("ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA", "MKL_ENABLE_INSTRUCTIONS")
_ONEDNN = ("SSE41", "AVX", "AVX2", "AVX512_CORE", "AVX512_CORE_VNNI", "AVX512_CORE_BF16")


@dataclasses.dataclass(frozen=True)
class Machine:
    """How a row decodes: what its process is given, and which files."""

    threads: int = 1
    variables: dict[str, str] = dataclasses.field(default_factory=dict)
    order: str = "in order"  # of the tiles, as in exactness_worker.py
    files: str = "photographs"


def _all_levels(*levels: str) -> dict[str, str]:
    return dict(zip(_LEVELS, levels, strict=True))


MACHINES = {
    **{f"{n} thread{'s' * (n > 1)}": Machine(n) for n in (1, 2, 4)},
    **{f"ATen {x}": Machine(1, {_LEVELS[0]: x}) for x in ("default", "avx2", "avx512")},
    **{f"oneDNN {x}": Machine(1, {_LEVELS[1]: x}) for x in _ONEDNN},
    "no AVX": Machine(1, _all_levels("default", "SSE41", "SSE4_2")),
    "AVX2": Machine(2, _all_levels("avx2", "AVX2", "AVX2")),
    "AVX-512": Machine(2, _all_levels("avx512", "AVX512_CORE", "AVX512")),
    **{
        f"tiles {order}": Machine(order=order, files="mosaics")
        for order in ("in order", "last to first", "shuffled", "by windows")
    },
    **{
        f"ONNX Runtime, {n} thread{'s' * (n > 1)}": Machine(n, {"LATENTCODEC_RUNTIME": "onnx"})
        for n in (1, 2)
    },
    "NumPy oracle": Machine(order="oracle"),
}


class Recording:
    """A family that remembers the latents that each payload was meant to be."""

    def __init__(self, family: Family) -> None:
        self._family = family
        self.meant: dict[bytes, np.ndarray] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._family, name)

    def tile(self, y: np.ndarray, tenths: int) -> RecordingTile:
        return RecordingTile(self._family.tile(y, tenths), self.meant)


@dataclasses.dataclass(frozen=True)
class RecordingTile:
    """What codes a tile, and remembers what it coded."""

    tile: TileCoder
    meant: dict[bytes, np.ndarray]

    def encode(self, v: np.ndarray, plain: bool = False) -> tuple[bytes, np.ndarray]:
        payload, v_hat = self.tile.encode(v, plain)
        self.meant[payload] = v_hat
        return payload, v_hat


def encode(pixels: np.ndarray, quality: float, model: str, family: Family) -> tuple[bytes, str]:
    """The file of a picture, uint8 [H, W, 3], and the SHA-256 of its latents, tile after tile."""
    recording: Any = Recording(family)
    options = EncodeOptions(quality=quality)
    data = encoder.encode(picture_of(pixels), options, model=model, load=lambda _: recording)
    digest = hashlib.sha256()
    for payload in container.read(data).tiles:
        digest.update(recording.meant[payload].astype("<i4").tobytes())
    return data, digest.hexdigest()


def pictures(images: Path) -> Iterator[tuple[str, np.ndarray]]:
    """The photographs of a folder, and mosaics of six, 2 x 3, each laid on its side."""
    paths = sorted(images.glob("*.png"))
    photographs = [np.asarray(Image.open(path).convert("RGB")) for path in paths]
    for path, photograph in zip(paths, photographs, strict=True):
        yield f"photographs/{path.stem}", photograph
    flat = [np.rot90(p) if p.shape[0] > p.shape[1] else p for p in photographs]
    for start in range(0, len(flat) - 5, 6):
        rows = [np.concatenate(flat[start + row : start + row + 2], axis=1) for row in (0, 2, 4)]
        yield f"mosaics/{start // 6}", np.concatenate(rows)


def write_files(
    folder: Path, images: Path, qualities: list[int], model: str, device: str
) -> dict[str, str]:
    """A file per picture and quality; gives what was meant by name, and keeps it beside them."""
    entry = model_store.by_name(model)
    family = model_store.load_codec(entry).on(torch.device(device))
    meant = {}
    for name, pixels in pictures(images):
        for quality in qualities:
            data, meant[f"{name}-{quality:03d}.lat"] = encode(pixels, quality, entry.name, family)
            path = folder / f"{name}-{quality:03d}.lat"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    (folder / _MEANT).write_text(json.dumps(meant, indent=1) + "\n")
    return meant


def decode(python: str, machine: Machine, paths: list[Path]) -> tuple[dict[str, Any], list[str]]:
    """What the process of a row says about itself, and the hash of each file's latents."""
    found = subprocess.run(
        [python, str(_WORKER), machine.order, str(machine.threads), *map(str, paths)],
        env=os.environ | machine.variables | {"PYTHONPATH": str(_ROOT)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout.splitlines()
    return json.loads(found[0]), found[1:]


def row(name: str, python: str, folder: Path, meant: dict[str, str], limit: int | None) -> int:
    """Print a row; returns how many files differ."""
    machine, started = MACHINES[name], time.monotonic()
    names = [file for file in sorted(meant) if file.startswith(machine.files)][:limit]
    about, hashes = decode(python, machine, [folder / file for file in names])
    wrong = sum(meant[file] != found for file, found in zip(names, hashes, strict=True))
    cells = [name, about["torch"], about["numpy"], about["aten"], machine.threads, len(names)]
    seconds = f"{time.monotonic() - started:.0f}"
    print("| " + " | ".join(map(str, [*cells, wrong, seconds])) + " |", flush=True)
    return wrong


@click.command()
@click.option("--images", type=click.Path(path_type=Path), default=Path("benchmarks/data/kodak"))
@click.option("--every", default=20, show_default=True, help="Use each n-th quality from 1 to 100.")
@click.option("--model", default="hyper", show_default=True, help="What encodes.")
@click.option(
    "--device", default="cpu", show_default=True, help="Where the encoder's analysis runs."
)
@click.option(
    "--machine", "names", multiple=True, type=click.Choice(list(MACHINES)), help="Only these rows."
)
@click.option("--python", default=sys.executable, help="The interpreter that decodes.")
@click.option("--files", "kept", type=click.Path(path_type=Path), help="Keep or take files here.")
@click.option("--limit", type=int, help="Decode only this many files a row.")
def main(
    images: Path,
    every: int,
    model: str,
    device: str,
    names: tuple[str, ...],
    python: str,
    kept: Path | None,
    limit: int | None,
) -> None:
    """Print a table with a row for each machine; exits with 1 on any difference."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = kept or Path(temporary)
        if (folder / _MEANT).exists():
            meant = json.loads((folder / _MEANT).read_text())
        else:
            meant = write_files(folder, images, list(range(1, 101, every)), model, device)
        print("| decoded by | torch | NumPy | ATen | threads | files | differing | seconds |")
        print("|---|---|---|---|---|---|---|---|")
        # The oracle has only the prior of hyper.
        family = model_store.by_name(model).family
        chosen = names or [name for name in MACHINES if family == "hyper" or "oracle" not in name]
        sys.exit(1 if sum(row(name, python, folder, meant, limit) for name in chosen) else 0)


if __name__ == "__main__":
    main()
