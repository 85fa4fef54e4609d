"""Times and memory: one file at a time in a process of its own, after everything else is done."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from latentcodec.bench.images import image_name, load_rgb, pixel_hash
from latentcodec.bench.rows import TimeRow, read_rows, write_rows
from latentcodec.bench.run import Plan, Progress, codec_of, workers
from latentcodec.system.cpu import cores

Result = TypeVar("Result")


def measure_times(
    plan: Plan, csv_path: Path, runs: int, fresh: bool, progress: Progress
) -> list[TimeRow]:
    """Time every codec of the plan at every setting on every image.

    Args:
        plan: What to time.
        csv_path: times.csv; codecs that it has already are not timed again.
        runs: How often each file is encoded and decoded; the medians are kept.
        fresh: Begin the table afresh.
        progress: Called after each image of a codec with the files done and to do in this run.

    Returns:
        One row for everything in the plan, codec by codec.

    Raises:
        LatError: A codec fails, or its process dies.
    """
    kept = [] if fresh else read_rows(TimeRow, csv_path)
    done = {
        codec.name: _finished(plan, codec.name, codec.version(), kept, runs)
        for codec in plan.codecs
    }
    missing = [name for name, rows in done.items() if not rows]
    total = sum(len(plan.settings[name]) * len(plan.hashes) for name in missing)
    others = [row for row in kept if row.codec not in done]
    count = 0
    for name in missing:
        # A process for each codec, so that the peak of memory is its own.
        with workers(1) as pool:
            for path in plan.hashes:
                rows = pool.submit(time_image, name, plan.settings[name], path, runs).result()
                done[name] += rows
                count += len(rows)
                progress(count, total)
        write_rows(TimeRow, csv_path, [*others, *(row for rows in done.values() for row in rows)])
    return [row for rows in done.values() for row in rows]


def known_times(plan: Plan, csv_path: Path, fresh: bool) -> list[TimeRow]:
    """The rows that there are of the plan's codecs, as they are now. Raises LatError."""
    versions = {codec.name: codec.version() for codec in plan.codecs}
    kept = [] if fresh else read_rows(TimeRow, csv_path)
    return [row for row in kept if versions.get(row.codec) == row.version]


def _finished(
    plan: Plan, name: str, version: str, kept: Sequence[TimeRow], runs: int
) -> list[TimeRow]:
    """The kept rows of a codec if they are all that the plan asks for, otherwise none."""
    wanted = {
        (setting, image_name(path), pixels)
        for setting in plan.settings[name]
        for path, pixels in plan.hashes.items()
    }
    rows = [
        row
        for row in kept
        if (row.codec, row.version, row.runs) == (name, version, runs)
        and (row.setting, row.image, row.image_hash) in wanted
    ]
    return rows if len(rows) == len(wanted) else []


def time_image(codec_name: str, settings: Sequence[float], path: Path, runs: int) -> list[TimeRow]:
    """The median times of one codec on one image, one row per setting."""
    codec, image = codec_of(codec_name), load_rgb(path)
    # The first use also loads libraries and weights, which the times are not about.
    codec.decode(codec.encode(image, settings[0]))
    rows = []
    for setting in settings:
        data, encode_s = _median_time(partial(codec.encode, image, setting), runs)
        _, decode_s = _median_time(partial(codec.decode, data), runs)
        rows.append(
            TimeRow(
                codec=codec_name,
                setting=setting,
                image=image_name(path),
                image_hash=pixel_hash(image),
                version=codec.version(),
                runs=runs,
                cores=cores(),
                encode_s=round(encode_s, 6),
                decode_s=round(decode_s, 6),
                peak_mib=_peak_mib(),
            )
        )
    return rows


def _median_time(work: Callable[[], Result], runs: int) -> tuple[Result, float]:
    """The result of `work`, and its median wall time in seconds."""
    times_s = []
    for _ in range(runs):
        start_s = time.perf_counter()
        result = work()
        times_s.append(time.perf_counter() - start_s)
    return result, statistics.median(times_s)


def _peak_mib() -> float:
    """The highest resident memory of this process in MiB; nan where Linux does not tell."""
    # Not getrusage: on Linux its maximum starts from that of the process that started this one.
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return round(int(line.split()[1]) / 1024, 1)
    return float("nan")
