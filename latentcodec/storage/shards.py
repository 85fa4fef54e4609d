"""Tar shards in the layout of WebDataset: consecutive members of one name are a sample."""

from __future__ import annotations

import contextlib
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from latentcodec.errors import LatError
from latentcodec.storage import remote
from latentcodec.storage.names import is_url

# The key, with folders, up to the first dot of the last part; the extension is what follows.
_MEMBER = re.compile(r"((?:.*/)?[^/.]+)\.([^/]*)")


def samples(shard: str) -> Iterator[tuple[str, dict[str, bytes]]]:
    """The samples of a shard, in order: the key, and the members by extension.

    It is read once, from its beginning to its end. Raises OSError, and LatError for what is no tar
    file, is damaged, or is a URL that cannot be read.
    """
    key, members = "", dict[str, bytes]()
    try:
        with _stream(shard) as stream, tarfile.open(fileobj=stream, mode="r|*") as tar:
            for entry in tar:
                named = _MEMBER.fullmatch(entry.name)
                file = tar.extractfile(entry) if named else None
                if named is None or file is None:
                    continue
                if named[1] != key and members:
                    yield key, members
                    members = {}
                key = named[1]
                members[named[2].lower()] = file.read()
    except (tarfile.TarError, EOFError) as error:
        raise LatError(f"{shard} is a damaged shard: {error}") from error
    if members:
        yield key, members


@contextlib.contextmanager
def _stream(shard: str) -> Iterator[IO[bytes]]:
    with remote.opened(shard) if is_url(shard) else Path(shard).open("rb") as stream:
        yield stream
