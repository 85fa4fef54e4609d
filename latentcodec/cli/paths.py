"""Which file becomes which: arguments and folders as pairs of a source and a target."""

from __future__ import annotations

import dataclasses
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import click

STREAM = "-"  # standard input or output
_STDOUT = ("/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")
_FOLDER = "{} is a folder; --recursive converts what is in it"


@dataclasses.dataclass(frozen=True)
class Task:
    """One file to convert. `refused` says why it cannot be, where that is known beforehand."""

    source: str
    target: str
    makes_folders: bool = False  # those of the target, where they are missing
    refused: str = ""
    is_rival: bool = False  # refused because another file becomes the same one


@dataclasses.dataclass(frozen=True)
class Naming:
    """What a command takes from folders, and the suffix of names that it makes.

    keeps_suffix: of the source, before its own. left_out: how many files of folders it did not
    take, by suffix, with what a command makes itself not counted.
    """

    suffix: str
    takes: Callable[[Path], bool]
    keeps_suffix: bool = False
    left_out: Counter[str] = dataclasses.field(default_factory=Counter)

    def name(self, path: Path) -> Path:
        """What `path` becomes."""
        if self.keeps_suffix:
            return path.with_name(path.name + self.suffix)
        return path.with_suffix(self.suffix)

    def wants(self, path: Path) -> bool:
        """Whether a file in a folder is converted; what is not is counted."""
        if path.exists() and not path.is_file():
            self.left_out["pipe or device"] += 1
            return False
        if self.takes(path):
            return True
        if path.suffix.lower() != self.suffix:
            self.left_out[path.suffix.lower() or "without extension"] += 1
        return False


def split(arguments: Sequence[str], output: str | None) -> tuple[list[str], str | None]:
    """Inputs and output: that of --output, or else the last of several arguments.

    Raises UsageError where there are several inputs and what stands last is not a folder.
    """
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
    new = output != STREAM and not Path(output).exists()
    return f"{output}/" if new and not Path(output).suffix else output


def plan(inputs: list[str], output: str | None, recursive: bool, naming: Naming) -> list[Task]:
    """A task for every file. Without an output, names are made beside the inputs.

    In a folder of outputs, one input folder is mirrored itself; of several inputs each keeps its
    name. Raises UsageError for what cannot be meant.
    """
    many = len(inputs) > 1 or (recursive and Path(inputs[0]).is_dir())
    if STREAM in (*inputs, output):
        return [_stream_task(inputs, output, many)]
    if output is not None and not many and not _names_folder(output):
        refused = _FOLDER.format(inputs[0]) if Path(inputs[0]).is_dir() else ""
        return _checked([Task(inputs[0], output, refused=refused)])
    if output is not None and Path(output).is_file():
        raise click.UsageError(f"{output} is a file; several inputs need a folder")
    tasks = []
    for given in inputs:
        if Path(given).is_dir() and not recursive:
            tasks.append(Task(given, "", refused=_FOLDER.format(given)))
            continue
        for source, below in _files(given, naming.wants, named=len(inputs) > 1):
            if output is None:
                target = naming.name(Path(source))
            else:
                target = naming.name(Path(output) / below)
            tasks.append(Task(source, str(target), makes_folders=True))
    return _checked(tasks)


def makes_parents(tasks: list[Task]) -> bool:
    """Whether the folders of outputs are made: all tasks of one `plan` are alike in that."""
    return any(task.makes_folders for task in tasks)


def _names_folder(path: str) -> bool:
    return path.endswith(("/", os.sep)) or Path(path).is_dir()


def _stream_task(inputs: list[str], output: str | None, many: bool) -> Task:
    source = inputs[0]
    if many:
        raise click.UsageError("- stands for one picture; several need files")
    if output is None:
        return Task(source, STREAM)
    if output != STREAM and _names_folder(output):
        raise click.UsageError(f"a picture from - needs a name, and {output} is a folder")
    return Task(source, output)


def _files(given: str, takes: Callable[[Path], bool], named: bool) -> Iterator[tuple[str, Path]]:
    """The file or those of the folder `given`, each with its place in the folder of outputs."""
    root = Path(given)
    if not root.is_dir():
        yield given, Path(root.name)
        return
    own = Path(root.resolve().name) if named else Path()
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for path in (Path(folder, name) for name in sorted(names) if not name.startswith(".")):
            if takes(path):
                yield str(path), own / path.relative_to(root)


def _checked(tasks: list[Task]) -> list[Task]:
    """The tasks, those refused that would overwrite an input or what another one writes."""
    inputs = {os.path.realpath(task.source) for task in tasks}
    first: dict[str, str] = {}
    checked = []
    for task in tasks:
        target = os.path.realpath(task.target)
        refused, is_rival = task.refused, False
        if not refused and target in inputs:
            refused = f"{task.target} is an input and is not overwritten"
        elif not refused and first.setdefault(target, task.source) != task.source:
            is_rival = True
            refused = f"{task.target} is what {first[target]} becomes: convert this one by itself"
        checked.append(dataclasses.replace(task, refused=refused, is_rival=is_rival))
    return checked
