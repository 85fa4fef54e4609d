"""Memory of `latentcodec encode` and `decode` while they go through very many tiny files.

The files are noise of 16 x 16 px, a thousand in a folder. What stays in memory of each, if anything
does, shows as a slope: the resident memory is read while the program works, and a line fitted
through all that comes after the first fifth of the files. Linux only.
"""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
import numpy as np
from PIL import Image

_SIDE_PX = 16
_IN_FOLDER = 1000
_WARM_SHARE = 0.2  # of the files, after which everything is loaded and all buffers are there
_EVERY_S = 0.2


@dataclasses.dataclass
class Run:
    """How many files were done, and MB of resident memory, at several times; and the end."""

    done: list[int]
    memory_mb: list[float]
    seconds: float
    code: int

    def warm(self, files: int) -> tuple[np.ndarray, np.ndarray]:
        """Files and MB, after the first ones."""
        done, memory = np.array(self.done), np.array(self.memory_mb)
        later = done >= _WARM_SHARE * files
        return done[later], memory[later]

    def slope_mb(self, files: int) -> float:
        """MB for every thousand files more."""
        done, memory = self.warm(files)
        return 1000 * float(np.polyfit(done, memory, 1)[0])


def make(folder: Path, files: int) -> None:
    """Write the pictures."""
    random = np.random.default_rng(1)
    for number in range(files):
        place = folder / f"{number // _IN_FOLDER:04}"
        place.mkdir(exist_ok=True)
        pixels = random.integers(0, 256, (_SIDE_PX, _SIDE_PX, 3), np.uint8)
        Image.fromarray(pixels).save(place / f"{number:07}.png", compress_level=1)


def _resident_mb(process: int) -> float:
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1000
    return 0.0


def watched(manifest: Path, *arguments: object) -> Run:
    """Run a command with a manifest, whose lines say how many files are done."""
    start, run = time.perf_counter(), Run([], [], 0, 0)
    command = [sys.executable, "-m", "latentcodec", *map(str, arguments)]
    with subprocess.Popen([*command, "-Q", "--manifest", manifest]) as process:
        done, lines = 0, None
        while process.poll() is None:
            time.sleep(_EVERY_S)
            if lines is None and manifest.exists():
                lines = manifest.open("rb")
            done += lines.read().count(b"\n") if lines else 0
            if memory := _resident_mb(process.pid):
                run.done.append(done)
                run.memory_mb.append(memory)
        if lines:
            lines.close()
    run.seconds, run.code = time.perf_counter() - start, process.returncode
    return run


@click.command(help=__doc__)
@click.option("--files", type=click.IntRange(min=100), default=100_000, show_default=True)
@click.option("--jobs", type=click.IntRange(min=1), help="As for the commands.")
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    help="With --engine ray, whose memory is that of the process which hands out the files.",
)
def main(files: int, jobs: int | None, workers: int | None) -> None:
    several: tuple[object, ...] = ("--jobs", jobs) if jobs else ()
    if workers:
        several = ("--engine", "ray", "--workers", workers)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "in").mkdir()
        make(folder / "in", files)
        for command, source, target in (("encode", "in", "lat"), ("decode", "lat", "out")):
            rows = folder / f"{command}.jsonl"
            paths = ("-r", folder / source, "-o", folder / target)
            run = watched(rows, command, *paths, *several)
            written = sum(1 for path in (folder / target).rglob("*.*") if path.is_file())
            _, memory = run.warm(files)
            click.echo(
                f"{command}: {written} of {files} files written, exit code {run.code}, "
                f"{run.seconds:.0f} s; {memory[0]:.0f} MB after a fifth of them, "
                f"{memory[-1]:.0f} MB at the end, {max(run.memory_mb):.0f} MB at most; "
                f"{run.slope_mb(files):+.2f} MB for each 1000 files"
            )


if __name__ == "__main__":
    main()
