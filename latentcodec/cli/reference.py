"""What the help texts of all commands say, for pages that are made from them."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterator

import click


@dataclasses.dataclass(frozen=True)
class Entry:
    """A command: its usage line, paragraphs of help, and options with what they do.

    Paragraphs that are to stay as they are begin with "\b\n", as in click.
    """

    name: str
    usage: str
    paragraphs: list[str]
    options: list[tuple[str, str]]


def entries(group: click.Group) -> Iterator[Entry]:
    """The group itself, then its commands."""
    top = click.Context(group, info_name="latentcodec", **group.context_settings)
    yield _entry(group, top)
    for name in group.list_commands(top):
        found = group.get_command(top, name)
        assert found is not None  # it is in the list
        yield _entry(found, click.Context(found, info_name=name, parent=top))


def _entry(command: click.Command, context: click.Context) -> Entry:
    records = [
        parameter.get_help_record(context)
        for parameter in command.get_params(context)
        if isinstance(parameter, click.Option)
    ]
    return Entry(
        str(context.info_name),
        f"{context.command_path} {' '.join(command.collect_usage_pieces(context))}",
        inspect.cleandoc(command.help or "").split("\n\n"),
        [record for record in records if record is not None],
    )
