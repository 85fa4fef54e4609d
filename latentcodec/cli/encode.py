"""`latentcodec encode`."""

from __future__ import annotations

from pathlib import Path

import click

from latentcodec.cli import options


@click.command()
@click.argument("source", metavar="IN", type=click.Path(path_type=Path))
@click.argument("target", metavar="OUT.lat", type=click.Path(path_type=Path))
@options.quality
@click.option("--model", default="hyper", show_default=True, help="A packaged model, by name.")
def command(source: Path, target: Path, quality: float, model: str) -> None:
    """Encode the image IN (any format Pillow reads) as OUT.lat.

    An existing OUT.lat is overwritten, as cwebp, avifenc and cjxl do; it is replaced only when
    the new file is complete. EXIF, ICC profile and XMP are kept.
    """
    from latentcodec import encode
    from latentcodec.image import open_image
    from latentcodec.outputs import write_file

    image = open_image(source)
    data = encode(image, quality, model)
    write_file(target, data)
    bpp = 8 * len(data) / (image.width * image.height)
    click.echo(f"{target}: {image.width} x {image.height}, {len(data)} bytes, {bpp:.3f} bpp")
