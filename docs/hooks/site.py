"""What MkDocs is told about this site: a page made from the commands, links that leave the docs."""

from __future__ import annotations

import html
import inspect
import re
from collections.abc import Iterator

import click
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from latentcodec.cli import main

_REFERENCE = "reference/cli.md"
_LINK_TO_SOURCE = re.compile(r"\[([^\]]+)\]\(\.\./[^)]*\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the reference of all commands."""
    files.append(File.generated(config, _REFERENCE, content="\n".join(reference(main))))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Links from docs/ into the source tree, which the site has not, become plain text."""
    return _LINK_TO_SOURCE.sub(r"\1", markdown) if "/" not in page.file.src_uri else markdown


def reference(group: click.Group) -> Iterator[str]:
    """The lines of the page, from the help texts."""
    top = click.Context(group, info_name="latentcodec", **group.context_settings)
    yield "# Commands"
    yield from (
        "",
        "What `latentcodec --help` and `latentcodec COMMAND --help` print, on one page.",
    )
    yield from described(group, top)
    for name in group.list_commands(top):
        found = group.get_command(top, name)
        assert found is not None  # it is in the list
        yield from ("", f"## {name}")
        yield from described(found, click.Context(found, info_name=name, parent=top))


def described(command: click.Command, context: click.Context) -> Iterator[str]:
    """Usage, help and options of a command."""
    usage = " ".join(command.collect_usage_pieces(context))
    yield from ("", "```text", f"{context.command_path} {usage}", "```")
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        if paragraph.startswith("\b\n"):  # click's mark of lines that stay as they are
            yield from ("", "```text", paragraph[2:], "```")
        else:
            yield from ("", text(paragraph))
    yield from ("", "| option | |", "|---|---|")
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if isinstance(parameter, click.Option) and record is not None:
            yield f"| {code(record[0])} | {text(record[1])} |"


def code(words: str) -> str:
    """Words as code in a cell of a table."""
    return f"`{words}`".replace("|", "\\|")


def text(words: str) -> str:
    """Plain words as Markdown, in which code stays code."""
    parts = re.split(r"(`[^`]*`)", " ".join(words.split()))
    return "".join(part if part.startswith("`") else escaped(part) for part in parts)


def escaped(words: str) -> str:
    return re.sub(r"([\\*_\[\]|#])", r"\\\1", html.escape(words, quote=False))
