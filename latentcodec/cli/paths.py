"""Which file becomes which: arguments and folders as pairs of a source and a target."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path, PurePath
from typing import IO, TextIO

import click

from latentcodec.errors import LatError
from latentcodec.storage import remote
from latentcodec.storage.folders import files_of, is_taken
from latentcodec.storage.names import (
    base_name,
    is_folder_name,
    is_url,
    join,
    suffix_of,
    with_suffix,
)

STREAM = "-"  # standard input or output
_STDOUT = ("/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")
_FOLDER = "{} is a folder; --recursive converts what is in it"


@dataclasses.dataclass(frozen=True, slots=True)
class Task:
    """One file to convert. `refused` says why it cannot be, where that is known beforehand."""

    source: str
    target: str
    makes_folders: bool = False  # those of the target, where they are missing
    refused: str = ""
    is_rival: bool = False  # refused because another file becomes the same one
    is_done: bool = False  # the target is there, and stays as it is


@dataclasses.dataclass(frozen=True)
class Naming:
    """What a command takes from folders, by suffix, and the suffix of names that it makes.

    keeps_suffix: of the source, before its own. left_out: how many files of folders it did not
    take, by suffix, with what a command makes itself not counted.
    """

    suffix: str
    takes: Callable[[str], bool]
    keeps_suffix: bool = False
    left_out: Counter[str] = dataclasses.field(default_factory=Counter)

    def name(self, source: str) -> str:
        """What a file becomes."""
        if self.keeps_suffix:
            return source + self.suffix
        return with_suffix(source, self.suffix)

    def wants(self, name: str) -> bool:
        """Whether a file in a folder is converted; what is not is counted."""
        return is_taken(name, self.takes, self.left_out, own=self.suffix)


def split(arguments: Sequence[str], output: str | None) -> tuple[list[str], str | None]:
    """Inputs and output: that of --output, or else the last of several arguments.

    Raises UsageError for an empty name, and where there are several inputs and what stands last is
    not a folder.
    """
    if "" in (*arguments, output):  # a variable of the shell that is not set
        raise click.UsageError("a name is empty")
    if output is not None or len(arguments) == 1:
        return list(arguments), None if output is None else _by_option(output)
    *inputs, last = arguments
    if len(inputs) > 1 and not _names_folder(last):
        raise click.UsageError(
            f"several inputs need a folder: give one that exists last, or --output ({last} is none)"
        )
    return inputs, STREAM if last in _STDOUT else last


def _by_option(output: str) -> str:
    """What --output names: standard output as -, and a folder that is not there yet, by a name
    without an extension, with a slash behind it."""
    if output in _STDOUT:
        return STREAM
    new = output != STREAM and (is_url(output) or not os.path.lexists(output))
    return f"{output}/" if new and not suffix_of(output) else output


def plan(inputs: list[str], output: str | None, recursive: bool, naming: Naming) -> list[Task]:
    """A task for every file. Without an output, names are made beside the inputs.

    In a folder of outputs, one input folder is mirrored itself; of several inputs each keeps its
    name. Raises UsageError for what cannot be meant.
    """
    folders = {given for given in inputs if is_folder(given, recursive)}
    many = len(inputs) > 1 or (recursive and inputs[0] in folders)
    if STREAM in (*inputs, output):
        return [_stream_task(inputs, output, many)]
    if output is not None and not many and not _names_folder(output):
        refused = _FOLDER.format(inputs[0]) if folders else ""
        return _checked([Task(inputs[0], output, refused=refused)])
    if output is not None and not is_url(output) and _is_taken(output):
        raise click.UsageError(f"{output} is a file; several inputs need a folder")
    tasks = []
    for given in inputs:
        if given in folders and not recursive:
            tasks.append(Task(given, "", refused=_FOLDER.format(given)))
            continue
        found: Iterable[tuple[str, PurePath]] = [(given, PurePath(base_name(given)))]
        if given in folders:
            found = _files(given, naming, named=len(inputs) > 1)
        for source, below in found:
            target = naming.name(source if output is None else join(output, below))
            tasks.append(Task(source, target, makes_folders=True))
    return _checked(tasks)


def makes_parents(tasks: list[Task]) -> bool:
    """Whether the folders of outputs are made: all tasks of one `plan` are alike in that."""
    return any(task.makes_folders for task in tasks)


def _is_taken(output: str) -> bool:
    """Whether no folder can be made there: of a file, and of a link that leads nowhere."""
    return os.path.lexists(output) and not Path(output).is_dir()


def _names_folder(output: str) -> bool:
    """Whether an output is a folder; a URL is by its slash, and no store is asked."""
    return is_folder_name(output) or (not is_url(output) and Path(output).is_dir())


def standard_input() -> IO[bytes]:
    """Raises LatError where the program was started without."""
    return _open_stream(sys.stdin, "input")


def standard_output() -> IO[bytes]:
    """Raises LatError where the program was started without."""
    return _open_stream(sys.stdout, "output")


def _open_stream(stream: TextIO | None, name: str) -> IO[bytes]:
    if stream is None:  # so Python has those that were closed
        raise LatError(f"standard {name} is closed")
    return stream.buffer


def is_folder(given: str, recursive: bool) -> bool:
    """Whether an input is a folder. A store is asked where folders are wanted."""
    if is_url(given):
        return is_folder_name(given) or (recursive and remote.is_folder(given))
    return Path(given).is_dir()


def _stream_task(inputs: list[str], output: str | None, many: bool) -> Task:
    source = inputs[0]
    if many:
        raise click.UsageError("- stands for one picture; several need files")
    if output is None:
        return Task(source, STREAM)
    if output != STREAM and _names_folder(output):
        raise click.UsageError(f"a picture from - needs a name, and {output} is a folder")
    return Task(source, output)


def _files(folder: str, naming: Naming, named: bool) -> Iterator[tuple[str, PurePath]]:
    """Those of a folder that are taken, each with its place in the folder of outputs."""
    whole = folder if is_url(folder) else str(Path(folder).resolve())
    own = PurePath(base_name(whole) if named else "")
    for below in files_below(folder, naming.left_out):
        source = join(folder, below)
        if naming.wants(source):
            yield source, own / below


def files_below(folder: str, left_out: Counter[str]) -> Iterator[PurePath]:
    """The paths of all files of a folder, relative to it; hidden ones do not count."""
    if not is_url(folder):
        yield from files_of(folder, left_out)
        return
    for below in remote.files_below(folder):
        if not any(part.startswith(".") for part in below.parts):
            yield below


def existing(names: Iterable[str]) -> set[str]:
    """Those of the files that there are. Raises OSError, and LatError for URLs."""
    urls, found = [], set()
    for name in names:
        if is_url(name):
            urls.append(name)
        elif name != STREAM and Path(name).exists():
            found.add(name)
    return found | remote.existing(urls)


def folder_of(name: str) -> str:
    """The folder that a file lies in, the same for all its names."""
    return str(PurePath(_identity(name)).parent)


def _identity(name: str) -> str:
    """What names of the same file have in common."""
    local = name.removeprefix("file://")
    return local if is_url(local) else os.path.realpath(local)


def is_target(name: str, tasks: list[Task]) -> bool:
    """Whether a file is the output of a task."""
    return _identity(name) in {_identity(task.target) for task in tasks}


def check_apart(target: object, *sources: object) -> None:
    """Raises BadParameter for an output that is one of the inputs."""
    if _identity(str(target)) in {_identity(str(source)) for source in sources}:
        raise click.BadParameter(f"{target} is an input and is not overwritten")


def _checked(tasks: list[Task]) -> list[Task]:
    """The tasks, those refused that would overwrite an input or what another one writes."""
    inputs = {_identity(task.source) for task in tasks}
    first: dict[str, str] = {}
    checked = []
    for task in tasks:
        target = _identity(task.target)
        refused, is_rival = task.refused, False
        if not refused and target in inputs:
            refused = f"{task.target} is an input and is not overwritten"
        elif not refused and first.setdefault(target, task.source) != task.source:
            is_rival = True
            refused = f"{task.target} is what {first[target]} becomes: convert this one by itself"
        checked.append(dataclasses.replace(task, refused=refused, is_rival=is_rival))
    return checked
