"""`latentcodec man`."""

from __future__ import annotations

from collections.abc import Iterator

import click

from latentcodec import __version__
from latentcodec.cli.reference import Entry, entries


@click.command()
def command() -> None:
    """Print the manual page: `latentcodec man | man -l -` shows it."""
    click.echo(manual_page())


def manual_page() -> str:
    """In roff's man macros, from the help texts."""
    from latentcodec.cli import main

    return "\n".join(_page(main))


def _page(group: click.Group) -> Iterator[str]:
    """The lines of the page."""
    top, *commands = entries(group)
    summary, *rest = top.paragraphs
    yield f'.TH LATENTCODEC 1 "" "latentcodec {__version__}" "User Commands"'
    yield from (".SH NAME", f"latentcodec \\- {_escaped(summary.rstrip('.'))}")
    yield from (".SH SYNOPSIS", ".B latentcodec", ".I COMMAND", "[options] [arguments]")
    yield ".SH COMMANDS"
    for entry in commands:
        yield from _section(entry)
    yield ".SH EXIT STATUS"
    yield from (_escaped(paragraph.removeprefix("Exit codes: ")) for paragraph in rest)


def _section(entry: Entry) -> Iterator[str]:
    yield f'.SS "{_escaped(entry.usage)}"'
    for paragraph in entry.paragraphs:
        if paragraph.startswith("\b\n"):  # click's mark of lines that stay as they are
            yield from (".PP", ".nf", _escaped(paragraph[2:]), ".fi")
        else:
            yield from (".PP", _escaped(" ".join(paragraph.split())))
    for option, does in entry.options:
        yield from (".TP", f".B {_escaped(option)}", _escaped(does))


def _escaped(text: str) -> str:
    """Text that roff prints as it is."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace('"', "\\(dq")
    lines = (f"\\&{line}" if line.startswith((".", "'")) else line for line in escaped.split("\n"))
    return "\n".join(lines)
