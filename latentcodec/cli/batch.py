"""Many files, several at a time.

The jobs are threads: they share one import of the runtime and one copy of the model, and the
networks and Pillow's decoders let each other run. Each job has its share of the cores.
"""

from __future__ import annotations

import atexit
import contextlib
import dataclasses
import gc
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from latentcodec.cli.capture_warnings import capture_warnings, separate_warnings
from latentcodec.cli.errors import HANDLED, describe_error, out_of_memory
from latentcodec.cli.options import BatchOptions
from latentcodec.cli.outcome import Outcome, Written
from latentcodec.cli.paths import STREAM, Task
from latentcodec.cli.report import Report, listed
from latentcodec.errors import LatError
from latentcodec.runtime.choice import chosen
from latentcodec.runtime.compute import share_cores
from latentcodec.system.cpu import cores

if TYPE_CHECKING:
    from latentcodec.runtime.choice import Runtime
    from latentcodec.system.atomic_write import Contents

_MOST_JOBS = 8  # unless more are asked for: each holds a picture in memory

Convert = Callable[[Task], Written]
Beside = Callable[[list[Task]], contextlib.AbstractContextManager[object]]


def outcomes(
    tasks: list[Task],
    convert: Convert,
    jobs: int | None,
    skip_existing: bool,
    beside: Beside = contextlib.nullcontext,
    runtime: Runtime | None = None,
) -> Iterator[Outcome]:
    """Do all tasks, and tell how each ended, in their order.

    One task, or one job, has all cores and needs no thread. beside: goes on while several jobs
    work; it is given the tasks that they will convert.
    """
    jobs = min(jobs or min(cores(), _MOST_JOBS), len(tasks))

    def one(task: Task) -> Outcome:
        return _outcome(task, convert if jobs == 1 else shared, skip_existing)

    def shared(task: Task) -> Written:
        share_cores(jobs, chosen(runtime))
        return convert(task)

    with separate_warnings():
        if jobs == 1:
            yield from map(one, tasks)
            return
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(jobs) as pool, beside(_to_convert(tasks, skip_existing)):
            futures = [pool.submit(one, task) for task in tasks]
            try:
                for future in futures:
                    yield future.result()
            finally:  # after Ctrl-C only what has begun is finished
                pool.shutdown(cancel_futures=True)


def _to_convert(tasks: list[Task], skip_existing: bool) -> list[Task]:
    return [task for task in tasks if not task.refused and not _is_skipped(task, skip_existing)]


def _is_skipped(task: Task, skip_existing: bool) -> bool:
    return skip_existing and task.target != STREAM and Path(task.target).exists()


def _outcome(task: Task, convert: Convert, skip_existing: bool) -> Outcome:
    start = time.perf_counter()
    written, error = None, task.refused
    with capture_warnings() as warnings:
        if not error and not _is_skipped(task, skip_existing):
            try:
                with out_of_memory():
                    written = convert(task)
            except HANDLED as problem:
                error = describe_error(problem)
    return Outcome(task, written, error, warnings, time.perf_counter() - start)


def _second_tries(
    ended: Iterator[Outcome], convert: Convert, skip_existing: bool
) -> Iterator[Outcome]:
    """The outcomes, but a file that gave way to another of its name is done where that failed."""
    free: set[str] = set()
    for outcome in ended:
        task = outcome.task
        if task.is_rival and task.target in free:
            task = dataclasses.replace(task, refused="", is_rival=False)
            outcome = _outcome(task, convert, skip_existing)
        if not outcome.error:
            free.discard(task.target)
        elif not task.refused:
            free.add(task.target)
        yield outcome


def input_bytes(task: Task) -> bytes:
    """The whole input of a task. Raises OSError."""
    if task.source == STREAM:
        return sys.stdin.buffer.read()
    return Path(task.source).read_bytes()


def deliver(task: Task, contents: Contents) -> int:
    """Write the output of a task, whole or not at all; returns its size. Raises OSError."""
    from latentcodec.system.atomic_write import in_memory, write_file

    if task.target == STREAM:
        data = in_memory(contents)
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return len(data)
    target = Path(task.target)
    if task.makes_folders:
        target.parent.mkdir(parents=True, exist_ok=True)
    return write_file(target, contents)


def convert_all(
    tasks: list[Task],
    convert: Convert,
    options: BatchOptions,
    left_out: Counter[str],
    beside: Beside = contextlib.nullcontext,
) -> None:
    """Do all tasks, as `outcomes` does, and report on them.

    left_out: what is in the folders and is no task. Exits with 1 if one fails; the others are done
    even so.
    """
    if not tasks:
        names = f" (left out: {listed(left_out)})" if left_out else ""
        raise LatError(f"there is no file to convert in what was given{names}")
    # The interpreter looks for garbage many times while torch is imported, and through all of it
    # again at the end: 0.15 s and 0.3 s of a command that may need little more than one.
    gc.set_threshold(100_000)
    atexit.register(gc.freeze)
    # A thread that has read a piece of a picture would wait 5 ms for the one that imports torch.
    sys.setswitchinterval(0.0005)
    with Report(tasks, options, left_out) as report:
        jobs, skip, runtime = options.jobs, options.skip_existing, options.runtime
        done = outcomes(tasks, convert, jobs, skip, beside, runtime)
        for outcome in _second_tries(done, convert, skip):
            report.add(outcome)
    if report.failed:
        raise click.exceptions.Exit(1)
