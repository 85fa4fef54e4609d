"""What this process may compute on."""

from __future__ import annotations

import os
import sys

_limit: int | None = None


def cores() -> int:
    """Cores that this process may use; 1 where the system does not tell."""
    if _limit is not None:
        return _limit
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def limit_cores(count: int) -> None:
    """Use no more than so many from now on. Raises ValueError for less than one."""
    global _limit
    if count < 1:
        raise ValueError(f"threads must be 1 or more, not {count}")
    _limit = count


def limit() -> int | None:
    """What `limit_cores` was given last."""
    return _limit
