"""The files of local folders: which of them are taken, and how many are left out, by suffix."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path, PurePath

from latentcodec.storage.names import is_url, suffix_of


def files_of(folder: str, left_out: Counter[str]) -> Iterator[PurePath]:
    """The paths of all files of a folder and of those in it, relative to it, by name; hidden ones
    and links to folders do not count. Folders that cannot be read are counted in `left_out`."""

    def unreadable(_: OSError) -> None:
        left_out["unreadable folder"] += 1

    for path, folders, names in os.walk(folder, onerror=unreadable):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith("."):
                yield Path(path, name).relative_to(folder)


def is_taken(
    name: str, takes: Callable[[str], bool], left_out: Counter[str], own: str | None = None
) -> bool:
    """Whether a file of a folder is taken, by its suffix in small letters with its dot.

    What is not is counted as by `has_taken_suffix`; what only seems to be a file, too: who opens a
    pipe may wait for ever.
    """
    local = name.removeprefix("file://")
    if not is_url(local) and is_special(Path(local)):
        left_out["pipe or device"] += 1
        return False
    return has_taken_suffix(name, takes, left_out, own)


def has_taken_suffix(
    name: str, takes: Callable[[str], bool], left_out: Counter[str], own: str | None = None
) -> bool:
    """Whether a name is taken, by its suffix. What is not is counted in `left_out` by suffix, but
    that of the suffix `own`."""
    suffix = suffix_of(name)
    if takes(suffix):
        return True
    if suffix != own:
        left_out[suffix or "without extension"] += 1
    return False


def is_special(path: Path) -> bool:
    """Whether it is a pipe, a socket or a device, or a link to one."""
    try:
        mode = path.stat().st_mode
    except OSError:  # a link that leads nowhere, for instance: who reads it is told
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))
