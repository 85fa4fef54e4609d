"""`latentcodec man`."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import click

from latentcodec import __version__


@click.command()
def command() -> None:
    """Print the manual page: `latentcodec man | man -l -` shows it."""
    from latentcodec.cli import main

    click.echo("\n".join(_page(main)))


def _page(group: click.Group) -> Iterator[str]:
    """The lines of the page in roff's man macros, from the help texts."""
    context = click.Context(group, info_name="latentcodec", **group.context_settings)
    summary, *rest = _paragraphs(group)
    yield f'.TH LATENTCODEC 1 "" "latentcodec {__version__}" "User Commands"'
    yield from (".SH NAME", f"latentcodec \\- {_escaped(summary.rstrip('.'))}")
    yield from (".SH SYNOPSIS", ".B latentcodec", ".I COMMAND", "[options] [arguments]")
    yield ".SH COMMANDS"
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        assert found is not None  # it is in the list
        yield from _section(found, click.Context(found, info_name=name, parent=context))
    yield ".SH EXIT STATUS"
    yield from (_escaped(paragraph.removeprefix("Exit codes: ")) for paragraph in rest)


def _section(found: click.Command, context: click.Context) -> Iterator[str]:
    usage = " ".join(found.collect_usage_pieces(context))
    yield f'.SS "latentcodec {context.info_name} {_escaped(usage)}"'
    for paragraph in _paragraphs(found):
        if paragraph.startswith("\b\n"):  # click's mark of lines that stay as they are
            yield from (".PP", ".nf", _escaped(paragraph[2:]), ".fi")
        else:
            yield from (".PP", _escaped(" ".join(paragraph.split())))
    for parameter in found.get_params(context):
        record = parameter.get_help_record(context)
        if isinstance(parameter, click.Option) and record is not None:
            yield from (".TP", f".B {_escaped(record[0])}", _escaped(record[1]))


def _paragraphs(found: click.Command) -> list[str]:
    return inspect.cleandoc(found.help or "").split("\n\n")


def _escaped(text: str) -> str:
    """Text that roff prints as it is."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace('"', "\\(dq")
    lines = (f"\\&{line}" if line.startswith((".", "'")) else line for line in escaped.split("\n"))
    return "\n".join(lines)
