"""Many files on Ray: actors take them one after the other, each a process with a model of its own.

Files are read and written by the actors; only names and results go through Ray.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any

from latentcodec.cli.paths import Task
from latentcodec.errors import LatError
from latentcodec.files.result import FileResult
from latentcodec.runtime.compute import limit_threads
from latentcodec.system.cpu import cores

# Read when Ray is imported: it would try for a quarter of an hour to reach a wrong address.
os.environ.setdefault("RAY_NUM_REDIS_GET_RETRIES", "1")
import ray
from ray.exceptions import RayError, RayTaskError

if TYPE_CHECKING:
    from latentcodec.runtime.choice import Runtime

_MOST_TRIES = 3  # of a file whose worker dies: it may be the file that kills it, or memory
_MOST_PATIENCE_S = 30  # after Ctrl-C
_MOST_STARTS = 3  # that fail one after the other
# Only names and results are stored: the least that Ray takes.
_STORE_BYTES = 80 << 20

Convert = Callable[[Task], FileResult]


class Worker:
    """An actor, which converts one file at a time."""

    def __init__(self, convert: Convert, threads: int, runtime: Runtime | None) -> None:
        limit_threads(threads, runtime)
        self._convert = convert

    def start(self) -> None:
        """Nothing: done when the process is there."""

    def convert(self, task: Task) -> FileResult:
        """Do a task."""
        return self._convert(task)


def results(
    tasks: list[Task],
    convert: Convert,
    *,
    address: str | None = None,
    workers: int | None = None,
    threads: int = 1,
    runtime: Runtime | None = None,
) -> Generator[FileResult, None, None]:
    """Do all tasks on workers, and tell how each ended, in their order.

    A file whose worker dies is done again by another, and fails when that has happened three times.

    Args:
        tasks: what to do; as `convert`, they are sent to other processes.
        convert: does one, and gives what became of it.
        address: that of a cluster, as for `ray.init`; None: Ray is started on this machine, and
            stopped at the end.
        workers: how many at most; None: as many as there are CPUs for.
        threads: processor threads of each, which Ray counts as CPUs.
        runtime: what runs the networks.

    Raises:
        LatError: there is no Ray at the address, or no worker can be started.
    """
    with _connected(address, workers, threads):
        pool = _Pool(tasks, convert, threads, runtime)
        # A cluster that grows when it is asked to may have none yet.
        room = max(1, int(ray.cluster_resources().get("CPU", 1)) // threads)
        try:
            for _ in range(min(workers or room, len(tasks))):
                pool.start_worker()
            for index in range(len(tasks)):
                while index not in pool.ended:
                    pool.wait()
                yield pool.ended.pop(index)
        finally:  # after Ctrl-C only what has begun is finished, unless it takes long
            pool.finish()


@contextlib.contextmanager
def _connected(address: str | None, workers: int | None, threads: int) -> Iterator[None]:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is sent to anybody
    own: dict[str, Any] = {}
    if address is None:
        cpus = max(cores(), threads * (workers or 1))
        own = {"num_cpus": cpus, "object_store_memory": _STORE_BYTES, "include_dashboard": False}
    try:
        ray.init(address or "local", log_to_driver=False, logging_level="error", **own)
    except (OSError, RayError, ValueError, RuntimeError) as error:
        where = f"reached at {address}" if address else "started"
        raise LatError(f"Ray cannot be {where}: {str(error).splitlines()[0]}") from error
    try:
        yield
    finally:
        ray.shutdown()


class _Pool:
    """Workers, what each is at, and what has ended but was not given out yet."""

    def __init__(
        self, tasks: list[Task], convert: Convert, threads: int, runtime: Runtime | None
    ) -> None:
        self._tasks = tasks
        self._first_new = 0  # those from here on were never begun
        self._again: list[int] = []
        self._tries = dict[int, int]()
        self._failed_starts = 0
        # By what Ray will say: the worker, and the index of its task, or None while it starts.
        self._running: dict[Any, tuple[Any, int | None]] = {}
        self.ended: dict[int, FileResult] = {}
        actor = ray.remote(num_cpus=threads, max_restarts=0, max_task_retries=0)(Worker)
        self._new_worker = lambda: actor.remote(convert, threads, runtime)

    def start_worker(self) -> None:
        """Ask for a worker. It is given tasks when it is there, which may take its time."""
        worker = self._new_worker()
        self._running[worker.start.remote()] = (worker, None)

    def wait(self) -> None:
        """Wait until something ends, and give whoever is free the next task."""
        ray.wait(list(self._running), num_returns=1)
        done, _ = ray.wait(list(self._running), num_returns=len(self._running), timeout=0)
        for reference in done:
            worker, index = self._running.pop(reference)
            if self._has_ended(reference, index):
                self._give_next(worker)
            elif self._again or self._first_new < len(self._tasks):
                self.start_worker()

    def _give_next(self, worker: Any) -> None:
        if self._again:
            index = self._again.pop()
        elif self._first_new < len(self._tasks):
            index, self._first_new = self._first_new, self._first_new + 1
        else:
            return  # who is not kept ends
        self._running[worker.convert.remote(self._tasks[index])] = (worker, index)

    def _has_ended(self, reference: Any, index: int | None) -> bool:
        """Take what a worker gave; false where it is dead."""
        try:
            result = ray.get(reference)
        except RayTaskError as error:  # a mistake in the program, or nothing to run networks with
            raise error.cause from None
        except RayError as error:
            self._note_death(index, error)
            return False
        self._failed_starts = 0
        if index is not None:
            self.ended[index] = result
        return True

    def _note_death(self, index: int | None, error: RayError) -> None:
        if index is None:
            self._failed_starts += 1
            if self._failed_starts == _MOST_STARTS:
                raise LatError(f"Ray can start no worker: {_last_line(error)}") from error
            return
        self._tries[index] = self._tries.get(index, 0) + 1
        if self._tries[index] < _MOST_TRIES:
            self._again.append(index)
            return
        task = self._tasks[index]
        problem = f"its worker died {_MOST_TRIES} times, which too little memory may cause"
        self.ended[index] = FileResult(task.source, task.target, "failed", error=problem)

    def finish(self) -> None:
        """Let workers end what they are at, unless it takes long."""
        at_work = [
            reference for reference, (_, index) in self._running.items() if index is not None
        ]
        if at_work:
            ray.wait(at_work, num_returns=len(at_work), timeout=_MOST_PATIENCE_S)


def _last_line(error: Exception) -> str:
    return [line.strip() for line in str(error).splitlines() if line.strip()][-1]
