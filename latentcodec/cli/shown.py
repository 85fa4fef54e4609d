"""What terminals show, and whether there is one."""

from __future__ import annotations

import re
from typing import TextIO

import click

# Of C0 and C1, and what Unicode has for ends of lines.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def one_line(text: str) -> str:
    """A text with names of files in it, of which terminals are not to obey control characters."""
    shown = click.format_filename(text)  # bytes that are no UTF-8, too
    return _CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode(), shown)


def is_terminal(stream: TextIO | None) -> bool:
    """Whether somebody looks at a standard stream, which is None where it was closed."""
    return stream is not None and stream.isatty()
