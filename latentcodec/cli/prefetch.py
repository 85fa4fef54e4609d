"""Pictures read while those before them are encoded, and while torch is imported.

One thread does so beside the jobs: slow disks and networks keep no job waiting.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from latentcodec.cli.paths import Task
from latentcodec.files.capture_warnings import capture_warnings
from latentcodec.files.convert import unlimited
from latentcodec.files.endpoints import name_of, read_image
from latentcodec.images.files import pixels_in

if TYPE_CHECKING:
    from PIL.Image import Image

    from latentcodec.format.source import Source

    SizedImage = tuple[Image, int]  # and the size of its file in bytes

_ROOM_PIXELS = 32_000_000  # of pictures that wait: 128 MB as Pillow holds them


class Prefetcher:
    """The pictures of tasks.

    Read ahead is only what gives no warning and no error; the rest is read when it is asked for, so
    that what there is to say is said in its place.
    """

    def __init__(self, strict: bool) -> None:
        self._strict = strict
        self._reads: dict[str, Future[SizedImage | None]] = {}
        self._room = threading.Condition()
        self._waiting_pixels = 0
        self._wanted: str | None = None  # what a job waits for: it needs no room
        self._ended = False

    @contextlib.contextmanager
    def reading(self, tasks: Iterable[Task]) -> Iterator[None]:
        """Read the pictures of `tasks`, in their order, while there is room."""
        with ThreadPoolExecutor(1, "prefetch") as pool:
            self._reads = {
                name: pool.submit(self._read, name)
                for name in dict.fromkeys(task.source for task in tasks)
            }
            try:
                yield
            finally:
                with self._room:
                    self._ended = True
                    self._room.notify()
                pool.shutdown(cancel_futures=True)

    def read(self, source: Source, strict: bool) -> SizedImage:
        """A picture, once, and the size of its file in bytes. Raises as `open_image` does."""
        name = name_of(source)
        read = self._reads.pop(name, None)
        if read is None or read.cancel():
            return read_image(source, strict)
        with self._room:
            self._wanted = name
            self._room.notify()
        found = read.result()
        if found is None:
            return read_image(source, strict)
        image = found[0]
        with self._room:
            self._waiting_pixels -= image.width * image.height
            self._room.notify()
        return found

    def _read(self, name: str) -> SizedImage | None:
        with capture_warnings() as warnings, unlimited, contextlib.suppress(Exception):
            pixels = pixels_in(Path(name))
            if pixels > _ROOM_PIXELS or not self._has_room(name, pixels):
                return None
            image, size = read_image(name, self._strict)
            if not warnings:
                with self._room:  # of what was loaded: some formats say another size before
                    self._waiting_pixels += image.width * image.height
                return image, size
        return None

    def _has_room(self, name: str, pixels: int) -> bool:
        """Wait until a picture may be read; false where nobody will ask for it."""

        def decided() -> bool:
            room = self._waiting_pixels + pixels <= _ROOM_PIXELS
            return room or self._ended or self._wanted == name

        with self._room:
            self._room.wait_for(decided)
            return not self._ended
