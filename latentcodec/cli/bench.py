"""`latentcodec bench`."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from latentcodec.bench.selection import QUICK, THOROUGH
from latentcodec.cli.declared import Number
from latentcodec.cli.shown import is_terminal

if TYPE_CHECKING:
    from latentcodec.bench.codecs import Codec

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
OUT_FOLDER = click.Path(file_okay=False, path_type=Path)
RATE = Number(min=0.01)  # bits per pixel
_EXTRA = ("matplotlib", "scipy", "pytorch_msssim", "ssimulacra2")


def comma_list(ctx: click.Context, param: click.Parameter, value: str) -> list[str]:
    """The names between the commas."""
    names = [name.strip() for name in value.split(",") if name.strip()]
    if value and not names:
        raise click.BadParameter("there is no name in it")
    return names


def chosen_codecs(names: list[str], option: str) -> list[Codec]:
    """The codecs by name, each once; one that is not known is wrong usage of `option`."""
    from latentcodec.bench.codecs import find
    from latentcodec.errors import LatError

    try:
        return [find(name) for name in dict.fromkeys(names)]
    except LatError as error:
        raise click.BadParameter(str(error), param_hint=option) from error


def command_codecs(texts: Sequence[str]) -> list[Codec]:
    """The codecs that are commands, each once; one of a wrong form is wrong usage of --codec."""
    from latentcodec.bench.command_codec import command_codec
    from latentcodec.errors import LatError

    try:
        return [command_codec(text) for text in dict.fromkeys(texts)]
    except LatError as error:
        raise click.BadParameter(str(error), param_hint="--codec") from error


def _check_extra() -> None:
    missing = [name for name in _EXTRA if importlib.util.find_spec(name) is None]
    if missing:
        raise click.ClickException(
            f"the extra `bench` is not installed ({', '.join(missing)} missing): "
            "pip install 'latentcodec[bench]'"
        )


@click.command()
@click.argument(
    "images", metavar="IMAGES_DIR", type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.option(
    "--codecs",
    "names",
    callback=comma_list,
    default=",".join(QUICK),
    show_default=True,
    help="NAME or NAME:OPTIONS, such as lat:psnr, avif:psnr:444:2 (tune, subsampling, speed).",
)
@click.option(
    "--thorough",
    is_flag=True,
    help=f"Also {', '.join(THOROUGH)}: each rival at its best, which is slow.",
)
@click.option(
    "--codec",
    "commands",
    multiple=True,
    metavar="NAME=ENCODE;DECODE",
    help="Also a codec that is two commands, such as "
    "'cjxl=cjxl {input} {output}.jxl -q {setting};djxl {input} {output}'. More than once.",
)
@click.option(
    "--out",
    type=OUT_FOLDER,
    required=True,
    help="Folder of results; a run that was interrupted goes on there.",
)
@click.option("--limit", type=click.IntRange(min=1), help="The first N images only.")
@click.option("--points", type=click.IntRange(min=2), help="At most N settings of each codec.")
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    default=os.cpu_count() or 1,
    help="Files at a time [default: all cores].",
)
@click.option(
    "--timed-images",
    type=click.IntRange(min=0),
    default=3,
    show_default=True,
    help="Measure times on the first N images, one job; 0 for no times.",
)
@click.option(
    "--runs",
    type=click.IntRange(min=1),
    default=3,
    show_default=True,
    help="Runs of which times are medians.",
)
@click.option(
    "--published",
    type=FILE,
    help="JSON of published curves to draw, dashed.",
)
@click.option(
    "--published-names", callback=comma_list, default="", help="Only these of its curves."
)
@click.option(
    "--sliders", type=click.IntRange(min=0), help="Images on the page's slider [default: all]."
)
@click.option(
    "--slider-bpp",
    type=RATE,
    default=0.5,
    show_default=True,
    help="Rate of the pictures there.",
)
@click.option(
    "--labels",
    type=FILE,
    help="CSV of image and labels, for tables by content [default: labels.csv in IMAGES_DIR].",
)
@click.option("--fresh", is_flag=True, help="Do not reuse rows of an earlier run.")
def command(
    names: list[str],
    commands: tuple[str, ...],
    thorough: bool,
    published: Path | None,
    published_names: list[str],
    **measured: Any,
) -> None:
    """Measure codecs on a folder of images: real files, four metrics, BD-rates, a report.

    Images reach the codecs as 8-bit RGB; one with transparency is refused.

    Writes rd.csv and times.csv (one row per file), results.json, summary.md, a plot per metric
    (PNG and SVG) and report.html, one self-contained page. Codecs that are not installed are
    skipped. The anchor of BD-rates is `jpeg`: Pillow's JPEG, 4:2:0, optimised, progressive.
    """
    _check_extra()
    from latentcodec.bench import benchmark
    from latentcodec.bench.progress import Progress
    from latentcodec.bench.published import read_published

    if published_names and not published:
        raise click.UsageError("--published-names needs --published")
    chosen = chosen_codecs([*names, *(THOROUGH if thorough else ())], "--codecs")
    chosen += command_codecs(commands)
    curves = read_published(published, published_names) if published else []
    options = benchmark.Options(published=curves, **measured)

    def say(text: str) -> None:
        click.echo(text, err=True, nl=False)

    live = is_terminal(sys.stderr)
    benchmark.run(
        chosen,
        options,
        tell=lambda line: click.echo(line, err=True),
        follow=lambda what: Progress(what, say, live),
    )
    click.echo((options.out / "summary.md").read_text(encoding="utf-8"))
    click.echo(f"look at {options.out / 'report.html'}")
