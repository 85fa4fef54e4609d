"""How far a long run is, and how long it still takes."""

from __future__ import annotations

import time
from collections.abc import Callable

_LINE_EVERY_S = 30.0


class Progress:
    """Tells of a run's progress: on a terminal in one line that changes, elsewhere now and then."""

    def __init__(self, what: str, say: Callable[[str], None], live: bool) -> None:
        """`say` prints a piece of text as it is; `live` is whether a line can be overwritten."""
        self._what = what
        self._say = say
        self._live = live
        self._start_s = time.monotonic()
        self._last_s = self._start_s

    def __call__(self, done: int, total: int) -> None:
        """Note that `done` of `total` files are finished."""
        now_s = time.monotonic()
        ended = done == total
        text = f"{self._what}: {done} of {total} files"
        if ended:
            text += f" in {_span(now_s - self._start_s)}"
        else:
            text += f", {_span((now_s - self._start_s) / done * (total - done))} left"
        if self._live:
            self._say(f"\r{text:70}" + ("\n" if ended else ""))
        elif ended or now_s - self._last_s >= _LINE_EVERY_S:
            self._last_s = now_s
            self._say(f"{text}\n")


def _span(seconds: float) -> str:
    """A time for a person."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02} min"
