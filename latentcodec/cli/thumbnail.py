"""`latentcodec thumbnail`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from latentcodec.cli.paths import check_apart

if TYPE_CHECKING:
    from PIL.Image import Image

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
    """Write a small upright picture of a .lat file, for file managers.

    Of the metadata it has the ICC profile alone. It comes at once where the file has a preview
    (`encode --preview`) that is large enough; else the file is decoded at the smallest scale that
    is not smaller. Pictures that are small themselves are not enlarged. It is PNG, unless the name
    says another format.
    """
    check_apart(target, source)
    if target.suffix.lower() == ".lat":  # the second of a glob
        raise click.BadParameter(f"{target} ends in .lat, which OUT is not")
    from latentcodec.errors import LatError
    from latentcodec.previews import thumbnail
    from latentcodec.system.atomic_write import write_file

    try:
        image = thumbnail(source, size)
    except LatError as error:
        raise LatError(f"{source}: {error}") from error
    write_file(target, _file_of(image, target))


def _file_of(image: Image, target: Path) -> bytes:
    if target.suffix.lower() in ("", ".png"):
        from latentcodec.images.preview import png_bytes

        return png_bytes(image)
    # Where other formats can be written, Pillow imports all of its plugins, and NumPy is needed.
    from latentcodec.images.files import file_bytes, writable_format

    return file_bytes(image, writable_format(target.suffix) or "PNG")
