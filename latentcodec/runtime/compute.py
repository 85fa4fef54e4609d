"""Where a runtime computes, and on how many threads. It is imported when that is asked for."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Literal, TypeVar, get_args

from latentcodec.errors import LatError
from latentcodec.runtime.choice import Runtime, chosen
from latentcodec.system.cpu import cores, limit_cores

if TYPE_CHECKING:
    import torch

Errors = Literal["raise", "return"]
# Of a batch, what one item can be wrong with; options are checked before.
ITEM_ERRORS = (LatError, OSError, ValueError, MemoryError)

T = TypeVar("T")
R = TypeVar("R")


# Whether this process was forked from one with torch in it. OpenMP's threads stay behind in a fork,
# and who waits for them waits for ever: one thread is all that works there.
_is_forked = False


def _after_fork() -> None:
    global _is_forked
    torch = sys.modules.get("torch")
    if torch is not None:
        _is_forked = True
        torch.set_num_threads(1)


if hasattr(os, "register_at_fork"):  # where there is fork
    os.register_at_fork(after_in_child=_after_fork)


def check_threads(threads: int | None) -> None:
    """Raises ValueError for what is no number of threads: of many more, OpenMP ends the process."""
    if threads is None:
        return
    if isinstance(threads, bool) or threads not in range(1, 1025):
        raise ValueError(f"threads must be a whole number from 1 to 1024, not {threads!r}")


def check_device(device: str | torch.device, runtime: Runtime) -> None:
    """Raises LatError unless g_a and g_s can run there."""
    if str(device) == "cpu":
        return
    if runtime == "onnx":
        from latentcodec.runtime.onnx_networks import providers_of

        providers_of(device)
        return
    import torch

    try:
        torch.zeros(1, device=torch.device(device)).cpu()
    except (RuntimeError, AssertionError, ImportError) as error:
        raise LatError(f"the device {str(device)!r} cannot be used: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    """The first sentence of what torch says of a device; where it knows the name alone, it says all
    that it does elsewhere."""
    said = str(error)
    if isinstance(error, (NotImplementedError, ImportError)) or "INTERNAL ASSERT" in said:
        return "this torch does not compute there"
    return said.partition("\n")[0].partition(". ")[0].rstrip(".")


def set_threads(count: int) -> None:
    """Set torch's number of threads for this thread of the program, and those that begin later."""
    torch = sys.modules.get("torch")
    if torch is not None and not _is_forked:
        torch.set_num_threads(count)


def as_many_threads() -> Callable[[], None]:
    """What gives another thread of the program as many of torch's threads as this one has."""
    torch = sys.modules.get("torch")
    return functools.partial(set_threads, 1 if torch is None else torch.get_num_threads())


@contextlib.contextmanager
def threads(count: int | None, runtime: Runtime = "torch") -> Iterator[None]:
    """Set torch's number of threads, which it keeps for each thread of the program.

    None leaves it as it is, and in a forked process it stays 1. Models on ONNX Runtime have threads
    of their own: see `Family.on`.
    """
    if count is None or _is_forked or runtime == "onnx":
        yield
        return
    import torch

    usual = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(usual)


def map_on_threads(
    work: Callable[[T], R],
    items: Iterable[T],
    count: int,
    total: int | None,
    runtime: Runtime = "torch",
    *,
    errors: Errors = "raise",
) -> list[R | Exception]:
    """The results for all `count` items, in their order: several at a time, which share the
    `total` threads; None: as many as the runtime has. errors: "return" puts what fails with one of
    ITEM_ERRORS in its place. Each of these has the `index` of its item."""
    if errors not in get_args(Errors):
        raise ValueError(f"errors must be {' or '.join(get_args(Errors))}, not {errors!r}")
    one = functools.partial(_one, work, errors)
    if runtime == "onnx":
        with ThreadPoolExecutor(min(total or cores(), count) or 1, "latentcodec") as pool:
            return list(pool.map(one, enumerate(items)))
    import torch

    usual = torch.get_num_threads()
    total = 1 if _is_forked else total or usual
    workers = min(total, count)
    if workers < 2:
        with threads(total):
            return [one(item) for item in enumerate(items)]
    try:
        start = torch.set_num_threads, (total // workers,)
        with ThreadPoolExecutor(workers, "latentcodec", *start) as pool:
            return list(pool.map(one, enumerate(items)))
    finally:
        torch.set_num_threads(usual)  # for threads that begin later


def limit_threads(count: int, runtime: Runtime | None = None) -> None:
    """Compute on so many threads from now on, where a call says nothing else: for processes of
    which several share a machine. Raises ValueError for less than one."""
    limit_cores(count)
    if chosen(runtime) == "torch":
        import torch

        torch.set_num_threads(count)


@contextlib.contextmanager
def without_autocast() -> Iterator[None]:
    """Switch off the autocast that a caller may be in: our networks choose their precision, and
    the prior's products would no longer be exact."""
    torch = sys.modules.get("torch")
    with contextlib.ExitStack() as stack:
        for kind in ("cpu", "cuda"):
            if torch is not None and torch.is_autocast_enabled(kind):
                stack.enter_context(torch.autocast(kind, enabled=False))
        yield


def share_cores(jobs: int, runtime: Runtime) -> None:
    """Give this thread, one of `jobs`, its part of the cores for what torch computes."""
    if runtime == "torch":
        import torch

        torch.set_num_threads(max(1, cores() // jobs))


def _one(work: Callable[[T], R], errors: Errors, numbered: tuple[int, T]) -> R | Exception:
    index, item = numbered
    try:
        return work(item)
    except ITEM_ERRORS as error:
        vars(error)["index"] = index  # a FileNotFoundError, too, has to say which item it is of
        if errors == "raise":
            raise
        return error.with_traceback(None)  # which would keep the picture in memory
