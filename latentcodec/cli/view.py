"""`latentcodec view`."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from latentcodec.cli import options
from latentcodec.cli.shown import one_line
from latentcodec.errors import LatError


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path())
@options.weights
def command(files: tuple[str, ...], weights: str | None) -> None:
    """Show .lat files in the viewer that the desktop has for PNG files.

    Each is decoded to a PNG file in a new folder for temporary files, which is left to the system
    to remove: viewers read it when this command has ended.
    """
    from latentcodec.files.decode import decode_file

    folder = Path(tempfile.mkdtemp(prefix="latentcodec-"))
    for number, name in enumerate(files):
        target = folder / str(number) / f"{Path(name).stem}.png"
        target.parent.mkdir()
        result = decode_file(name, target)
        if result.error:
            raise LatError(result.error if name in result.error else f"{name}: {result.error}")
        for warning in result.warnings:
            click.echo(one_line(f"Warning: {name}: {warning}"), err=True)
        if click.launch(str(target), wait=True):
            raise LatError(f"no viewer could be started; {name} is decoded to {target}")
