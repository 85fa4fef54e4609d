"""Encodes and decodes for a long time in processes and threads at once.

`python -m tests.soak --minutes 10` prints how much was done, how much of it was wrong, and how
each process's memory grew after its warm-up, a third of the results. The exit code is 1 if a result
was wrong or memory grew by 5 % or more.
"""

from __future__ import annotations

import argparse
import dataclasses
import multiprocessing
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

import latentcodec
from tests.paths import KODAK

MOST_GROWTH = 0.05
_PHOTO = KODAK / "kodim23.png"


@dataclasses.dataclass
class Tally:
    """What one process did: results, those that were wrong, memory in MB after the warm-up and at
    the end (means over the second third and over the last one)."""

    results: int = 0
    wrong: int = 0
    warm_mb: float = 0
    end_mb: float = 0

    @property
    def growth(self) -> float:
        return self.end_mb / self.warm_mb - 1


def cases() -> list[Callable[[], bool]]:
    """What a thread does, by turns: each says whether the result is what it was the first time."""
    photo = Image.open(_PHOTO).convert("RGB")
    clear = photo.crop((200, 100, 280, 150))
    clear.putalpha(Image.linear_gradient("L").resize((80, 50)))
    pictures = [photo.crop((300, 200, 396, 264)), photo.crop((0, 0, 65, 33)).convert("L"), clear]
    made: list[Callable[[], bool]] = []
    for picture, quality in zip(pictures, (20, 90, 50), strict=True):
        data = latentcodec.encode(picture, quality=quality)
        pixels = latentcodec.decode_array(data)

        def encodes(
            picture: Image.Image = picture, quality: int = quality, data: bytes = data
        ) -> bool:
            return latentcodec.encode(picture, quality=quality) == data

        def decodes(data: bytes = data, pixels: np.ndarray = pixels) -> bool:
            return np.array_equal(latentcodec.decode_array(data), pixels)

        def refuses(data: bytes = data) -> bool:
            try:
                latentcodec.decode(data[:-3])
            except latentcodec.LatError:
                return True
            return False

        made += [encodes, decodes, refuses]
    return made


def memory_mb() -> float:
    """Of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def work(seconds: float, threads: int, least: int = 0) -> Tally:
    """One process's part: as long as it is told, and at least so many results."""
    import torch

    torch.set_num_threads(1)
    tally, lock, todo = Tally(), threading.Lock(), cases()
    samples: list[float] = []
    end = time.monotonic() + seconds

    def loop(turn: int) -> None:
        torch.set_num_threads(1)
        while time.monotonic() < end or tally.results < least:
            right = todo[turn % len(todo)]()
            turn += 1
            with lock:
                tally.results += 1
                tally.wrong += not right
                samples.append(memory_mb())

    workers = [threading.Thread(target=loop, args=(turn,)) for turn in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    third = len(samples) // 3
    tally.warm_mb = float(np.mean(samples[third : 2 * third]))
    tally.end_mb = float(np.mean(samples[2 * third :]))
    return tally


def soak(seconds: float, processes: int, threads: int, least: int = 0) -> list[Tally]:
    """All processes at once; each loads the package by itself."""
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        return pool.starmap(work, [(seconds, threads, least)] * processes)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--threads", type=int, default=8)
    chosen = parser.parse_args()
    tallies = soak(60 * chosen.minutes, chosen.processes, chosen.threads)
    for tally in tallies:
        print(
            f"{tally.results} results, {tally.wrong} wrong, "
            f"{tally.warm_mb:.0f} MB after the warm-up, {100 * tally.growth:+.1f} %"
        )
    print(f"{sum(t.results for t in tallies)} results, {sum(t.wrong for t in tallies)} wrong")
    return int(any(tally.wrong or tally.growth >= MOST_GROWTH for tally in tallies))


if __name__ == "__main__":
    sys.exit(main())
