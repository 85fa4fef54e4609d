"""`latentcodec encode`."""

from __future__ import annotations

import contextlib
import functools
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from latentcodec.cli import options, paths
from latentcodec.cli.batch import convert_all, opened_manifest
from latentcodec.cli.declared import declared
from latentcodec.cli.progress import Progress
from latentcodec.cli.shown import is_terminal
from latentcodec.files.options import EncodeFileOptions
from latentcodec.options import GOALS
from latentcodec.storage.names import is_folder_name, suffix_of

if TYPE_CHECKING:
    from latentcodec.runtime.model_store import Tune


@click.command()
@click.argument("arguments", metavar="IN... [OUT.lat]", nargs=-1, required=True, type=click.Path())
@declared(EncodeFileOptions)
@options.encoding
@options.weights
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
    shared = options.BatchOptions.taken_from(chosen)
    keeps_suffix = chosen.pop("keeps_suffix")
    model = _model(chosen.pop("tune"), chosen.pop("model"), chosen.pop("weights"))
    _check_goals(chosen)
    inputs, output = paths.split(arguments, shared.output)
    if shared.output is None and output is not None:
        _check_name(inputs[0], output)
    naming = paths.Naming(".lat", _is_image, keeps_suffix)
    tasks = paths.plan(inputs, output, shared.recursive, naming)
    from latentcodec.cli.prefetch import Prefetcher
    from latentcodec.files.encode import encode_file

    wanted = EncodeFileOptions(
        model=model,
        runtime=shared.runtime,
        make_parents=paths.makes_parents(tasks),
        sha256=shared.manifest is not None,
        **chosen,
    )
    progress = Progress(is_shown=len(tasks) == 1 and is_terminal(sys.stderr) and not shared.quiet)
    convert = functools.partial(encode_file, options=wanted, progress=progress)
    ahead, manifest = Prefetcher(wanted.strict), opened_manifest(shared, wanted, tasks)
    with contextlib.closing(progress):
        convert_all(tasks, convert, shared, naming.left_out, ahead, manifest, progress)


def _check_goals(chosen: dict[str, Any]) -> None:
    """Raises UsageError where more than one goal is given."""
    source = click.get_current_context().get_parameter_source("quality")
    explicit = source is ParameterSource.COMMANDLINE
    if sum(chosen[goal] is not None for goal in GOALS) + explicit > 1:
        raise click.UsageError(
            "give one of --quality, --target-size, --target-bpp, --ratio and --target-psnr"
        )


def _model(tune: Tune | None, model: str | None, weights: str | None) -> str:
    """The name of what is to encode. Raises UsageError where several are given."""
    from latentcodec.runtime import model_store

    options.check_one_of(tune=tune, model=model, weights=weights)
    return weights or model_store.chosen(model, tune)


def _check_name(source: str, output: str) -> None:
    """Keep `encode *.jpg` of two photographs from writing over the second."""
    named = output == paths.STREAM or suffix_of(output) == ".lat" or is_folder_name(output)
    file = Path(output)
    if not (named or Path(source).is_dir() or (file.exists() and not file.is_file())):
        raise click.UsageError(f"{output} does not end in .lat; --output writes to any name")


def _is_image(suffix: str) -> bool:
    from latentcodec.images.files import is_readable

    return is_readable(suffix)
