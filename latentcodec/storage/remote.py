"""Files by URL, through fsspec: read whole or in ranges, written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import PurePath, PurePosixPath
from typing import IO, Any

from latentcodec.errors import LatError, TruncatedFile

# Where a file is there when all of it is, and not before: it is written by one call. Elsewhere it
# is written under another name, and renamed.
_WHOLE_AT_ONCE = frozenset(
    ("s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "oss", "oci", "hf", "memory")
)
# Where more of the files in a folder are asked for, the folder is listed.
_FEW = 8


@contextlib.contextmanager
def _errors(url: str) -> Iterator[None]:
    """Raise what went wrong with a URL as an OSError that names it, or as a LatError."""
    try:
        yield
    except (LatError, MemoryError):
        raise
    except FileNotFoundError:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), url) from None
    except PermissionError:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), url) from None
    except ImportError as error:
        raise LatError(f"{url} needs another package: {error}") from error
    except Exception as error:  # stores have errors of their own, which are no OSErrors
        raise LatError(f"{url}: {_sentence(error)}") from error


def _sentence(error: Exception) -> str:
    said = " ".join(str(error).split()).removesuffix(".")
    return said or type(error).__name__


def _resolved(url: str) -> tuple[Any, str]:
    """The file system of a URL, and the path in it."""
    try:
        import fsspec
    except ImportError as error:
        raise LatError(f"{url} needs fsspec: pip install 'latentcodec[remote]'") from error
    return fsspec.core.url_to_fs(url)


def read(url: str) -> bytes:
    """All bytes of a file, by one request. Raises OSError and LatError."""
    with _errors(url):
        fs, path = _resolved(url)
        return fs.cat_file(path)


@contextlib.contextmanager
def opened(url: str) -> Iterator[IO[bytes]]:
    """A file open for reading, from its beginning on. Raises OSError and LatError."""
    with _errors(url):
        fs, path = _resolved(url)
        with fs.open(path, "rb") as stream:
            yield stream


def write(url: str, data: bytes) -> None:
    """Write a file, whole or not at all. Raises OSError and LatError.

    Object stores take it as a whole. In other file systems it has another name,
    `.NAME.<16 hex digits>.tmp`, until it is complete, and a process that is killed may leave that.
    """
    with _errors(url):
        fs, path = _resolved(url)
        protocols = (fs.protocol,) if isinstance(fs.protocol, str) else fs.protocol
        if _WHOLE_AT_ONCE.intersection(protocols):
            fs.pipe_file(path, data)
            return
        name = PurePosixPath(path)
        fs.makedirs(str(name.parent), exist_ok=True)
        temporary = str(name.with_name(f".{name.name[:32]}.{secrets.token_hex(8)}.tmp"))
        try:
            fs.pipe_file(temporary, data)
            fs.mv(temporary, path)
        except BaseException:
            with contextlib.suppress(Exception):
                fs.rm_file(temporary)
            raise


def is_folder(url: str) -> bool:
    """Whether there are files below it. Raises OSError and LatError."""
    with _errors(url):
        fs, path = _resolved(url)
        return fs.isdir(path)


def files_below(url: str) -> list[PurePath]:
    """The paths of all files of a folder, relative to it, in order. Raises OSError and LatError."""
    with _errors(url):
        fs, path = _resolved(url)
        root = path.rstrip("/")
        found = [name for name in fs.find(path) if not name.endswith("/")]
        return [PurePosixPath(name[len(root) :].lstrip("/")) for name in sorted(found)]


def existing(urls: Iterable[str]) -> set[str]:
    """Those of the URLs that there are. Raises OSError and LatError.

    A folder is listed once where many of its files are asked for.
    """
    folders: dict[str, list[str]] = {}
    for url in urls:
        folders.setdefault(url.rpartition("/")[0], []).append(url)
    found: set[str] = set()
    for folder, names in folders.items():
        with _errors(folder):
            fs, path = _resolved(f"{folder}/")
            fs.invalidate_cache(path)
            if len(names) <= _FEW:
                found.update(name for name in names if fs.exists(_resolved(name)[1]))
            else:
                there = _listed(fs, path)
                found.update(url for url in names if url.rpartition("/")[2] in there)
    return found


def _listed(fs: Any, folder: str) -> set[str]:
    """The names in a folder; none where there is no such folder."""
    try:
        return {PurePosixPath(path).name for path in fs.ls(folder, detail=False)}
    except FileNotFoundError:
        return set()


class RemoteStream:
    """A file of which ranges are read, as an open file that can seek.

    No byte is read twice. Short ranges are read with what follows, up to `ahead` bytes, because a
    request costs more than they do.
    """

    def __init__(self, url: str, ahead: int = 4096) -> None:
        """Raises OSError and LatError."""
        self._url, self._ahead, self._position = url, ahead, 0
        with _errors(url):
            self._fs, self._path = _resolved(url)
            self._fs.invalidate_cache(self._path)
            self._size = int(self._fs.size(self._path))
        self._ranges: list[tuple[int, bytes]] = []

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = start + offset
        return self._position

    def read(self, size: int = -1) -> bytes:
        """The next bytes, fewer at the end of the file."""
        stop = self._size if size < 0 else min(self._position + size, self._size)
        parts = []
        while self._position < stop:
            part = self._known(stop) or self._fetched(stop)
            parts.append(part)
            self._position += len(part)
        return b"".join(parts)

    def _known(self, stop: int) -> bytes:
        """What is there of the bytes from here to `stop`, if it begins here."""
        for first, data in self._ranges:
            if first <= self._position < first + len(data):
                return data[self._position - first : stop - first]
        return b""

    def _fetched(self, stop: int) -> bytes:
        """The bytes from here to `stop`, or to where others are known. Raises OSError."""
        start = self._position
        ahead = min(max(stop, start + self._ahead), self._size)
        end = min([first for first, _ in self._ranges if first > start] + [ahead])
        with _errors(self._url):
            data = self._fs.cat_file(self._path, start=start, end=end)
        if len(data) < min(end, stop) - start:
            raise TruncatedFile("the file became shorter while it was read")
        self._ranges.append((start, data))
        return data[: stop - start]
