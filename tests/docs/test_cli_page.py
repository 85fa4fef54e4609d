"""docs/cli.md: every command on it is run, in its order."""

from __future__ import annotations

import json
import re
from pathlib import Path

import click
import pytest
from PIL import Image

from latentcodec.cli import main
from tests.page_followed import commands, follow, text_of
from tests.paths import DOCS, ROOT


@pytest.mark.slow
def test_every_command(reader: Path) -> None:
    assert len(commands("cli.md")) > 30
    follow("cli.md")
    assert Image.open("piped.webp").size == (96, 64)
    assert Image.open("part.jpg").size == (40, 30)
    assert Path("both/photos/2024/c.lat").is_file()
    assert Path("small.lat").stat().st_size < Path("encoded/a.lat").stat().st_size * 2
    *ones, last = map(json.loads, Path("report.jsonl").read_text().splitlines())
    assert last["summary"]["files"] == len(ones)
    for key in [*ones[0], *last]:
        assert key in text_of("cli.md")


def test_every_option_is_shown() -> None:
    for name in ("encode", "decode"):
        command = main.get_command(click.Context(main), name)
        assert command is not None
        for parameter in command.params:
            long = [word for word in parameter.opts if word.startswith("--")]
            shown = [word for word in long if re.search(rf"{word}\b(?!-)", text_of("cli.md"))]
            assert shown or not long, long


def test_every_option_is_on_some_page() -> None:
    pages = [ROOT / "README.md", *DOCS.glob("*.md")]
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    for name in main.list_commands(click.Context(main)):
        command = main.get_command(click.Context(main), name)
        assert command is not None
        for option in (one for one in command.params if isinstance(one, click.Option)):
            assert any(re.search(rf"(?<![\w-]){word}(?![\w-])", text) for word in option.opts), (
                f"{name} {option.opts}"
            )
