"""The files of images to train on: found in folders and tar shards, and read.

What is left out is never passed over in silence, however much it is: `LeftOut` tells of it.
"""

from __future__ import annotations

import dataclasses
import io
import lzma
import tarfile
import warnings
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from latentcodec.errors import LatError, LossWarning, warn_of_loss
from latentcodec.files.errors import describe_error
from latentcodec.images.files import is_readable, open_image
from latentcodec.images.modes import storable
from latentcodec.images.plugins import listed
from latentcodec.storage.folders import files_of, has_taken_suffix, is_taken

INDEX = "index.json"
_SHARD = ".tar"
_NAMED = 5  # of what is left out for one reason


@dataclasses.dataclass
class LeftOut:
    """What is not trained on: files of other kinds, by suffix; why images cannot be read, each in a
    sentence that names it; and the names of those that are too small."""

    others: Counter[str] = dataclasses.field(default_factory=Counter)
    unreadable: list[str] = dataclasses.field(default_factory=list)
    small: list[str] = dataclasses.field(default_factory=list)

    def add_unreadable(self, place: str, error: BaseException) -> None:
        """error: one of `files.errors.HANDLED`."""
        message = describe_error(error)
        self.unreadable.append(message if place in message else f"{place}: {message}")

    def warn(self, smallest_px: int) -> None:
        """Give a LossWarning for each reason, and for the first of the images that cannot be read.

        smallest_px: what a side is to have.
        """
        for message in self.unreadable[:_NAMED]:
            warn_of_loss(f"left out: {message}")
        if self.unreadable:
            warn_of_loss(f"left out, because they cannot be read: {len(self.unreadable)}")
        if self.small:
            named = ", ".join(self.small[:_NAMED])
            more = len(self.small) - _NAMED
            named += f" and {more} more" if more > 0 else ""
            warn_of_loss(
                f"left out, with a side below {smallest_px} px: {len(self.small)} ({named})"
            )
        if self.others:
            warn_of_loss(f"left out: {listed(self.others)}")


@dataclasses.dataclass(frozen=True)
class ImageFile:
    """A file that is not yet decoded.

    name: the last part of its path, or the name of a shard's member; place: the same for people,
    who have to find it.
    """

    name: str
    place: str
    data: bytes

    def pixels(self) -> np.ndarray:
        """uint8 [H, W, 3], as `encode` would take them but for alpha, which is left away.

        Raises UnsupportedImage and LimitExceeded.
        """
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", LossWarning)  # training needs the colours alone
            opened = open_image(io.BytesIO(self.data), name=self.place)
            image, _ = storable(opened, strict=False)
        return np.array(image.convert("RGB"))


def image_files(paths: Sequence[Path], left_out: LeftOut) -> Iterator[ImageFile]:
    """All images in files, folders and tar shards, in order; what is none goes to `left_out`.

    In folders, hidden files and an index do not count. Raises OSError for a path where nothing is.
    """
    for path in paths:
        if path.is_dir():
            below = files_of(str(path), left_out.others)
            for file in sorted(path / name for name in below if name.name != INDEX):
                if is_taken(str(file), _is_data, left_out.others):
                    yield from _contents(file, left_out)
        else:
            path.stat()
            yield from _contents(path, left_out)


def _is_data(suffix: str) -> bool:
    return suffix == _SHARD or is_readable(suffix)


def _contents(path: Path, left_out: LeftOut) -> Iterator[ImageFile]:
    if path.suffix.lower() == _SHARD:
        yield from _members(path, left_out)
        return
    try:
        data = path.read_bytes()
    except OSError as error:
        left_out.add_unreadable(str(path), error)
        return
    yield ImageFile(path.name, str(path), data)


def _members(path: Path, left_out: LeftOut) -> Iterator[ImageFile]:
    try:
        with tarfile.open(path) as shard:
            for member in shard:
                parts = PurePosixPath(member.name).parts
                if member.isdir() or any(part.startswith(".") for part in parts):
                    continue
                if not has_taken_suffix(member.name, is_readable, left_out.others):
                    continue
                place = f"{path}/{member.name}"
                try:
                    file = shard.extractfile(member)
                except KeyError:  # of a link to what is not in the shard
                    file = None
                if file is None:
                    left_out.unreadable.append(f"{place} is no file, and a link to none")
                else:
                    yield ImageFile(member.name, place, file.read())
    except OSError as error:
        left_out.add_unreadable(str(path), error)
    except (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError) as error:
        left_out.add_unreadable(str(path), LatError(f"{path} is a damaged shard: {error}"))
