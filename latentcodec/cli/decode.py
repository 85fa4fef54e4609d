"""`latentcodec decode`."""

from __future__ import annotations

from pathlib import Path

import click

from latentcodec.cli.options import written_format


def _region(
    ctx: click.Context, param: click.Parameter, value: str | None
) -> tuple[int, int, int, int] | None:
    """`0,0,640,480` as left, top, width and height."""
    if value is None:
        return None
    parts = value.split(",")
    if len(parts) != 4 or not all(part.isascii() and part.isdigit() for part in parts):
        raise click.BadParameter(f"{value!r} is not a region such as 0,0,640,480")
    left, top, width, height = map(int, parts)
    return left, top, width, height


@click.command()
@click.argument("source", metavar="IN.lat", type=click.Path(path_type=Path))
@click.argument("target", metavar="OUT", type=click.Path(path_type=Path))
@click.option(
    "--region",
    callback=_region,
    metavar="X,Y,W,H",
    help="Decode only this rectangle, in pixels from the top left corner.",
)
def command(source: Path, target: Path, region: tuple[int, int, int, int] | None) -> None:
    """Decode IN.lat as OUT, in the format of OUT's extension (any that Pillow writes).

    An existing OUT is overwritten, as dwebp, avifdec and djxl do; it is replaced only when the
    new file is complete. EXIF, ICC profile and XMP are passed on to formats that hold them.
    Lossy formats are written at quality 95, as djxl does.
    """
    from latentcodec import decode
    from latentcodec.image import file_bytes
    from latentcodec.outputs import write_file

    form = written_format(target)
    try:
        image = decode(source.read_bytes(), region)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    write_file(target, file_bytes(image, form))
    click.echo(f"{target}: {image.width} x {image.height}, mode {image.mode}")
