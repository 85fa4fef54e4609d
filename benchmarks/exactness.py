"""Every image at many qualities, decoded as other machines would: the latents must not differ.

Each configuration is a process of its own with its number of threads and its instruction sets;
it decodes the latents of all files, tiles last to first where there are several, and prints a
hash of each. The reference is what the encoder meant.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
import numpy as np
import torch
from PIL import Image

from latentcodec import container, model_store
from latentcodec.container import TILE_PX
from latentcodec.tiling import CELL_PX, cells, grid

_INSTRUCTIONS = ("ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA", "MKL_ENABLE_INSTRUCTIONS")
_MACHINES = {
    "1 thread": (1, None),
    "2 threads": (2, None),
    "4 threads": (4, None),
    "no AVX": (1, ("default", "SSE41", "SSE4_2")),
    "AVX2": (2, ("avx2", "AVX2", "AVX2")),
    "AVX-512": (2, ("avx512", "AVX512_CORE", "AVX512")),
}


def latents_hash(data: bytes) -> str:
    """SHA-256 over the latents of a file, its tiles decoded last to first."""
    file = container.read(data)
    family = model_store.load_codec(model_store.by_name("hyper"))
    height, width = cells(file.header.height_px), cells(file.header.width_px)
    v_hat = np.empty((height, width, family.config.latents), dtype=np.int32)
    tiles = zip(file.tiles, grid(height, width, TILE_PX // CELL_PX, halo=0), strict=True)
    for tile, (down, right) in reversed(list(tiles)):
        shape = down.stop - down.start, right.stop - right.start
        v_hat[down.own, right.own] = family.decode_latents(tile, file.header.quality_tenths, *shape)
    return hashlib.sha256(v_hat.tobytes()).hexdigest()


def encode_all(images: Path, qualities: list[int], folder: Path) -> list[str]:
    """Write a file per image and quality; returns the hashes of what the encoder meant."""
    entry = model_store.by_name("hyper")
    family = model_store.load_codec(entry)
    meant = []
    for path in sorted(images.glob("*.png")):
        pixels = np.asarray(Image.open(path).convert("RGB"))
        height, width, _ = pixels.shape
        if height % CELL_PX or width % CELL_PX or max(height, width) > TILE_PX:
            raise click.ClickException(f"{path}: sides must be multiples of 16 and one tile")
        for quality in qualities:
            payload, v_hat = family.encode_latents(
                family.analyse(pixels, 10 * quality), 10 * quality
            )
            header = container.Header(
                width, height, container.Colour.RGB, 10 * quality, entry.code, entry.short_hash
            )
            data = container.write(container.LatFile(header, [payload], {}))
            (folder / f"{path.stem}-{quality:03d}.lat").write_bytes(data)
            meant.append(hashlib.sha256(v_hat.tobytes()).hexdigest())
    return meant


@click.command()
@click.option("--images", type=click.Path(path_type=Path), default=Path("benchmarks/data/kodak"))
@click.option("--every", default=5, show_default=True, help="Use each n-th quality from 1 to 100.")
@click.option(
    "--machine", "names", multiple=True, type=click.Choice(list(_MACHINES)), help="Only these."
)
@click.option("--worker", type=click.Path(path_type=Path), hidden=True)
@click.option("--threads", type=int, default=1, hidden=True)
def main(
    images: Path, every: int, names: tuple[str, ...], worker: Path | None, threads: int
) -> None:
    """Check all images of a folder; exits with 1 on any difference."""
    if worker:
        torch.set_num_threads(threads)
        for path in sorted(worker.glob("*.lat")):
            print(latents_hash(path.read_bytes()))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        meant = encode_all(images, list(range(1, 101, every)), folder)
        print(f"{len(meant)} files")
        wrong = 0
        for machine in names or _MACHINES:
            count, levels = _MACHINES[machine]
            variables = dict(zip(_INSTRUCTIONS, levels, strict=True)) if levels else {}
            started = time.monotonic()
            result = subprocess.run(
                [sys.executable, __file__, "--worker", name, "--threads", str(count)],
                env=os.environ | variables,
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
            hashes = result.stdout.split()
            same = sum(a == b for a, b in zip(hashes, meant, strict=True))
            wrong += len(meant) - same
            seconds = time.monotonic() - started
            print(f"{machine:<10} {same} of {len(meant)} identical ({seconds:.0f} s)", flush=True)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
