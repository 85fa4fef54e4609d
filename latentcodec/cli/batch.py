"""Many files, several at a time.

The jobs are threads: they share one import of the runtime and one copy of the model, and the
networks and Pillow's decoders let each other run. Each job has its share of the cores.
"""

from __future__ import annotations

import atexit
import contextlib
import dataclasses
import functools
import gc
import sys
from collections import Counter, deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import click

from latentcodec.cli.options import BatchOptions
from latentcodec.cli.paths import (
    STREAM,
    Task,
    existing,
    is_target,
    standard_input,
    standard_output,
)
from latentcodec.cli.report import Report
from latentcodec.errors import LatError
from latentcodec.files.result import FileResult
from latentcodec.images.plugins import listed
from latentcodec.runtime.choice import chosen
from latentcodec.runtime.compute import share_cores
from latentcodec.system.cpu import cores

if TYPE_CHECKING:
    from concurrent.futures import Future

    from latentcodec.cli.prefetch import Prefetcher
    from latentcodec.cli.progress import Progress
    from latentcodec.files.manifest import Manifest
    from latentcodec.files.options import FileOptions

_MOST_WAITING = 1000  # so that those behind a large file are not kept waiting, nor all in memory
_MOST_JOBS = 8  # unless more are asked for: each holds a picture in memory

# `encode_file` or `decode_file` with their options: source and target to a result. Another process
# may be sent one.
Convert = Callable[..., FileResult]


def results(
    tasks: list[Task],
    convert: Convert,
    options: BatchOptions,
    ahead: Prefetcher | None = None,
    progress: Progress | None = None,
) -> Iterator[FileResult]:
    """Do all tasks, and tell how each ended, in their order.

    One task, or one job, has all cores and needs no thread. ahead: reads pictures while several
    jobs work. progress: what `convert` tells how far it is, and is stopped by. Raises LatError
    where the engine cannot be had.
    """
    if options.engine == "ray" and not options.dry_run:
        yield from _on_ray(tasks, convert, options)
        return
    jobs = min(options.jobs or min(cores(), _MOST_JOBS), len(tasks))
    if jobs == 1 or options.dry_run:
        yield from (_result(task, None if options.dry_run else convert) for task in tasks)
        return
    from concurrent.futures import ThreadPoolExecutor

    if ahead:
        convert = functools.partial(convert, read=ahead.read)
    share = functools.partial(share_cores, jobs, chosen(options.runtime))
    names = (task.source for task in tasks if not task.refused and not task.is_done)
    reading = ahead.reading(names) if ahead else contextlib.nullcontext()
    waiting: deque[Future[FileResult]] = deque()
    with ThreadPoolExecutor(jobs) as pool, reading:
        try:
            for task in tasks:
                waiting.append(pool.submit(_shared_result, share, task, convert))
                if len(waiting) == _MOST_WAITING:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:  # after Ctrl-C only what has begun is finished, unless it takes long
            if progress:
                progress.stop()
            pool.shutdown(cancel_futures=True)


def _on_ray(tasks: list[Task], convert: Convert, options: BatchOptions) -> Iterator[FileResult]:
    if any(STREAM in (task.source, task.target) for task in tasks):
        raise click.UsageError("workers on Ray read and write files, and not -")
    try:
        from latentcodec.cli.ray_engine import results as results_on_ray
    except ModuleNotFoundError as error:
        raise LatError(f"{error.name} is missing: pip install 'latentcodec[ray]'") from error
    open_tasks = [task for task in tasks if not task.refused and not task.is_done]
    on_ray = results_on_ray(
        open_tasks,
        functools.partial(_result, convert=convert),
        address=options.address,
        workers=options.workers,
        threads=options.threads,
        runtime=options.runtime,
    )
    with contextlib.closing(on_ray):  # it is not begun where there is nothing to do
        for task in tasks:
            is_open = not task.refused and not task.is_done
            yield next(on_ray) if is_open else _result(task, convert)


def _result(task: Task, convert: Convert | None) -> FileResult:
    """How a task ends; without `convert`, how it would."""
    if task.refused:
        return FileResult(task.source, task.target, "failed", error=task.refused)
    if task.is_done:
        return FileResult(task.source, task.target, "skipped")
    if convert is None:
        return FileResult(task.source, task.target, "planned")
    source = standard_input() if task.source == STREAM else task.source
    target = standard_output() if task.target == STREAM else task.target
    return convert(source, target)


def _shared_result(share: Callable[[], None], task: Task, convert: Convert) -> FileResult:
    """As `_result`, in one of several jobs, with its part of the cores."""
    share()  # of each thread; when a pool begins one, an error would have no place
    return _result(task, convert)


def _marked(tasks: list[Task], skip_existing: bool, manifest: Manifest | None) -> list[Task]:
    """The tasks, with those that are done marked. Raises OSError, and LatError for URLs."""
    if manifest:
        tasks = [
            dataclasses.replace(task, is_done=manifest.has(task.source, task.target))
            for task in tasks
        ]
    if not skip_existing:
        return tasks
    there = existing(task.target for task in tasks if not task.is_done)
    return [
        dataclasses.replace(task, is_done=True) if task.target in there else task for task in tasks
    ]


def _second_tries(
    tasks: list[Task], ended: Iterator[FileResult], convert: Convert
) -> Iterator[FileResult]:
    """The results, but a file that gave way to another of its name is done where that failed."""
    free: set[str] = set()
    for task, result in zip(tasks, ended, strict=True):
        if task.is_rival and task.target in free:
            task = dataclasses.replace(task, refused="", is_rival=False)
            result = _result(task, convert)
        if not result.error:
            free.discard(task.target)
        elif not task.refused:
            free.add(task.target)
        yield result


def opened_manifest(
    options: BatchOptions, wanted: FileOptions, tasks: list[Task]
) -> Manifest | None:
    """The manifest, where one is asked for. Raises OSError, LatError for what is none, and
    UsageError for what is written as an output."""
    if options.manifest is None:
        return None
    if is_target(str(options.manifest), tasks):
        raise click.UsageError(f"{options.manifest} is an output, and cannot be the manifest")
    from latentcodec.files.manifest import Manifest

    return Manifest(options.manifest, wanted)


def convert_all(
    tasks: list[Task],
    convert: Convert,
    options: BatchOptions,
    left_out: Counter[str],
    ahead: Prefetcher | None = None,
    manifest: Manifest | None = None,
    progress: Progress | None = None,
) -> Report:
    """Do all tasks, as `results` does, report on them, and write the manifest.

    left_out: what is in the folders and is no task. Exits with 1 if one fails; the others are done
    even so.
    """
    if not tasks:
        names = f" (left out: {listed(left_out)})" if left_out else ""
        raise LatError(f"there is no file to convert in what was given{names}")
    tasks = _marked(tasks, options.skip_existing, manifest)
    # The interpreter looks for garbage many times while torch is imported, and through all of it
    # again at the end: 0.15 s and 0.3 s of a command that may need little more than one.
    gc.set_threshold(100_000)
    atexit.register(gc.freeze)
    # A thread that has read a piece of a picture would wait 5 ms for the one that imports torch.
    sys.setswitchinterval(0.0005)
    written = None if options.dry_run else manifest
    with Report(tasks, options, left_out) as report, written or contextlib.nullcontext():
        done = results(tasks, convert, options, ahead, progress)
        for result in _second_tries(tasks, done, convert):
            report.add(result)
            if written:
                written.add(result)
    if report.has_failed:
        raise click.exceptions.Exit(1)
    return report
