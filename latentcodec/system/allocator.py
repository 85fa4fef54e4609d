"""How the C library deals with memory that is freed."""

from __future__ import annotations

import contextlib
import ctypes
import sys

# Of malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_LARGEST_MMAP_THRESHOLD = 1 << 25  # that glibc takes


def keep_memory() -> None:
    """Have glibc keep up to 1 GiB of what this process frees, to use it again; others do as usual.

    It gives large pieces back to the system at once, and features are freed and asked for again at
    every layer. The page faults of that were a seventh of the time of decoding.
    """
    if sys.platform != "linux":
        return
    with contextlib.suppress(OSError, AttributeError):  # another C library
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_MMAP_THRESHOLD, _LARGEST_MMAP_THRESHOLD)
        mallopt(_M_TRIM_THRESHOLD, 1 << 30)
