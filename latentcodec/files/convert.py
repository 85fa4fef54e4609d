"""The frame of every conversion: what goes wrong with a file ends in its result."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from latentcodec.files.capture_warnings import capture_warnings
from latentcodec.files.endpoints import Target, name_of
from latentcodec.files.errors import HANDLED, describe_error, out_of_memory, spoils_thread
from latentcodec.files.result import FileResult
from latentcodec.format.container import MAX_PIXELS
from latentcodec.format.source import Source
from latentcodec.images.files import wide_limits
from latentcodec.runtime.compute import as_many_threads
from latentcodec.system.allocator import give_back
from latentcodec.system.shared_context import SharedContext

# Pillow refuses large pictures, and has one limit for all threads.
unlimited = SharedContext(lambda: wide_limits(MAX_PIXELS))


# Whether a thread is one that `spoils_thread` means.
_spoilt = threading.local()


def converted(
    source: Source, target: Target, work: Callable[[FileResult], FileResult]
) -> FileResult:
    """What `work` makes of a result that has only names, with warnings, time and the error."""
    if not getattr(_spoilt, "by_memory", False):
        return _converted(source, target, work)
    fresh = ThreadPoolExecutor(1, "latentcodec", as_many_threads())
    try:
        return fresh.submit(_converted, source, target, work).result()
    finally:
        fresh.shutdown(wait=False)


def _converted(
    source: Source, target: Target, work: Callable[[FileResult], FileResult]
) -> FileResult:
    start = time.perf_counter()
    result = FileResult(name_of(source), name_of(target), "written")
    ended_memory = spoilt = False
    with capture_warnings() as warnings, unlimited:
        try:
            with out_of_memory():
                result = work(result)
        except HANDLED as problem:
            result = dataclasses.replace(result, status="failed", error=describe_error(problem))
            ended_memory, spoilt = isinstance(problem, MemoryError), spoils_thread(problem)
    if spoilt:
        _spoilt.by_memory = True
    if ended_memory:
        give_back()
    return dataclasses.replace(
        result, warnings=tuple(warnings), seconds=time.perf_counter() - start
    )
