"""Threads beside the caller's, which works along while it waits for them."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from latentcodec.runtime.compute import set_threads

if TYPE_CHECKING:
    from latentcodec.runtime.base import Family

T = TypeVar("T")


class Task(Generic[T]):
    """Something that one of several threads does: the one that comes first."""

    def __init__(self, work: Callable[[], T], others: deque[Task[Any]]) -> None:
        self._work, self._others = work, others
        self._claim, self._future = threading.Lock(), Future[T]()

    def run(self) -> None:
        """Do it, unless that has begun elsewhere."""
        if not self._claim.acquire(blocking=False):
            return
        try:
            self._future.set_result(self._work())
        except BaseException as error:  # the thread that asks for the result raises it
            self._future.set_exception(error)

    def done(self) -> bool:
        return self._future.done()

    def result(self) -> T:
        """What came of it. Who asks does it, if nobody has begun, and while somebody else is at it
        the ones that are to be done next. Raises what the work raised."""
        self.run()
        while self._others and not self.done():
            self._others.popleft().run()
        return self._future.result()


class Crew:
    """The caller's thread and helpers, on one core each, as long as there are several tasks.

    A single one, and with one core all of them, the caller does when it asks for the result.
    """

    def __init__(self, cores: int) -> None:
        self._cores = cores
        self._helpers: ThreadPoolExecutor | None = None
        self._waiting: deque[Task[Any]] = deque()

    def submit(self, work: Callable[[], T]) -> Task[T]:
        """Have something done, sooner or later."""
        task = Task(work, self._waiting)
        if self._cores == 1:
            return task
        self._waiting.append(task)
        if self._helpers is not None:
            self._helpers.submit(task.run)
        elif len(self._waiting) > 1:
            start = set_threads, (1,)
            self._helpers = ThreadPoolExecutor(self._cores - 1, "latentcodec", *start)
            set_threads(1)
            for waiting in self._waiting:
                self._helpers.submit(waiting.run)
        return task

    def share(self) -> None:
        """Give the caller's thread the cores that no helper needs."""
        while self._waiting and self._waiting[0].done():
            self._waiting.popleft()
        if self._helpers is not None:
            set_threads(1 if self._waiting else self._cores)

    def leave(self) -> None:
        """Drop what has not begun, wait for the rest, and have all cores again."""
        if self._helpers is not None:
            self._helpers.shutdown(cancel_futures=True)
            set_threads(self._cores)


@contextlib.contextmanager
def crew(family: Family) -> Iterator[Crew]:
    """A crew on the cores that a call of the family computes on; helpers are gone at its end."""
    made = Crew(family.networks.cores())
    try:
        yield made
    finally:
        made.leave()
