"""`latentcodec decode`."""

from __future__ import annotations

import io
from pathlib import Path

import click

_QUALITY = 95  # formats without losses ignore it


@click.command()
@click.argument("source", metavar="IN.lat", type=click.Path(path_type=Path))
@click.argument("target", metavar="OUT", type=click.Path(path_type=Path))
def command(source: Path, target: Path) -> None:
    """Decode IN.lat as OUT, in the format of OUT's extension (any that Pillow writes).

    An existing OUT is overwritten, as dwebp, avifdec and djxl do; it is replaced only when the
    new file is complete. EXIF, ICC profile and XMP are passed on to formats that hold them.
    Lossy formats are written at quality 95, as djxl does.
    """
    from PIL import Image

    from latentcodec import decode
    from latentcodec.errors import UnsupportedImage
    from latentcodec.metadata import save_options
    from latentcodec.outputs import write_file

    form = Image.registered_extensions().get(target.suffix.lower())
    if form not in Image.SAVE:
        raise click.BadParameter(f"Pillow writes no {target.suffix or 'such'} files: {target}")
    image = decode(source.read_bytes())
    buffer = io.BytesIO()
    try:
        image.save(buffer, format=form, quality=_QUALITY, **save_options(image))
    except MemoryError:
        raise
    except Exception as error:  # Pillow's writers raise nearly anything they cannot hold
        raise UnsupportedImage(f"Pillow cannot write {target}: {error}") from error
    write_file(target, buffer.getvalue())
    click.echo(f"{target}: {image.width} x {image.height}, mode {image.mode}")
