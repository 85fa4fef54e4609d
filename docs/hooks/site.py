"""What MkDocs is told about this site: a page made from the commands, links that leave the docs."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import click
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from latentcodec.cli import main
from latentcodec.cli.reference import Entry, entries

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
    yield from (
        "# Commands",
        "",
        "What `latentcodec --help` and `latentcodec COMMAND --help` print, on one page.",
    )
    top, *commands = entries(group)
    yield from described(top)
    for entry in commands:
        yield from ("", f"## {entry.name}")
        yield from described(entry)


def described(entry: Entry) -> Iterator[str]:
    """Usage, help and options of a command."""
    yield from ("", "```text", entry.usage, "```")
    for paragraph in entry.paragraphs:
        if paragraph.startswith("\b\n"):  # click's mark of lines that stay as they are
            yield from ("", "```text", paragraph[2:], "```")
        else:
            yield from ("", text(paragraph))
    yield from ("", "| option | |", "|---|---|")
    for option, does in entry.options:
        yield f"| {code(option)} | {text(does)} |"


def code(words: str) -> str:
    """Words as code in a cell of a table."""
    return f"`{words}`".replace("|", "\\|")


def text(words: str) -> str:
    """Plain words as Markdown, in which code stays code."""
    parts = re.split(r"(`[^`]*`)", " ".join(words.split()))
    return "".join(part if part.startswith("`") else escaped(part) for part in parts)


def escaped(words: str) -> str:
    return re.sub(r"([\\*_\[\]|#])", r"\\\1", html.escape(words, quote=False))
