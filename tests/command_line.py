"""Calls of the program within the process, and what must hold of those that fail."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner, Result

from latentcodec.cli import main


def call(*arguments: object, stdin: bytes = b"") -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], input=stdin)


def typed(line: str, stdin: bytes = b"") -> Result:
    """A call of words without blanks in them, such as "encode a.png -q 40"."""
    return call(*line.split(), stdin=stdin)


def done(line: str, stdin: bytes = b"") -> Result:
    """A typed call that must succeed."""
    result = typed(line, stdin)
    assert result.exit_code == 0, result.stderr
    return result


def contents(folder: Path) -> dict[str, bytes | None]:
    return {p.name: p.read_bytes() if p.is_file() else None for p in folder.iterdir()}


def one_sentence(stderr: str) -> str:
    """The error message, checked to be all that was printed."""
    assert stderr.startswith("Error: ")
    assert stderr.count("\n") == 1 and stderr.endswith("\n")
    return stderr.removeprefix("Error: ").strip()


def fails(folder: Path, *arguments: object) -> str:
    """The message of a call that must fail and leave the folder as it was."""
    before = contents(folder)
    result = call(*arguments)
    assert isinstance(result.exception, SystemExit), repr(result.exception)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert contents(folder) == before
    return one_sentence(result.stderr)
