"""Names of files: local paths, and URLs, which fsspec serves. Only text is looked at here."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path, PurePath, PurePosixPath

# As fsspec has them: s3://bucket/key, file:///a, simplecache::s3://bucket/key. One letter is a
# drive of Windows.
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+::)*[A-Za-z][A-Za-z0-9+.-]+://")


def is_url(name: object) -> bool:
    """Whether a source or a target is a URL; everything else is no concern of fsspec's."""
    return isinstance(name, str) and bool(_URL.match(name))


def local_path(name: str | os.PathLike[str]) -> Path:
    """The path of a local file. Raises OSError for a name with a null byte, as no file can have."""
    path = Path(name)
    if "\0" in str(path):  # the system's functions would raise a ValueError, which ends a batch
        raise OSError(errno.EINVAL, "a file's name cannot hold a null byte", repr(str(path)))
    return path


def spelled(name: str) -> str:
    """A name as UTF-8 can spell it, for tables and pages: bytes that are none are escaped."""
    return name.encode(errors="surrogateescape").decode(errors="backslashreplace")


def suffix_of(name: str) -> str:
    """The extension in small letters, with its dot, or nothing."""
    return _last(name).suffix.lower()


def base_name(name: str) -> str:
    """The last part of a name, that of a folder without its slash."""
    return _last(name.rstrip("/") if is_url(name) else name).name


def is_folder_name(name: str) -> bool:
    """Whether it can be the name of a folder alone."""
    return name.endswith(("/",) if is_url(name) else ("/", os.sep))


def with_suffix(name: str, suffix: str) -> str:
    """The name with another extension."""
    if not is_url(name):
        return str(Path(name).with_suffix(suffix))
    last = _last(name)
    return name[: len(name) - len(last.name)] + last.with_suffix(suffix).name


def join(folder: str, below: PurePath) -> str:
    """What lies `below` a folder."""
    if is_url(folder):
        return f"{folder.rstrip('/')}/{below.as_posix()}"
    return str(Path(folder) / below)


def _last(name: str) -> PurePosixPath | Path:
    """The last part of a name."""
    return PurePosixPath(name.rpartition("/")[2]) if is_url(name) else Path(name)
