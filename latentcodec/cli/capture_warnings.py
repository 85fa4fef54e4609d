"""Warnings, told apart by the thread that is at a file."""

from __future__ import annotations

import contextlib
import threading
import warnings
from collections.abc import Iterator


class _Captured(threading.local):
    def __init__(self) -> None:
        self.messages: list[str] = []


_captured = _Captured()


@contextlib.contextmanager
def separate_warnings() -> Iterator[None]:
    """Keep warnings for `capture_warnings` instead of printing them, in all threads."""
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_: _captured.messages.append(str(message))
        yield


@contextlib.contextmanager
def capture_warnings() -> Iterator[list[str]]:
    """What this thread is warned of meanwhile; within `separate_warnings`."""
    _captured.messages = []
    yield _captured.messages
