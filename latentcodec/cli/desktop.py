"""`latentcodec desktop`."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import click

from latentcodec.cli.completion import completion_script
from latentcodec.cli.man import manual_page
from latentcodec.system.atomic_write import write_file

# What makes a desktop read its folders again, where it is there: a program and the folder.
_REFRESHED = (("update-mime-database", "mime"), ("update-desktop-database", "applications"))


@click.command()
@click.argument("action", type=click.Choice(["install", "uninstall"]))
def command(action: str) -> None:
    """Make .lat files known to your desktop and your shell, or take that back.

    \b
    mime/packages/latentcodec.xml              the type image/x-lat
    thumbnailers/latentcodec.thumbnailer       thumbnails in file managers
    applications/latentcodec.desktop           a double click runs `latentcodec view`
    man/man1/latentcodec.1                     the manual page
    bash-completion/completions/latentcodec    completion; for fish and zsh as well
    latentcodec/latentcodec.magic              for `file -m`

    All of it lies below $XDG_DATA_HOME, ~/.local/share where that is not set: of this user alone.
    """
    home = _data_home()
    for path, text in _files(home):
        if action == "install":
            path.parent.mkdir(parents=True, exist_ok=True)
            write_file(path, text.encode())
            click.echo(f"{path}: written")
        elif path.exists():
            path.unlink()
            click.echo(f"{path}: removed")
    for program, folder in _REFRESHED:
        if shutil.which(program) and (home / folder).is_dir():
            # A desktop that cannot be told now reads the folder when it starts.
            with contextlib.suppress(OSError):
                subprocess.run([program, home / folder], capture_output=True)


def _data_home() -> Path:
    """As the XDG base directory specification has it, which ignores relative paths."""
    named = Path(os.environ.get("XDG_DATA_HOME", ""))
    return named if named.is_absolute() else Path.home() / ".local" / "share"


def _files(home: Path) -> Iterator[tuple[Path, str]]:
    program = _program()
    words = {"file": program[0], "program": " ".join(map(_quoted, program))}
    yield home / "mime/packages/latentcodec.xml", _template("latentcodec.xml")
    for folder, name in (("thumbnailers", "thumbnailer"), ("applications", "desktop")):
        text = _template(f"latentcodec.{name}").format_map(words)
        yield home / folder / f"latentcodec.{name}", text
    yield home / "man/man1/latentcodec.1", f"{manual_page()}\n"
    yield home / "bash-completion/completions/latentcodec", completion_script("bash")
    yield home / "fish/vendor_completions.d/latentcodec.fish", completion_script("fish")
    yield home / "zsh/site-functions/_latentcodec", completion_script("zsh")
    yield home / "latentcodec/latentcodec.magic", _template("latentcodec.magic")


def _template(name: str) -> str:
    return (resources.files("latentcodec.cli") / "desktop_files" / name).read_text("utf-8")


def _program() -> list[str]:
    """The words that start this program from anywhere."""
    called = Path(sys.argv[0])
    if called.stem == "latentcodec" and called.is_file():
        return [str(called.resolve())]
    return [sys.executable, "-m", "latentcodec"]


def _quoted(word: str) -> str:
    """A word of an Exec key: quoted, and its percent signs no field codes.

    Desktop Entry Specification 1.5, "The Exec key" and the escapes of strings.
    """
    inside = "".join(f"\\{letter}" if letter in '"`$\\' else letter for letter in word)
    return '"{}"'.format(inside.replace("\\", "\\\\").replace("%", "%%"))
