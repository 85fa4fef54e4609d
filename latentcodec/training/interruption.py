"""Signals that end a training, once its checkpoint is written."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextlib.contextmanager
def caught_signals() -> Iterator[list[int]]:
    """The numbers of SIGTERM and SIGINT, as they come meanwhile; they end nothing by themselves."""
    came: list[int] = []
    previous = {n: signal.signal(n, lambda number, _: came.append(number)) for n in _SIGNALS}
    try:
        yield came
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
