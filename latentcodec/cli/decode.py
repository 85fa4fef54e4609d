"""`latentcodec decode`."""

from __future__ import annotations

from pathlib import Path

import click

from latentcodec.cli.options import written_format


@click.command()
@click.argument("source", metavar="IN.lat", type=click.Path(path_type=Path))
@click.argument("target", metavar="OUT", type=click.Path(path_type=Path))
def command(source: Path, target: Path) -> None:
    """Decode IN.lat as OUT, in the format of OUT's extension (any that Pillow writes).

    An existing OUT is overwritten, as dwebp, avifdec and djxl do; it is replaced only when the
    new file is complete. EXIF, ICC profile and XMP are passed on to formats that hold them.
    Lossy formats are written at quality 95, as djxl does.
    """
    from latentcodec import decode
    from latentcodec.image import file_bytes
    from latentcodec.outputs import write_file

    form = written_format(target)
    image = decode(source.read_bytes())
    write_file(target, file_bytes(image, form))
    click.echo(f"{target}: {image.width} x {image.height}, mode {image.mode}")
