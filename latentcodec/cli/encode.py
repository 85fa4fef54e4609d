"""`latentcodec encode`."""

from __future__ import annotations

import dataclasses
import functools
import io
import math
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from latentcodec.cli import options, paths
from latentcodec.cli.batch import convert_all, deliver, input_bytes
from latentcodec.cli.outcome import Written
from latentcodec.errors import LatError
from latentcodec.format import container
from latentcodec.options import EncodeOptions

if TYPE_CHECKING:
    from latentcodec.cli.prefetch import Prefetcher
    from latentcodec.images.picture import PictureSource
    from latentcodec.pipeline.rate_control import Found
    from latentcodec.runtime.base import Family
    from latentcodec.runtime.model_store import ModelEntry, Tune


class _Positive(click.FloatRange):
    """A number above 0 that is one: no range excludes nan."""

    def __init__(self) -> None:
        super().__init__(min=0, min_open=True)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is not a number to aim at", param, ctx)
        return number


_POSITIVE = _Positive()


def _size_bytes(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    """`60k` as bytes."""
    if value is None:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([kKmM]?)[bB]?", value)
    size = float(match[1]) * {"": 1, "k": 1000, "m": 1_000_000}[match[2].lower()] if match else 0
    if size < 1:
        raise click.BadParameter(f"{value!r} is not a size such as 60000, 60k or 1.5M")
    return int(size)


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Wanted(EncodeOptions):
    """How pictures are to be encoded: the command's own options besides those of `encode`."""

    target_size: int | None
    target_bpp: float | None
    ratio: float | None
    target_psnr: float | None
    model: str
    verify: bool
    load: Callable[[ModelEntry], Family]


@click.command()
@click.argument("arguments", metavar="IN... [OUT.lat]", nargs=-1, required=True, type=click.Path())
@options.declared(EncodeOptions)
@click.option(
    "--target-size",
    callback=_size_bytes,
    metavar="BYTES",
    help="Best quality whose file is not larger, such as 60k (60000 bytes).",
)
@click.option("--target-bpp", type=_POSITIVE, help="The same in bits per pixel.")
@click.option("--ratio", type=_POSITIVE, help="The same as a compression ratio, such as 20.")
@click.option("--target-psnr", type=_POSITIVE, help="Lowest quality with this PSNR in dB.")
@options.encoding
@options.weights
@click.option("--verify", is_flag=True, help="Read back what was written, compare the latents.")
@click.option(
    "--keep-suffix", "keeps_suffix", is_flag=True, help="Name outputs a.png.lat, not a.lat."
)
@options.batch
def command(arguments: tuple[str, ...], **chosen: Any) -> None:
    """Encode images (any format Pillow reads) as .lat files.

    \b
    latentcodec encode photo.png                  writes photo.lat beside it
    latentcodec encode photo.png small.lat -q 30
    latentcodec encode a.png b.jpg folder         writes into a folder that exists
    latentcodec encode *.jpg -o folder            which is made if it is missing
    latentcodec encode -r photos -o folder        mirrors what is below photos
    latentcodec encode - - < photo.png > photo.lat

    An existing output is overwritten, as cwebp, avifenc and cjxl do, when the new file is
    complete; an input never is. Alpha is kept without losses, and so are EXIF, ICC profile and
    XMP. Of animations the first frame is kept, of 16 bits 8, and CMYK becomes RGB, with a warning.
    """
    from latentcodec.runtime.model_store import load_codec

    shared = options.BatchOptions.taken_from(chosen)
    keeps_suffix = chosen.pop("keeps_suffix")
    model = _model(chosen.pop("tune"), chosen.pop("model"), chosen.pop("weights"))
    load = functools.partial(load_codec, runtime=shared.runtime)
    wanted = _Wanted(model=model, load=load, **chosen)
    goals = (wanted.target_size, wanted.target_bpp, wanted.ratio, wanted.target_psnr)
    context = click.get_current_context()
    explicit = context.get_parameter_source("quality") is ParameterSource.COMMANDLINE
    if sum(goal is not None for goal in goals) + explicit > 1:
        raise click.UsageError(
            "give one of --quality, --target-size, --target-bpp, --ratio and --target-psnr"
        )
    inputs, output = paths.split(arguments, shared.output)
    if shared.output is None and output is not None:
        _check_name(inputs[0], output)
    naming = paths.Naming(".lat", _is_image, keeps_suffix)
    tasks = paths.plan(inputs, output, shared.recursive, naming)
    from latentcodec.cli.prefetch import Prefetcher
    from latentcodec.images.files import wide_limits

    images = Prefetcher(wanted.strict)
    with wide_limits(container.MAX_PIXELS):
        convert_all(
            tasks,
            lambda task: _encode(task, wanted, images),
            shared,
            naming.left_out,
            images.reading,
        )


def _model(tune: Tune | None, model: str | None, weights: str | None) -> str:
    """The name of what is to encode. Raises UsageError where several are given."""
    from latentcodec.runtime import model_store

    options.check_one_of(tune=tune, model=model, weights=weights)
    return weights or model_store.chosen(model, tune)


def _check_name(source: str, output: str) -> None:
    """Keep `encode *.jpg` of two photographs from writing over the second."""
    named = output == paths.STREAM or output.lower().endswith((".lat", "/", os.sep))
    file = Path(output)
    if not (named or Path(source).is_dir() or (file.exists() and not file.is_file())):
        raise click.UsageError(f"{output} does not end in .lat; --output writes to any name")


def _is_image(path: Path) -> bool:
    from latentcodec.images.files import is_readable

    return is_readable(path)


def _encode(task: paths.Task, wanted: _Wanted, images: Prefetcher) -> Written:
    """Do one task. Raises LatError and OSError."""
    from latentcodec.images.files import open_image
    from latentcodec.images.picture import source_of

    if task.source == paths.STREAM:
        data = input_bytes(task)
        input_size, image = len(data), open_image(io.BytesIO(data), wanted.strict)
    else:
        image = images.image(task)
        input_size = Path(task.source).stat().st_size
    picture = source_of(image, wanted.strict, wanted.strip)
    found = _encoded(picture, wanted)
    deliver(task, found.data)
    if wanted.verify and task.target != paths.STREAM and not _reads_back(task.target, found.data):
        raise LatError(f"{task.target} does not read back as it was written")
    height, width, size = picture.height, picture.width, len(found.data)
    return Written(
        width_px=width,
        height_px=height,
        input_bytes=input_size,
        output_bytes=size,
        lat_pixels=width * height,
        lat_bytes=size,
        details={"quality": found.quality} | ({"verified": True} if wanted.verify else {}),
        note=f"quality {found.quality:g}, {size} bytes, {8 * size / (width * height):.3f} bpp"
        + (", verified" if wanted.verify else ""),
    )


def _reads_back(target: str, data: bytes) -> bool:
    """Whether a file is as it was written; pipes and devices cannot be asked."""
    path = Path(target)
    return not path.is_file() or path.read_bytes() == data


def _limit_bytes(picture: PictureSource, wanted: _Wanted) -> float | None:
    """What the file may have, if one of the three limits is given."""
    pixels = picture.height * picture.width
    if wanted.target_bpp is not None:
        return wanted.target_bpp * pixels / 8
    if wanted.ratio is not None:
        return picture.colour.channels * pixels / wanted.ratio
    return wanted.target_size


def _encoded(picture: PictureSource, wanted: _Wanted) -> Found:
    """The file at a quality, or at the one that a limit or a fidelity asks for."""
    from latentcodec.pipeline import encoder
    from latentcodec.pipeline.rate_control import Found, for_psnr, for_size

    def encoded(quality: float) -> bytes:
        return encoder.encode(
            picture,
            dataclasses.replace(wanted, quality=quality),
            model=wanted.model,
            verify=wanted.verify,
            load=wanted.load,
        )

    limit_bytes, wanted_db = _limit_bytes(picture, wanted), wanted.target_psnr
    if limit_bytes is not None:
        found = for_size(encoded, limit_bytes)
        problem = (
            f"the smallest file of this picture has {len(found.data)} bytes, "
            f"more than the {limit_bytes:.0f} that are wanted"
        )
    elif wanted_db is not None:
        psnr_db = functools.partial(encoder.psnr_db, picture, load=wanted.load)
        found = for_psnr(encoded, psnr_db, wanted_db)
        problem = f"even quality 100 falls short of {wanted_db:g} dB with this picture"
    else:
        return Found(encoded(wanted.quality), wanted.quality, reached=True)
    if not found.reached:
        raise LatError(problem)
    return found
