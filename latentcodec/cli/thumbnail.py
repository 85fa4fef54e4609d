"""`latentcodec thumbnail`."""

from __future__ import annotations

from pathlib import Path

import click

_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("source", metavar="IN.lat", type=_PATH)
@click.argument("target", metavar="OUT", type=_PATH)
@click.option(
    "--size",
    type=click.IntRange(1, 4096),
    default=256,
    show_default=True,
    help="Of the longer side, in pixels.",
)
def command(source: Path, target: Path, size: int) -> None:
    """Write a small upright picture of a .lat file, without metadata, for file managers.

    At once where the file has a preview (`encode --preview`) that is large enough; else it is
    decoded at the smallest scale that is not smaller. Files that are small themselves are not
    enlarged. It is PNG, unless the name says another format.
    """
    from latentcodec.images.files import file_bytes, writable_format
    from latentcodec.previews import thumbnail
    from latentcodec.system.atomic_write import write_file

    form = writable_format(target.name) or "PNG"
    write_file(target, file_bytes(thumbnail(source, size), form))
