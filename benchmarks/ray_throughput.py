"""`latentcodec encode --engine ray` against the local pool, on the same folder.

python benchmarks/ray_throughput.py --pictures 200 --workers 2

Both are whole commands, in turns. The start of each is the same command on as many pictures of
16 x 16 px as there are workers, which is taken off: it has Python, torch and the model loaded by
every worker. The cluster is there before. Memory is the largest resident set of each worker.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import click
from PIL import Image

KODAK = Path(__file__).parent / "data" / "kodak"
_STORE_BYTES = 80 << 20
_POLL_S = 0.2


@contextlib.contextmanager
def cluster_of(workers: int) -> Iterator[str]:
    """A node of Ray's with so many processors on this machine: its address."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    from ray.cluster_utils import Cluster

    node = {"num_cpus": workers, "object_store_memory": _STORE_BYTES, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=node)
    try:
        yield cluster.address
    finally:
        cluster.shutdown()


class Memory:
    """Watches the processes that Ray calls `ray::Worker`, while it is entered (Linux alone).

    peak_mib: the largest resident set of each process.
    """

    def __init__(self) -> None:
        self.peak_mib: dict[int, float] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Memory:
        self._thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(_POLL_S):
            for folder in Path("/proc").glob("[0-9]*"):
                with contextlib.suppress(OSError):  # it has ended
                    if (folder / "cmdline").read_bytes().startswith(b"ray::Worker"):
                        status = (folder / "status").read_text()
                        peak = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
                        if peak:
                            self.peak_mib[int(folder.name)] = int(peak[1]) / 1024


def folder_of(pictures: Path, count: int, folder: Path) -> float:
    """Fill a folder with so many PNG files, the same ones again and again: their megapixels."""
    folder.mkdir()
    sources = sorted(pictures.glob("*.png"))
    pixels = 0
    for number in range(count):
        source = sources[number % len(sources)]
        shutil.copy(source, folder / f"{number:05}.png")
        with Image.open(source) as image:
            pixels += image.width * image.height
    return pixels / 1e6


def command_s(folder: Path, *more: str) -> float:
    """Seconds of a command, which must succeed, on a new folder of outputs."""
    with tempfile.TemporaryDirectory() as out:
        start = time.perf_counter()
        command = [sys.executable, "-m", "latentcodec", "encode", "--quiet", "-r", str(folder)]
        subprocess.run([*command, "-o", out, *more], check=True)
        seconds = time.perf_counter() - start
        count = len(list(Path(out).glob("*.lat")))
    if count != len(list(folder.glob("*.png"))):
        raise click.ClickException(f"{count} files were written")
    return seconds


@click.command()
@click.argument(
    "images", type=click.Path(exists=True, file_okay=False, path_type=Path), default=KODAK
)
@click.option("--pictures", default=200, show_default=True)
@click.option("--workers", default=2, show_default=True)
@click.option("--runs", default=3, show_default=True, help="Of which times are medians.")
@click.option("--model", help="As for the command.")
def main(images: Path, pictures: int, workers: int, runs: int, model: str | None) -> None:
    """Measure with the PNG files of the folder IMAGES. The machine should be idle."""
    more = ["--model", model] if model else []
    with tempfile.TemporaryDirectory() as temporary, cluster_of(workers) as address:
        folder, tiny = Path(temporary, "in"), Path(temporary, "tiny")
        megapixels = folder_of(images, pictures, folder)
        tiny.mkdir()
        for number in range(workers):
            Image.new("RGB", (16, 16)).save(tiny / f"{number}.png")
        ways = {
            "local pool": ["--jobs", str(workers), *more],
            "Ray": ["--engine", "ray", "--address", address, "--workers", str(workers), *more],
        }
        whole: dict[str, list[float]] = {name: [] for name in ways}
        start: dict[str, list[float]] = {name: [] for name in ways}
        with Memory() as memory:
            for number in range(runs):
                for name in list(ways)[:: -1 if number % 2 else 1]:
                    start[name].append(command_s(tiny, *ways[name]))
                    whole[name].append(command_s(folder, *ways[name]))
    report(megapixels, whole, start, workers)
    peaks = ", ".join(f"{peak:.0f}" for peak in sorted(memory.peak_mib.values()))
    click.echo(f"memory of the workers on Ray: {peaks} MiB at most")


def report(
    megapixels: float, whole: dict[str, list[float]], start: dict[str, list[float]], workers: int
) -> None:
    """Print the medians of each way, and what Ray reaches of the local pool."""
    rate = {}
    for name in whole:
        all_s, start_s = statistics.median(whole[name]), statistics.median(start[name])
        rate[name] = megapixels / (all_s - start_s)
        click.echo(
            f"{name}: {all_s:.1f} s, of which {start_s:.1f} s to start; "
            f"{rate[name]:.2f} MP/s without, {rate[name] / workers:.2f} MP/s a worker"
        )
    click.echo(f"Ray has {100 * rate['Ray'] / rate['local pool']:.0f} % of the local pool's rate")


if __name__ == "__main__":
    main()
