"""`latentcodec decode`."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import click

from latentcodec.cli import options, paths
from latentcodec.cli.batch import convert_all, deliver, input_bytes
from latentcodec.cli.outcome import Written
from latentcodec.errors import LatError


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


def _suffix(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """`png` as .png, checked to be a format that is written."""
    if value is None:
        return None
    suffix = "." + value.lower().removeprefix(".")
    options.written_format(Path(f"picture{suffix}"))
    return suffix


@dataclasses.dataclass(frozen=True)
class _Wish:
    """How files are to be decoded: the command's own options."""

    suffix: str | None
    region: tuple[int, int, int, int] | None


@click.command()
@click.argument("arguments", metavar="IN.lat... [OUT]", nargs=-1, required=True, type=click.Path())
@click.option(
    "--format",
    "suffix",
    callback=_suffix,
    metavar="EXT",
    help="Format to write, such as jpg [default: by OUT's extension, in folders png].",
)
@click.option(
    "--region",
    callback=_region,
    metavar="X,Y,W,H",
    help="Decode only this rectangle, in pixels from the top left corner.",
)
@options.batch
def command(arguments: tuple[str, ...], **chosen: Any) -> None:
    """Decode .lat files, in the format of OUT's extension (any that Pillow writes).

    \b
    latentcodec decode photo.lat photo.png
    latentcodec decode a.lat b.lat folder             writes into a folder that exists
    latentcodec decode *.lat -o folder --format jpg   which is made if it is missing
    latentcodec decode -r photos -o folder            mirrors what is below photos
    latentcodec decode - - --format png < photo.lat > photo.png

    An existing output is overwritten, as dwebp, avifdec and djxl do, when the new file is
    complete; an input never is. EXIF, ICC profile and XMP are passed on to formats that hold
    them. Lossy formats are written at quality 95, as djxl does.
    """
    shared = options.BatchOptions.taken_from(chosen)
    wish = _Wish(**chosen)
    inputs, output = paths.split(arguments, shared.output)
    if output is None:
        raise click.UsageError("name an OUT, or a file or folder by --output")
    naming = paths.Naming(wish.suffix or ".png", lambda path: path.suffix.lower() == ".lat")
    tasks = paths.plan(inputs, output, shared.recursive, naming)
    for task in tasks:
        if not task.refused:
            _form(task, wish)  # one that Pillow does not write is wrong usage, before any work
    convert_all(tasks, lambda task: _decode(task, wish), shared)


def _form(task: paths.Task, wish: _Wish) -> str:
    """Pillow's name of the format to write. Raises BadParameter."""
    if wish.suffix or task.target == paths.STREAM:
        return options.written_format(Path(f"picture{wish.suffix or '.png'}"))
    return options.written_format(Path(task.target))


def _decode(task: paths.Task, wish: _Wish) -> Written:
    """Do one task. Raises LatError and OSError."""
    from latentcodec import container, decode
    from latentcodec.image import file_bytes

    data = input_bytes(task)
    try:
        image = decode(data, wish.region)
    except ValueError as error:
        raise LatError(str(error)) from error
    written = file_bytes(image, _form(task, wish))
    deliver(task, written)
    header = container.read_header(data)
    return Written(
        width_px=image.width,
        height_px=image.height,
        input_bytes=len(data),
        output_bytes=len(written),
        lat_pixels=header.width_px * header.height_px,
        lat_bytes=len(data),
        details={"mode": image.mode},
        note=f"mode {image.mode}",
    )
