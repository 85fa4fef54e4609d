"""A page of docs/, followed to the letter: its commands and its Python, in their order."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.command_line import call
from tests.paths import DOCS

_BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def text_of(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


def blocks(page: str) -> list[tuple[str, str]]:
    """Language and text of the blocks of sh and of Python."""
    return _BLOCK.findall(text_of(page))


def commands(page: str) -> list[str]:
    return [line for kind, text in blocks(page) if kind == "sh" for line in text.splitlines()]


def follow(page: str) -> None:
    """Do all that a page says, in the current folder; `tests/system/test_wheel.py` installs."""
    names: dict[str, object] = {"__name__": "__main__"}
    for kind, text in blocks(page):
        if kind == "python":
            exec(compile(text, page, "exec"), names)
            continue
        for line in text.splitlines():
            if not line.startswith(("make ", "pip ")):
                run(line)


def run(command: str) -> None:
    """A line of sh: `latentcodec` within this process, anything else, if it is there, by bash."""
    words = shlex.split(command, comments=True)
    if words[0] == "latentcodec":
        data = b""
        for stage in _stages(words):
            data = _program(stage, data)
    elif shutil.which(words[0]):
        subprocess.run(["bash", "-c", command], check=True, capture_output=True)


def _stages(words: list[str]) -> Iterator[list[str]]:
    """The commands between the pipes."""
    while "|" in words:
        yield words[: words.index("|")]
        words = words[words.index("|") + 1 :]
    yield words


def _program(words: list[str], data: bytes) -> bytes:
    """Run `latentcodec`, with redirections; what it prints on standard output."""
    target = None
    for sign in set(words) & {"<", ">"}:
        place = words.index(sign)
        name = Path(words[place + 1]).expanduser()
        del words[place : place + 2]
        if sign == "<":
            data = name.read_bytes()
        else:
            target = name
    result = call(*words[1:], stdin=data)
    assert result.exit_code == 0, f"{words}: {result.stderr}"
    if target is not None:
        target.write_bytes(result.stdout_bytes)
    return result.stdout_bytes
