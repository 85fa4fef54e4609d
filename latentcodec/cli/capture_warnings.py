"""Warnings, told apart by the thread that is at a file."""

from __future__ import annotations

import contextlib
import threading
import warnings
from collections.abc import Iterator


class _Heard(threading.local):
    def __init__(self) -> None:
        self.messages: list[str] = []


_heard = _Heard()


@contextlib.contextmanager
def listening() -> Iterator[None]:
    """Keep warnings for `heard` instead of printing them, in all threads."""
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_: _heard.messages.append(str(message))
        yield


@contextlib.contextmanager
def heard() -> Iterator[list[str]]:
    """What this thread is warned of meanwhile; within `listening`."""
    _heard.messages = []
    yield _heard.messages
