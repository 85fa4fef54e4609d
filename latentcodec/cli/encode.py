"""`latentcodec encode`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from latentcodec.cli import options

if TYPE_CHECKING:
    from latentcodec.image import Picture
    from latentcodec.targets import Found

_POSITIVE = click.FloatRange(min=0, min_open=True)


def _size_bytes(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    """`60k` as bytes."""
    if value is None:
        return None
    match = re.fullmatch(r"([1-9]\d*)([kKmM]?)[bB]?", value)
    if not match:
        raise click.BadParameter(f"{value!r} is not a size such as 60000, 60k or 2M")
    return int(match[1]) * {"": 1, "k": 1000, "m": 1_000_000}[match[2].lower()]


@click.command()
@click.argument("source", metavar="IN", type=click.Path(path_type=Path))
@click.argument("target", metavar="OUT.lat", type=click.Path(path_type=Path))
@options.quality
@click.option(
    "--target-size",
    callback=_size_bytes,
    metavar="BYTES",
    help="Best quality whose file is not larger, such as 60k (60000 bytes).",
)
@click.option("--target-bpp", type=_POSITIVE, help="The same in bits per pixel.")
@click.option("--ratio", type=_POSITIVE, help="The same as a compression ratio, such as 20.")
@click.option("--target-psnr", type=_POSITIVE, help="Lowest quality with this PSNR in dB.")
@click.option("--model", default="hyper", show_default=True, help="A packaged model, by name.")
@click.option("--strict", is_flag=True, help="Refuse images of which something would be lost.")
def command(
    source: Path,
    target: Path,
    quality: float,
    target_size: int | None,
    target_bpp: float | None,
    ratio: float | None,
    target_psnr: float | None,
    model: str,
    strict: bool,
) -> None:
    """Encode the image IN (any format Pillow reads) as OUT.lat.

    An existing OUT.lat is overwritten, as cwebp, avifenc and cjxl do; it is replaced only when
    the new file is complete. Alpha is kept without losses, and so are EXIF, ICC profile and XMP.
    Of animations the first frame is kept, of 16 bits 8, and CMYK becomes RGB, with a warning.
    """
    goals = (target_size, target_bpp, ratio, target_psnr)
    context = click.get_current_context()
    explicit = context.get_parameter_source("quality") is ParameterSource.COMMANDLINE
    if sum(goal is not None for goal in goals) + explicit > 1:
        raise click.UsageError(
            "give one of --quality, --target-size, --target-bpp, --ratio and --target-psnr"
        )
    from latentcodec.image import open_image, picture_of
    from latentcodec.outputs import write_file

    picture = picture_of(open_image(source, strict), strict)
    found = _encoded(picture, model, quality, _limit_bytes(picture, *goals[:3]), target_psnr)
    write_file(target, found.data)
    height, width, _ = picture.pixels.shape
    size = len(found.data)
    click.echo(
        f"{target}: {width} x {height}, quality {found.quality:g}, "
        f"{size} bytes, {8 * size / (width * height):.3f} bpp"
    )


def _limit_bytes(
    picture: Picture, size: int | None, bpp: float | None, ratio: float | None
) -> float | None:
    """What the file may have, if one of the three is given."""
    height, width, _ = picture.pixels.shape
    if bpp is not None:
        return bpp * height * width / 8
    if ratio is not None:
        samples = (1 if picture.colour.is_grey else 3) + picture.colour.has_alpha
        return samples * height * width / ratio
    return size


def _encoded(
    picture: Picture,
    model: str,
    quality: float,
    limit_bytes: float | None,
    wanted_db: float | None,
) -> Found:
    """The file at a quality, or at the one that a limit or a fidelity asks for."""
    from latentcodec.codec import encode_picture, psnr_db
    from latentcodec.targets import Found, for_psnr, for_size

    def encoded(quality: float) -> bytes:
        return encode_picture(picture, quality, model)

    if limit_bytes is not None:
        found = for_size(encoded, limit_bytes)
        problem = (
            f"the smallest file of this picture has {len(found.data)} bytes, "
            f"more than the {limit_bytes:.0f} that are wanted"
        )
    elif wanted_db is not None:
        found = for_psnr(encoded, lambda data: psnr_db(picture, data), wanted_db)
        problem = f"even quality 100 falls short of {wanted_db:g} dB with this picture"
    else:
        return Found(encoded(quality), quality, reached=True)
    if not found.reached:
        raise click.ClickException(problem)
    return found
