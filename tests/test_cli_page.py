"""docs/cli.md: every command on it is run, in its order."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from latentcodec.cli import main

DOCS = Path(__file__).parent.parent / "docs"
PAGE = (DOCS / "cli.md").read_text(encoding="utf-8")
COMMANDS = [
    line
    for block in re.findall(r"^```sh\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    for line in block.splitlines()
]


@pytest.fixture
def reader(tmp_path: Path, photo: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder of someone who follows the page, who is at home in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    Path("docs").symlink_to(DOCS)
    Path("photos/2024").mkdir(parents=True)
    for number, name in enumerate(["photo.png", "a.jpg", "b.jpg", "photos/2024/c.jpg"]):
        Image.fromarray(photo[70 * number : 70 * number + 64, 300:396]).save(name)
    return tmp_path


def program(words: list[str], data: bytes) -> bytes:
    """Run `latentcodec`, here, with redirections; what it prints on standard output."""
    target = None
    for sign in set(words) & {"<", ">"}:
        place = words.index(sign)
        name = Path(words[place + 1]).expanduser()
        del words[place : place + 2]
        if sign == "<":
            data = name.read_bytes()
        else:
            target = name
    result = CliRunner().invoke(main, words[1:], input=data)
    assert result.exit_code == 0, f"{words}: {result.stderr}"
    if target is not None:
        target.write_bytes(result.stdout_bytes)
    return result.stdout_bytes


def test_every_command(reader: Path) -> None:
    assert len(COMMANDS) > 30
    for command in COMMANDS:
        words = shlex.split(command, comments=True)
        if words[0] == "latentcodec":
            data = b""
            for stage in " ".join(words).split(" | "):
                data = program(stage.split(), data)
        elif shutil.which(words[0]):
            subprocess.run(["bash", "-c", command], check=True, capture_output=True)
    assert Image.open("piped.webp").size == (96, 64)
    assert Image.open("part.jpg").size == (40, 30)
    assert Path("both/photos/2024/c.lat").is_file()
    assert Path("small.lat").stat().st_size < Path("encoded/a.lat").stat().st_size * 2
    *ones, last = map(json.loads, Path("report.jsonl").read_text().splitlines())
    assert last["summary"]["files"] == len(ones)
    for key in [*ones[0], *last]:
        assert key in PAGE


def test_every_option_is_shown() -> None:
    for name in ("encode", "decode"):
        command = main.get_command(None, name)
        assert command is not None
        for parameter in command.params:
            long = [word for word in parameter.opts if word.startswith("--")]
            assert not long or any(word in PAGE for word in [*long, *parameter.opts]), long
