"""The bytes of a file on disk, read where they are asked for."""

from __future__ import annotations

import os
import threading
from typing import Protocol, overload

from latentcodec.errors import TruncatedFile


class _Stream(Protocol):
    """What an open file must be able to do."""

    def tell(self) -> int: ...
    def seek(self, offset: int, whence: int = ..., /) -> int: ...
    def read(self, size: int = ..., /) -> bytes: ...


class FileView:
    """An open file, indexed as a memoryview of its bytes would be; slices are read anew each time.

    Its length is what the file had at first. Reading raises TruncatedFile where it has become
    shorter, and OSError. Threads may share one.
    """

    def __init__(self, stream: _Stream) -> None:
        """stream: a file that can seek, which nothing else moves in; what lies before where it
        stands is left out."""
        self._stream, self._start = stream, stream.tell()
        self._length = max(stream.seek(0, os.SEEK_END) - self._start, 0)
        self._place = threading.Lock()  # a stream has one

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, where: int) -> int: ...
    @overload
    def __getitem__(self, where: slice) -> bytes: ...
    def __getitem__(self, where: int | slice) -> int | bytes:
        if isinstance(where, int):
            return self[where : where + 1][0]
        start, stop, _ = where.indices(self._length)
        with self._place:
            self._stream.seek(self._start + start)
            data = self._stream.read(max(stop - start, 0))
            while len(data) < stop - start and (
                more := self._stream.read(stop - start - len(data))
            ):
                data += more  # raw streams may give less than is there
        if start + len(data) < stop:
            raise TruncatedFile("the file became shorter while it was read")
        return data
