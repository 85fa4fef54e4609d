"""Warnings, told apart by the thread that is at a file."""

from __future__ import annotations

import contextlib
import threading
import warnings
from collections.abc import Iterator
from typing import Any

from latentcodec.errors import LossWarning
from latentcodec.system.shared_context import SharedContext


class _Captured(threading.local):
    messages: list[str] | None = None


_captured = _Captured()


@contextlib.contextmanager
def _separated() -> Iterator[None]:
    """Keep the warnings of threads that capture them, and show those of others as before."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", LossWarning)
        show = warnings.showwarning

        def keep(message: Warning | str, *rest: Any, **others: Any) -> None:
            if _captured.messages is None:
                show(message, *rest, **others)
            else:
                _captured.messages.append(str(message))

        warnings.showwarning = keep
        yield


_separate = SharedContext(_separated)


@contextlib.contextmanager
def capture_warnings() -> Iterator[list[str]]:
    """What this thread is warned of meanwhile, every LossWarning among it."""
    messages: list[str] = []
    outer = _captured.messages
    with _separate:
        _captured.messages = messages
        try:
            yield messages
        finally:
            _captured.messages = outer
