"""Files are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from pathlib import Path


def write_file(path: Path, data: bytes) -> None:
    """Write `data` to `path`: to a temporary file beside it, flushed to disk, then renamed.

    An existing file keeps its permissions and, where that is allowed, its owner; a symbolic link
    keeps pointing where it does, and the file behind it is replaced; pipes and devices are written
    to directly. Raises OSError, and then `path` is as it was. A process that is killed may leave
    the temporary file, `.NAME.<16 hex digits>.tmp`.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        target.write_bytes(data)  # a folder raises here, a pipe or device is written
        return
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(13, "Permission denied", str(path))
    # The name is cut, so that the longest legal one works too.
    temporary = target.with_name(f".{target.name[:32]}.{secrets.token_hex(8)}.tmp")
    try:
        _write_new(temporary, data, target)
        os.replace(temporary, target)
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        if isinstance(error, OSError):
            raise OSError(error.errno, error.strerror, str(path)) from None
        raise


def _write_new(temporary: Path, data: bytes, target: Path) -> None:
    """Write a new file that is to replace `target`, and flush it to disk."""
    old = target.stat() if target.exists() else None
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    # The system takes the umask off; what replaces a file is nobody else's until it is like it.
    handle = os.open(temporary, flags, 0o600 if old else 0o666)
    with os.fdopen(handle, "wb") as stream:
        if old:
            if hasattr(os, "chown"):
                with contextlib.suppress(OSError):  # only root may give files away
                    os.chown(temporary, old.st_uid, old.st_gid)
            temporary.chmod(stat.S_IMODE(old.st_mode))  # os.fchmod is not everywhere
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
