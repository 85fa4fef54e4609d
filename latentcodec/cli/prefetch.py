"""Pictures read while those before them are encoded, and while torch is imported.

One thread does so beside the jobs: slow disks and networks keep no job waiting.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING

from latentcodec.files.capture_warnings import capture_warnings
from latentcodec.files.convert import unlimited
from latentcodec.files.endpoints import image_file, name_of, read_image
from latentcodec.images.files import open_image, pixels_in
from latentcodec.storage.folders import is_special

if TYPE_CHECKING:
    from PIL.Image import Image

    from latentcodec.format.source import Source

    SizedImage = tuple[Image, int]  # and the size of its file in bytes

_ROOM_PIXELS = 32_000_000  # of pictures that wait: 128 MB as Pillow holds them


class Prefetcher:
    """The pictures of sources.

    Read ahead is only what gives no warning and no error; the rest is read when it is asked for, so
    that what there is to say is said in its place.
    """

    def __init__(self, strict: bool) -> None:
        self._strict = strict
        self._room = threading.Condition()
        self._reads: dict[str, Future[SizedImage | None]] = {}
        self._taken: set[str] = set()  # by jobs that were there first
        self._waiting_pixels = 0
        self._wanted: str | None = None  # what a job waits for: it needs no room
        self._ended = False

    @contextlib.contextmanager
    def reading(self, names: Iterable[str]) -> Iterator[None]:
        """Read the pictures of these names, in their order, while there is room."""
        thread = threading.Thread(target=self._read_all, args=(names,), name="prefetch")
        thread.start()
        try:
            yield
        finally:
            with self._room:
                self._ended = True
                self._room.notify()
            thread.join()

    def read(self, source: Source, strict: bool) -> SizedImage:
        """A picture, once, and the size of its file in bytes. Raises as `open_image` does."""
        name = name_of(source)
        with self._room:
            read = self._reads.pop(name, None)
            if read is None:
                self._taken.add(name)
            elif not read.done():
                self._wanted = name
                self._room.notify()
        if read is None:
            return read_image(source, strict)
        found = read.result()
        if found is None:
            return read_image(source, strict)
        image = found[0]
        with self._room:
            self._waiting_pixels -= image.width * image.height
            self._room.notify()
        return found

    def _read_all(self, names: Iterable[str]) -> None:
        for name in names:
            with self._room:
                if self._ended:
                    return
                if name in self._taken:
                    self._taken.remove(name)
                    continue
                if name in self._reads:  # it is there twice
                    continue
                read = self._reads[name] = Future()
            read.set_result(self._read(name))

    def _read(self, name: str) -> SizedImage | None:
        with capture_warnings() as warnings, unlimited, contextlib.suppress(Exception):
            file, size = image_file(name)
            if isinstance(file, Path) and is_special(file):  # a pipe can be opened but once
                return None
            pixels = pixels_in(file)
            if pixels > _ROOM_PIXELS or not self._has_room(name, pixels):
                return None
            image = open_image(file, self._strict)
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
