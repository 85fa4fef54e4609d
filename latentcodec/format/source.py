"""Where the bytes of a file come from: memory, a path, or a file that is open."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator
from typing import IO

from latentcodec.format.file_view import FileView
from latentcodec.storage import remote
from latentcodec.storage.names import is_url, local_path

Source = str | os.PathLike[str] | bytes | bytearray | memoryview | IO[bytes]
Bytes = bytes | FileView  # a file in memory, or one of which only parts are read


@contextlib.contextmanager
def opened(source: Source, in_part: bool = False) -> Iterator[Bytes]:
    """The bytes of a file, of which no more are read than are asked for.

    An open file is taken from where it stands to its end; what cannot seek is read as a whole.
    in_part: most of the file will not be asked for; of a URL, which is otherwise read by a single
    request, ranges are. Raises OSError, LatError for a URL that cannot be read, and ValueError for
    what is no file.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        yield bytes(source)
    elif isinstance(source, str) and is_url(source):
        yield FileView(remote.RemoteStream(source)) if in_part else remote.read(source)
    elif isinstance(source, (str, os.PathLike)):
        with local_path(source).open("rb") as stream:
            yield FileView(stream) if stream.seekable() else stream.read()
    elif isinstance(source, io.TextIOBase):
        raise ValueError("a file must be open for bytes, mode rb, and not for text")
    elif hasattr(source, "read"):
        yield FileView(source) if source.seekable() else source.read()
    else:
        raise ValueError(
            f"a {type(source).__name__} is no file: give bytes, a path or a file open for reading"
        )
