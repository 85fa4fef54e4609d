"""Parts of an open file, read by several threads."""

from __future__ import annotations

import io
import time
from concurrent.futures import ThreadPoolExecutor

from latentcodec.format.file_view import FileView


class GivesWay(io.BytesIO):
    """A stream that lets other threads run between `seek` and `read`."""

    def seek(self, offset: int, whence: int = 0) -> int:
        place = super().seek(offset, whence)
        time.sleep(0)
        return place


def test_threads_share_one() -> None:
    data = bytes(range(256)) * 16
    view = FileView(GivesWay(data))
    starts = list(range(0, len(data), 7)) * 8
    with ThreadPoolExecutor(8) as threads:
        parts = list(threads.map(lambda start: view[start : start + 5], starts))
    assert parts == [data[start : start + 5] for start in starts]
