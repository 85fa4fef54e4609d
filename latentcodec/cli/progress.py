"""A bar for a file that takes long, and the way out of it after Ctrl-C."""

from __future__ import annotations

import sys
import time
from typing import Any

import click

_AFTER_SECONDS = 2.0
_STEPS = 1000


class Progress:
    """Told how much of a file is done; threads may share one that shows nothing."""

    def __init__(self, is_shown: bool) -> None:
        self._is_shown, self._is_stopped = is_shown, False
        self._start: float | None = None
        self._bar: Any = None
        self._done = 0

    def stop(self) -> None:
        """Have every file that is not done end with a KeyboardInterrupt when it says so next."""
        self._is_stopped = True

    def __call__(self, share: float) -> None:
        """share: 0 to 1; 1 ends the bar, and what comes then is of another file."""
        if self._is_stopped:
            raise KeyboardInterrupt
        if not self._is_shown:
            return
        now = time.monotonic()
        if self._start is None:
            self._start, self._done = now, 0
        if self._bar is None and now - self._start > _AFTER_SECONDS:
            self._bar = click.progressbar(length=_STEPS, label="refining", file=sys.stderr)
            self._bar.__enter__()
        done = int(share * _STEPS)
        if self._bar is not None:
            self._bar.update(done - self._done)
            self._done = done
        if share >= 1:
            self.close()

    def close(self) -> None:
        """Leave the line of the bar."""
        if self._bar is not None:
            self._bar.__exit__(None, None, None)
        self._start = self._bar = None
