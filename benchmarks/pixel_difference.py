"""How far the pixels of the same files differ between machines, whose latents never do.

    python benchmarks/pixel_difference.py [--count 4]

The synthesis is floating point, and its sums depend on the instructions of the processor and on
the number of threads. Rows are named as in exactness.py; the last one is in bfloat16.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import click
import numpy as np
from exactness import MACHINES
from PIL import Image

import latentcodec
from latentcodec.runtime.precision import VARIABLE

_KODAK = Path(__file__).parent / "data" / "kodak"
_QUALITIES = (20, 60, 90)
_USUAL = "AVX-512"
_ROWS = {"no AVX": "float32", "AVX2": "float32", _USUAL: "float32", "bfloat16": "bfloat16"}
_DECODE = """
import sys, torch, numpy as np, latentcodec
from pathlib import Path
torch.set_num_threads(int(sys.argv[2]))
files = sorted(Path(sys.argv[1]).glob("*.lat"))
pixels = [np.asarray(latentcodec.decode(path.read_bytes())).ravel() for path in files]
np.save(sys.argv[3], np.concatenate(pixels))
"""


@click.command()
@click.option("--count", default=4, show_default=True, help="Photographs.")
def main(count: int) -> None:
    """Decode files of Kodak photographs as several machines would, and compare."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for path in sorted(_KODAK.glob("*.png"))[:count]:
            with Image.open(path) as image:
                for quality in _QUALITIES:
                    data = latentcodec.encode(image, quality=quality, tune="psnr")
                    (folder / f"{path.stem}-{quality}.lat").write_bytes(data)
        decoded = {row: _decoded(folder, row) for row in _ROWS}
    for row in _ROWS:
        difference = np.abs(decoded[row].astype(np.int16) - decoded[_USUAL])
        click.echo(
            f"{row} and {_USUAL}: {np.count_nonzero(difference)} of {difference.size} samples "
            f"differ, by {difference.max()} at most"
        )


def _decoded(folder: Path, row: str) -> np.ndarray:
    """All samples of all files, uint8, from a process of its own."""
    machine, out = MACHINES.get(row, MACHINES[_USUAL]), folder / "pixels.npy"
    arguments = [str(folder), str(machine.threads), str(out)]
    environment = os.environ | machine.variables | {VARIABLE: _ROWS[row]}
    subprocess.run([sys.executable, "-c", _DECODE, *arguments], check=True, env=environment)
    pixels: np.ndarray = np.load(out)
    return pixels


if __name__ == "__main__":
    main()
