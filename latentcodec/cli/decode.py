"""`latentcodec decode`."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from latentcodec.cli import options, paths
from latentcodec.cli.batch import convert_all, deliver, input_bytes
from latentcodec.cli.outcome import Written
from latentcodec.errors import LatError, warn_of_loss
from latentcodec.format.source import Bytes, opened
from latentcodec.options import DecodeOptions

if TYPE_CHECKING:
    from PIL import Image

    from latentcodec.images.metadata_names import MetadataName
    from latentcodec.pipeline.decoder import Decoded
    from latentcodec.runtime.choice import Runtime

_EXIT_SALVAGED = 3


def _suffix(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """`png` as .png, checked to be a format that is written."""
    if value is None:
        return None
    suffix = "." + value.lower().removeprefix(".")
    options.written_format(Path(f"picture{suffix}"))
    return suffix


def _colour(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """A colour by one of Pillow's names, checked."""
    if value is None:
        return None
    from latentcodec.images.formats import check_colour

    try:
        return check_colour(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Wanted(DecodeOptions):
    """How files are to be decoded: the command's own options besides those of `decode`."""

    suffix: str | None
    strict: bool
    strip: Collection[MetadataName]
    background: str | None
    runtime: Runtime | None


@click.command()
@click.argument("arguments", metavar="IN.lat... [OUT]", nargs=-1, required=True, type=click.Path())
@click.option(
    "--format",
    "suffix",
    callback=_suffix,
    metavar="EXT",
    help="Format to write, such as jpg [default: by OUT's extension, in folders png].",
)
@options.declared(DecodeOptions)
@options.weights
@click.option("--strict", is_flag=True, help="Refuse formats that cannot hold all of a file.")
@options.strip
@click.option(
    "--background",
    callback=_colour,
    metavar="COLOUR",
    help="What a picture with alpha is put on where the format has none: white, #ff8000.",
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
    latentcodec decode photo.lat small.jpg --scale 1/8

    An existing output is overwritten, as dwebp, avifdec and djxl do, when the new file is
    complete; an input never is. Metadata are passed on to formats that hold them, with a warning
    where they do not; where there is no place for the orientation, pixels are turned. Lossy
    formats are written at quality 95, as djxl does.
    """
    shared = options.BatchOptions.taken_from(chosen)
    del chosen["weights"]  # whose files can be read by now
    wanted = _Wanted(runtime=shared.runtime, **chosen)
    inputs, output = paths.split(arguments, shared.output)
    if output is None:
        raise click.UsageError("name an OUT, or a file or folder by --output")
    naming = paths.Naming(wanted.suffix or ".png", lambda path: path.suffix.lower() == ".lat")
    tasks = paths.plan(inputs, output, shared.recursive, naming)
    for task in tasks:
        if not task.refused:
            _form(task, wanted)  # one that Pillow does not write is wrong usage, before any work
    salvaged: list[paths.Task] = []
    if not shared.skip_existing:
        tasks = [_beside_original(task) for task in tasks]
    convert_all(tasks, lambda task: _decode(task, wanted, salvaged), shared, naming.left_out)
    if salvaged:
        raise click.exceptions.Exit(_EXIT_SALVAGED)


def _beside_original(task: paths.Task) -> paths.Task:
    """A task, refused where the name that was made for it is that of a picture beside the file."""
    source, target = Path(task.source), Path(task.target)
    beside = task.makes_folders and source.resolve().parent == target.resolve().parent
    if task.refused or not beside or not target.exists():
        return task
    refused = f"{target} stands beside {source} and may be its original: name another output"
    return dataclasses.replace(task, refused=refused)


def _form(task: paths.Task, wanted: _Wanted) -> str:
    """Pillow's name of the format to write. Raises BadParameter."""
    if wanted.suffix or task.target == paths.STREAM:
        return options.written_format(Path(f"picture{wanted.suffix or '.png'}"))
    return options.written_format(Path(task.target))


def _decoded(data: Bytes, wanted: _Wanted) -> Decoded[Image.Image]:
    """The picture, and what was lost of it. Raises LatError."""
    from latentcodec.images.canvas import ImageCanvas
    from latentcodec.pipeline import decoder
    from latentcodec.runtime.model_store import load_codec

    try:
        return decoder.decode(
            data,
            ImageCanvas,
            wanted,
            load=functools.partial(load_codec, runtime=wanted.runtime),
        )
    except ValueError as error:
        raise LatError(str(error)) from error


def _decode(task: paths.Task, wanted: _Wanted, salvaged: list[paths.Task]) -> Written:
    """Do one task; a damaged file's is added to `salvaged`. Raises LatError and OSError."""
    from latentcodec.images.files import write_image
    from latentcodec.images.formats import made_ready
    from latentcodec.images.metadata import strip_image

    form = _form(task, wanted)
    # Of a file on a disk only what is asked for is read.
    with opened(input_bytes(task) if task.source == paths.STREAM else task.source) as data:
        decoded, lat_bytes = _decoded(data, wanted), len(data)
    image, header = decoded.picture, decoded.header
    strip_image(image, wanted.strip)
    image = made_ready(image, form, strict=wanted.strict, background=wanted.background)
    size = deliver(task, lambda stream: write_image(image, stream, form))
    for problem in decoded.problems:
        warn_of_loss(problem)
    if decoded.problems:
        salvaged.append(task)
    return Written(
        width_px=image.width,
        height_px=image.height,
        input_bytes=lat_bytes,
        output_bytes=size,
        lat_pixels=header.width_px * header.height_px,
        lat_bytes=lat_bytes,
        details={"mode": image.mode},
        note=f"mode {image.mode}",
    )
