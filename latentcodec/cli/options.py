"""Options and checks that several commands share."""

from __future__ import annotations

import math
import re
from pathlib import Path

import click


def _number(ctx: click.Context, param: click.Parameter, value: float) -> float:
    if math.isnan(value):  # which no range excludes
        raise click.BadParameter("nan is not a quality")
    return value


quality = click.option(
    "-q",
    "--quality",
    type=click.FloatRange(1, 100),
    default=50,
    show_default=True,
    callback=_number,
    help="1 is smallest, 100 is best; tenths count.",
)


def parse_size(
    ctx: click.Context, param: click.Parameter, value: str | None
) -> tuple[int, int] | None:
    """`256x192` as width and height in px."""
    if value is None:
        return None
    match = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})", value)
    if not match:
        raise click.BadParameter(f"{value!r} is not a size such as 256x256")
    return int(match[1]), int(match[2])


def written_format(path: Path) -> str:
    """Pillow's name of the format of `path`, by its extension."""
    from latentcodec.image import writable_format

    form = writable_format(path)
    if form is None:
        raise click.BadParameter(f"Pillow writes no {path.suffix or 'such'} files: {path}")
    return form
