"""What files are read from and written to."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

from latentcodec.files.options import FileOptions
from latentcodec.format.source import Source
from latentcodec.images.files import open_image
from latentcodec.storage import remote
from latentcodec.storage.names import is_url, local_path
from latentcodec.system.atomic_write import Contents, check_writable, in_memory, write_file

if TYPE_CHECKING:
    from PIL.Image import Image

Target = str | os.PathLike[str] | IO[bytes]

_NO_NAME = "-"
_BLOCK_BYTES = 1 << 20


class Written(NamedTuple):
    """The size of a file in bytes, and its SHA-256 in hexadecimal digits, where it is wanted."""

    size: int
    sha256: str | None


def name_of(end: Source | Target) -> str:
    """A source or a target by its name; "-" where it is memory or a stream."""
    return os.fspath(end) if isinstance(end, (str, os.PathLike)) else _NO_NAME


def read_image(source: Source, strict: bool) -> tuple[Image, int]:
    """The picture in an image file, and the file's size in bytes. Raises as `open_image` does."""
    file, size = image_file(source)
    return open_image(file, strict), size


def image_file(source: Source) -> tuple[Path | io.BytesIO, int]:
    """What Pillow can open of a source, and its size in bytes.

    Only local paths are left to Pillow. Raises OSError, and LatError for a URL.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        data = source
    elif isinstance(source, str) and is_url(source):
        data = remote.read(source)
    elif isinstance(source, (str, os.PathLike)):
        path = local_path(source)
        return path, path.stat().st_size
    else:
        data = source.read()
    return io.BytesIO(data), len(data)


def check_target(target: Target, options: FileOptions) -> None:
    """Raise OSError where it is known already that `write_target` will: before the work is done."""
    if options.make_parents or not isinstance(target, (str, os.PathLike)):
        return
    if not (isinstance(target, str) and is_url(target)):
        check_writable(local_path(target))


def write_target(target: Target, contents: Contents, options: FileOptions) -> Written:
    """Write a file, whole or not at all, or to a stream. Raises OSError, and LatError for a URL."""
    hashed = _Hashed(contents) if options.sha256 else None
    size = _write(target, hashed or contents, options.make_parents)
    return Written(size, hashed.sha256 if hashed else None)


def _write(target: Target, contents: Contents, make_parents: bool) -> int:
    if isinstance(target, str) and is_url(target):
        data = in_memory(contents)
        remote.write(target, data)
        return len(data)
    if isinstance(target, (str, os.PathLike)):
        path = local_path(target)
        if make_parents:
            path.parent.mkdir(parents=True, exist_ok=True)
        return write_file(path, contents)
    data = in_memory(contents)
    target.write(data)
    target.flush()
    return len(data)


def preserve(source: Source, target: Target) -> None:
    """Give a file times and permissions of another one, as `cp -p` does.

    Pipes, devices, streams and URLs have none of their own. Raises OSError.
    """
    ends = (source, target)
    if not all(isinstance(end, (str, os.PathLike)) and not is_url(str(end)) for end in ends):
        return
    old, new = (Path(os.fspath(end)) for end in ends)  # type: ignore[arg-type]
    if old.is_file() and new.is_file():
        shutil.copystat(old, new)


def reads_back(target: Target, data: bytes) -> bool:
    """Whether a file is as it was written; pipes, devices and streams cannot be asked."""
    if isinstance(target, str) and is_url(target):
        return remote.read(target) == data
    if not isinstance(target, (str, os.PathLike)):
        return True
    path = Path(target)
    return not path.is_file() or path.read_bytes() == data


class _Hashed:
    """Contents of a file, whose SHA-256 is known when they are written."""

    def __init__(self, contents: Contents) -> None:
        self._contents = contents
        self.sha256: str | None = None

    def __call__(self, stream: IO[bytes]) -> None:
        digest = hashlib.sha256()
        if isinstance(self._contents, bytes):
            stream.write(self._contents)
            digest.update(self._contents)
        else:
            self._contents(stream)
            stream.seek(0)  # writers go back to fill in sizes: only at the end is it what it is
            while block := stream.read(_BLOCK_BYTES):
                digest.update(block)
        self.sha256 = digest.hexdigest()
