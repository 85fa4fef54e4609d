"""Files are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path


def write_file(path: Path, data: bytes) -> None:
    """Write `data` to `path`: to a temporary file beside it, flushed to disk, then renamed.

    An existing file keeps its permissions; a symbolic link keeps pointing where it does, and
    the file behind it is replaced; pipes and devices are written to directly. Raises OSError,
    and then `path` is as it was.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        target.write_bytes(data)  # a folder raises here, a pipe or device is written
        return
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(13, "Permission denied", str(path))
    prefix = f".{target.name[:32]}."  # cut, so that the longest legal name works too
    try:
        handle, name = tempfile.mkstemp(prefix=prefix, suffix=".tmp", dir=target.parent)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None
    try:
        with os.fdopen(handle, "wb") as temporary:
            Path(name).chmod(_mode_for(target))  # os.fchmod is not everywhere
            temporary.write(data)
            temporary.flush()
            os.fsync(temporary.fileno())
        os.replace(name, target)
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.unlink(name)
        if isinstance(error, OSError):
            raise OSError(error.errno, error.strerror, str(path)) from None
        raise


def _mode_for(target: Path) -> int:
    """The permissions of the file that is replaced, or those of a new file."""
    with contextlib.suppress(FileNotFoundError):
        return stat.S_IMODE(target.stat().st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
