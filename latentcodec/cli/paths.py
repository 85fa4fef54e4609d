"""Which file becomes which: arguments and folders as pairs of a source and a target."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import click

STREAM = "-"  # standard input or output
_FOLDER = "{} is a folder; --recursive converts what is in it"


@dataclasses.dataclass(frozen=True)
class Task:
    """One file to convert. `refused` says why it cannot be, where that is known beforehand."""

    source: str
    target: str
    makes_folders: bool = False  # those of the target, where they are missing
    refused: str = ""


@dataclasses.dataclass(frozen=True)
class Naming:
    """What a command takes from folders, and the suffix of names that it makes."""

    suffix: str
    takes: Callable[[Path], bool]


def split(arguments: Sequence[str], output: str | None) -> tuple[list[str], str | None]:
    """Inputs and output: that of --output, or else the last of several arguments.

    Raises UsageError where there are several inputs and what stands last is not a folder.
    """
    if output is not None or len(arguments) == 1:
        return list(arguments), output
    *inputs, last = arguments
    if len(inputs) > 1 and not _names_folder(last):
        raise click.UsageError(
            f"several inputs need a folder: give one that exists last, or --output ({last} is none)"
        )
    return inputs, last


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
        for source, below in _files(given, naming.takes, named=len(inputs) > 1):
            if output is None:
                target = Path(source).with_suffix(naming.suffix)
            else:
                target = (Path(output) / below).with_suffix(naming.suffix)
            tasks.append(Task(source, str(target), makes_folders=True))
    return _checked(tasks)


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
        refused = task.refused
        if not refused and target in inputs:
            refused = f"{task.target} is an input and is not overwritten"
        elif not refused and first.setdefault(target, task.source) != task.source:
            refused = f"{task.target} is what {first[target]} becomes: convert this one by itself"
        checked.append(dataclasses.replace(task, refused=refused))
    return checked
