"""How the C library deals with memory that is freed."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import sys

# Of malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_LARGEST_MMAP_THRESHOLD = 1 << 25  # that glibc takes


def keep_memory() -> None:
    """Have glibc keep up to 1 GiB of what this process frees, to use it again; others do as usual.

    It gives large pieces back to the system at once, and features are freed and asked for again at
    every layer. The page faults of that were a seventh of the time of decoding. But where addresses
    are limited (`ulimit -v`), what is kept would be missing elsewhere, and all is given back.
    """
    with contextlib.suppress(OSError, AttributeError):  # another C library
        mallopt = _library().mallopt
        if _addresses_are_limited():
            mallopt(_M_MMAP_THRESHOLD, 1 << 18)
        else:
            mallopt(_M_MMAP_THRESHOLD, _LARGEST_MMAP_THRESHOLD)
            mallopt(_M_TRIM_THRESHOLD, 1 << 30)


def give_back() -> None:
    """Free what nobody refers to, and have glibc give back to the system what it keeps."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        _library().malloc_trim(0)


def _addresses_are_limited() -> bool:
    import resource  # which other systems lack

    return resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY


def _library() -> ctypes.CDLL:
    """Raises OSError where there is no glibc."""
    if sys.platform != "linux":
        raise OSError("not on this system")
    return ctypes.CDLL(None)
