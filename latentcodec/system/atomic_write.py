"""Files are written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path
from typing import IO

# The contents of a file, or what writes them to a stream that can also seek and read.
Contents = bytes | Callable[[IO[bytes]], None]


def write_file(path: Path, contents: Contents) -> int:
    """Write a file: to a temporary one beside it, flushed to disk, then renamed. Returns its size.

    An existing file keeps its permissions and, where that is allowed, its owner; a symbolic link
    keeps pointing where it does, and the file behind it is replaced; pipes and devices are written
    to directly. Raises OSError, and then `path` is as it was. A process that is killed may leave
    the temporary file, `.NAME.<16 hex digits>.tmp`. What `contents` raises is passed on.
    """
    if path.exists() and not path.is_file():  # before it is resolved: /dev/fd/63 leads nowhere
        data = in_memory(contents)
        try:
            path.write_bytes(data)  # a folder raises here, a pipe or device is written
        except BrokenPipeError:
            raise
        except OSError as error:  # of a full device, which names no file
            raise OSError(error.errno, error.strerror, str(path)) from None
        return len(data)
    check_writable(path)
    target = Path(os.path.realpath(path))
    # The name is cut, so that the longest legal one works too.
    temporary = target.with_name(f".{target.name[:32]}.{secrets.token_hex(8)}.tmp")
    try:
        size = _write_new(temporary, contents, target)
        os.replace(temporary, target)
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        if isinstance(error, OSError):
            raise OSError(error.errno, error.strerror, str(path)) from None
        raise
    return size


def check_writable(path: Path) -> None:
    """Raise OSError where `write_file` would, as far as that is known before the contents are."""
    if path.exists() and not path.is_file():  # a pipe or a device
        return
    target = Path(os.path.realpath(path))
    problem = None
    if target.is_symlink():  # what leads to no end is not resolved, and would be replaced itself
        problem = errno.ELOOP
    elif target.exists() and not os.access(target, os.W_OK):
        problem = errno.EACCES
    elif not target.parent.is_dir():
        problem = errno.ENOTDIR if target.parent.exists() else errno.ENOENT
    if problem:
        raise OSError(problem, os.strerror(problem), str(path))


def in_memory(contents: Contents) -> bytes:
    """The contents of a file that is not on a disk."""
    if isinstance(contents, bytes):
        return contents
    stream = io.BytesIO()
    contents(stream)
    return stream.getvalue()


class _Stream(io.BufferedRandom):
    """A file that keeps its descriptor to itself: Pillow's encoders would write to that on their
    own, and not notice when a full disk takes only a part."""

    def fileno(self) -> int:
        raise io.UnsupportedOperation("fileno")


def _write_new(temporary: Path, contents: Contents, target: Path) -> int:
    """Write a new file that is to replace `target`, and flush it to disk. Returns its size."""
    old = target.stat() if target.exists() else None
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    # The system takes the umask off; what replaces a file is nobody else's until it is like it.
    handle = os.open(temporary, flags, 0o600 if old else 0o666)
    with _Stream(io.FileIO(handle, "r+")) as stream:
        if old:
            if hasattr(os, "chown"):
                with contextlib.suppress(OSError):  # only root may give files away
                    os.chown(temporary, old.st_uid, old.st_gid)
            temporary.chmod(stat.S_IMODE(old.st_mode))  # os.fchmod is not everywhere
        if isinstance(contents, bytes):
            stream.write(contents)
        else:
            contents(stream)
        stream.flush()
        os.fsync(handle)
        return os.fstat(handle).st_size
