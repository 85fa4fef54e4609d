"""What can go wrong with a file, as one sentence."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

from latentcodec.errors import LatError

# Of bad input and of the machine; anything else is a mistake in the program.
HANDLED = (LatError, OSError, MemoryError)
# What libraries raise instead of a MemoryError, in words.
_NO_MEMORY = re.compile(
    "allocate memory|out of memory|bad_alloc|could not create a (primitive|memory)"
    "|can't start new thread|failed to map segment",
    re.IGNORECASE,
)


@contextlib.contextmanager
def out_of_memory() -> Iterator[None]:
    """Raise MemoryError for what means that, such as torch's RuntimeError."""
    try:
        yield
    except (RuntimeError, ImportError) as error:
        if _NO_MEMORY.search(str(error)):
            raise MemoryError from error
        raise


def spoils_thread(error: BaseException) -> bool:
    """Whether oneDNN failed for want of memory: it remembers that in the thread, where all that is
    new to it fails from then on."""
    return isinstance(error, MemoryError) and "create a primitive" in str(error.__cause__)


def describe_error(error: BaseException) -> str:
    """One of the HANDLED errors in words, without a full stop."""
    if isinstance(error, MemoryError):
        return "there is not enough memory for this picture"
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror or error}"
    return str(error)
