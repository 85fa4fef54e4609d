"""Memory of a server's processes: each worker's share, spawned, or forked before or after the load.

    python benchmarks/process_memory.py [--workers 4]

A parent and its workers decode a file of 768 x 512 px, then one of 4032 x 3024 px. All are alive
while they are measured. PSS counts pages that several processes share by their share (Linux, from
/proc/self/smaps_rollup); the peak is what the process itself had in memory at most (VmHWM).
"""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
import tempfile
from multiprocessing.synchronize import Barrier
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import click
from large_picture import picture
from PIL import Image

PHOTO = Path(__file__).parent / "data" / "kodak" / "kodim23.png"
LARGE_PX = 4032, 3024
WAYS = {
    "spawn": "spawned",
    "fork": "forked, nothing loaded before",
    "fork-loaded": "forked after the model was loaded (gunicorn --preload)",
}
_MB = 1e6
_TIMEOUT_S = 600


def memory_mb() -> tuple[float, float]:
    """PSS and peak of this process, in millions of bytes."""
    rollup = Path("/proc/self/smaps_rollup").read_text()
    return _field(rollup, "Pss:"), _field(Path("/proc/self/status").read_text(), "VmHWM:")


def _field(text: str, name: str) -> float:
    line = next(line for line in text.splitlines() if line.startswith(name))
    return int(line.split()[1]) * 1024 / _MB


def work(files: list[str], together: Barrier, answers: Any) -> None:
    """A worker: decode each file, and say what that took while all others have it, too."""
    import latentcodec

    codec = latentcodec.Codec(threads=1)
    for file in files:
        codec.decode(file)
        together.wait(_TIMEOUT_S)
        answers.put((Path(file).stem, *memory_mb()))
        together.wait(_TIMEOUT_S)


def serve(way: str, workers: int, files: list[str]) -> None:
    """The parent: start the workers and print a row for each size."""
    import latentcodec

    context: Any = multiprocessing.get_context(way.partition("-")[0])
    if way == "fork-loaded":
        latentcodec.decode(files[0])
    together, answers = context.Barrier(workers + 1), context.SimpleQueue()
    started = [
        context.Process(target=work, args=(files, together, answers)) for _ in range(workers)
    ]
    for process in started:
        process.start()
    for file in files:
        together.wait(_TIMEOUT_S)
        print_row(way, Path(file).stem, workers, answers)
        together.wait(_TIMEOUT_S)
    for process in started:
        process.join()


def print_row(way: str, stem: str, workers: int, answers: SimpleQueue[tuple[Any, ...]]) -> None:
    found = [answers.get() for _ in range(workers)]
    pss, peak = sum(one[1] for one in found), max(one[2] for one in found)
    own = memory_mb()[0]
    print(
        f"| {WAYS[way]} | {stem} | {pss / workers:,.0f} | {own:,.0f} | {pss + own:,.0f} "
        f"| {peak:,.0f} |",
        flush=True,
    )


def load_models() -> None:
    """Print what each packaged model adds to a process that has decoded something."""
    import latentcodec
    from latentcodec.runtime import model_store
    from latentcodec.runtime.base import Family

    with Image.open(PHOTO) as image:
        crop = image.convert("RGB").crop((0, 0, 64, 64))
    before = memory_mb()[0]
    print(f"| torch and NumPy alone | {_with_torch(before):,.0f} |")
    for entry in model_store.entries():
        if entry.family == "vae64":
            continue
        before = memory_mb()[0]
        family = model_store.load(entry)
        assert isinstance(family, Family)
        latentcodec.encode(crop, model=entry.name)
        print(f"| {entry.name} | {memory_mb()[0] - before:,.0f} |", flush=True)


def _with_torch(before: float) -> float:
    import torch

    torch.zeros(64, 64) @ torch.zeros(64, 64)
    return memory_mb()[0]


@click.command()
@click.option("--workers", default=4, show_default=True)
@click.option("--way", type=click.Choice([*WAYS, "models"]), hidden=True)
@click.argument("files", nargs=-1)
def main(workers: int, way: str | None, files: tuple[str, ...]) -> None:
    """Print the tables of docs/processes.md and docs/serving.md."""
    if way == "models":
        load_models()
    elif way:
        serve(way, workers, list(files))
    else:
        run_all(workers)


def run_all(workers: int) -> None:
    """Each way in a process of its own, as what one has loaded the next must not have."""
    import latentcodec

    with tempfile.TemporaryDirectory() as folder:
        small, large = Path(folder) / "768 x 512.lat", Path(folder) / "4032 x 3024.lat"
        small.write_bytes(latentcodec.encode(PHOTO))
        large.write_bytes(latentcodec.encode(picture(*LARGE_PX)))
        command = [sys.executable, __file__, "--workers", str(workers)]
        print("| what | PSS it adds, MB |\n|---|---|", flush=True)
        subprocess.run([*command, "--way", "models"], check=True)
        print(
            f"\n| {workers} workers | px | PSS of one, MB | PSS of the parent, MB | all, MB "
            "| peak of one, MB |\n|---|---|---|---|---|---|",
            flush=True,
        )
        for way in WAYS:
            subprocess.run([*command, "--way", way, str(small), str(large)], check=True)


if __name__ == "__main__":
    main()
