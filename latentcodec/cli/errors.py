"""What can go wrong with a file, as one sentence."""

from __future__ import annotations

from latentcodec.errors import LatError

# Of bad input and of the machine; anything else is a mistake in the program.
HANDLED = (LatError, OSError, MemoryError)


def describe_error(error: BaseException) -> str:
    """One of the HANDLED errors in words, without a full stop."""
    if isinstance(error, MemoryError):
        return "there is not enough memory for this picture"
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror or error}"
    return str(error)
