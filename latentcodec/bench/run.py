"""Measures codecs on images through real files, several at a time, and keeps what is finished."""

from __future__ import annotations

import functools
import multiprocessing
import os
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from latentcodec.bench import codecs
from latentcodec.bench.codecs import Codec
from latentcodec.bench.images import image_name, load_rgb, pixel_hash
from latentcodec.bench.metrics import bits_per_pixel, distortion
from latentcodec.bench.rows import Row, line_of, read_rows, write_rows
from latentcodec.errors import LatError
from latentcodec.runtime.precision import VARIABLE, use_whole_process
from latentcodec.system.allocator import keep_memory

Progress = Callable[[int, int], None]
_DIGITS = 6  # of the floats in the table, so that it reads back as what it was


@dataclass(frozen=True)
class Plan:
    """What to measure: every codec at every one of its settings on every image.

    `settings` holds the settings by name of the codec, `hashes` the pixel hash by path.
    """

    codecs: Sequence[Codec]
    settings: dict[str, Sequence[float]]
    hashes: dict[Path, str]

    @classmethod
    def of(cls, chosen: Sequence[Codec], paths: Sequence[Path], points: int | None) -> Plan:
        """The plan with at most `points` settings per codec, spread over its whole range.

        Raises LatError or OSError for an image that cannot be read.
        """
        settings = {codec.name: spread(codec.settings, points) for codec in chosen}
        return cls(chosen, settings, {path: pixel_hash(load_rgb(path)) for path in paths})

    def tasks(self) -> Iterator[tuple[Codec, float, Path]]:
        """Everything to measure, image by image, so that a worker loads each image once."""
        for path in self.hashes:
            for codec in self.codecs:
                for setting in self.settings[codec.name]:
                    yield codec, setting, path


def spread(settings: Sequence[float], points: int | None) -> Sequence[float]:
    """`points` of the settings, evenly spread with both ends; all where there are no more."""
    if points is None or points >= len(settings):
        return settings
    picks = np.linspace(0, len(settings) - 1, points).round().astype(int)
    return [settings[pick] for pick in picks]


def measure(
    plan: Plan, csv_path: Path, jobs: int, fresh: bool, progress: Progress
) -> tuple[list[Row], int]:
    """Encode and decode everything in the plan, `jobs` files at a time.

    Args:
        plan: What to measure.
        csv_path: rd.csv. Rows are appended as they are finished, so that an interrupted run loses
            nothing else, and those of earlier runs are reused where codec and image are the same.
        jobs: Worker processes; each uses one thread of torch, whatever their number, so that
            the pixels do not depend on it.
        fresh: Begin the table afresh instead.
        progress: Called after each new row with the rows done and to do in this run.

    Returns one row for everything in the plan, in its order, and how many of them were reused.
    Raises LatError where a codec fails or a worker dies.
    """
    kept = [] if fresh else _current(read_rows(Row, csv_path), plan)
    finished = {row.key: row for row in kept}
    order = [(codec.name, setting, image_name(path)) for codec, setting, path in plan.tasks()]
    open_tasks = [
        task for task, key in zip(plan.tasks(), order, strict=True) if key not in finished
    ]
    write_rows(Row, csv_path, kept)
    with csv_path.open("a", encoding="utf-8") as stream, workers(jobs, threads=1) as pool:
        futures = [
            pool.submit(measure_file, c.name, setting, path) for c, setting, path in open_tasks
        ]
        for count, future in enumerate(as_completed(futures), start=1):
            row = future.result()
            stream.write(line_of(row))
            stream.flush()
            finished[row.key] = row
            progress(count, len(open_tasks))
    rows = [finished[key] for key in order]
    asked = set(order)
    write_rows(Row, csv_path, rows + [row for key, row in finished.items() if key not in asked])
    return rows, len(order) - len(open_tasks)


def _current(rows: Sequence[Row], plan: Plan) -> list[Row]:
    """The rows that are of the codecs and images that are here, as far as the plan has them."""
    versions = {codec.name: codec.version() for codec in plan.codecs}
    hashes = {image_name(path): pixels for path, pixels in plan.hashes.items()}
    return [
        row
        for row in rows
        if versions.get(row.codec, row.version) == row.version
        and hashes.get(row.image, row.image_hash) == row.image_hash
    ]


@contextmanager
def workers(count: int, threads: int | None = None) -> Iterator[ProcessPoolExecutor]:
    """Fresh processes; whatever is still waiting when the block is left is dropped.

    Each uses `threads` threads of torch, and float32 unless LATENTCODEC_PRECISION names another; or
    as many as torch likes, and what is fast here.
    """
    # Not forked: torch's threads do not survive a fork.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(
        count, mp_context=context, initializer=_start_worker, initargs=(threads,)
    )
    try:
        yield pool
    except BrokenProcessPool:
        raise LatError(
            "a worker process died, perhaps for lack of memory; the same command with fewer "
            "--jobs goes on from here"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _start_worker(threads: int | None) -> None:
    # Ctrl-C reaches every process of a terminal; the first one alone decides what to do.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if threads:
        import torch

        torch.set_num_threads(threads)
        # Rounding to bfloat16 would let sizes, pixels and MS-SSIM depend on the processor.
        os.environ.setdefault(VARIABLE, "float32")
    use_whole_process()
    keep_memory()


def _end_with_parent() -> None:
    # Killed, it could tell no one, and minutes of work would go on for nobody.
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


codec_of = functools.lru_cache(maxsize=None)(codecs.find)


def measure_file(codec_name: str, setting: float, path: Path) -> Row:
    """Encode one image to a file, decode what the file holds, and measure both.

    Raises:
        LatError: The codec fails, which may happen in any way.
    """
    codec, image = codec_of(codec_name), load_rgb(path)
    try:
        with tempfile.TemporaryDirectory() as folder:
            encoded = Path(folder, "encoded")
            encoded.write_bytes(codec.encode(image, setting))
            size_bytes = encoded.stat().st_size
            decoded = np.asarray(codec.decode(encoded.read_bytes()))
        measured = asdict(distortion(np.asarray(image), decoded))
    except Exception as error:  # other people's codecs raise anything
        raise LatError(
            f"{codec.label} failed on {image_name(path)} at {setting:g}: {error}"
        ) from None
    bpp = bits_per_pixel(size_bytes, image.width, image.height)
    return Row(
        codec=codec_name,
        setting=setting,
        image=image_name(path),
        image_hash=pixel_hash(image),
        version=codec.version(),
        width=image.width,
        height=image.height,
        bytes=size_bytes,
        bpp=round(bpp, _DIGITS),
        **{name: round(value, _DIGITS) for name, value in measured.items()},
    )
