"""`latentcodec compare`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from latentcodec.cli import options
from latentcodec.cli.bench import OUT_FOLDER, RATE, chosen_codecs, comma_list

if TYPE_CHECKING:
    from latentcodec.bench.codecs import Codec


@click.command()
@click.argument("photo", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--blind",
    is_flag=True,
    help="PHOTO is a folder: a page to vote on pairs of equal size without knowing whose they are.",
)
@click.option(
    "--against",
    callback=comma_list,
    default="jpeg,webp,avif",
    show_default=True,
    help="Codecs, named as for bench.",
)
@click.option(
    "--bpp",
    type=RATE,
    default=0.5,
    show_default=True,
    help="Bits per pixel to come near to.",
)
@options.encoding
@click.option(
    "--corner",
    nargs=2,
    type=click.IntRange(min=0),
    metavar="LEFT TOP",
    help="Of the strip's crop in pixels [default: the middle].",
)
@click.option(
    "--out",
    type=OUT_FOLDER,
    help="Folder [default: PHOTO's name and -comparison, or -blind].",
)
@click.option("--open", "opens", is_flag=True, help="Open the page in a browser.")
def command(
    photo: Path,
    blind: bool,
    against: list[str],
    bpp: float,
    tune: str | None,
    model: str | None,
    corner: tuple[int, int] | None,
    out: Path | None,
    opens: bool,
) -> None:
    """Encode PHOTO with latentcodec and other codecs at the same size, within 2 %.

    Writes comparison.html, a page with a before/after slider, and comparison.png, the same crop
    of each. Where a codec has few settings, the others meet the size of its nearest file; where
    even that fails, both show the true sizes, and a warning tells of it.

    With --blind, writes blind.html of a folder of photographs instead: pairs in random order, the
    votes kept in the page, and their sum with intervals.
    """
    _check_usage(photo, blind, corner)
    options.check_one_of(tune=tune, model=model)
    ready = _ready(model or tune, against)
    folder = out or Path(f"{photo.resolve().stem}-{'blind' if blind else 'comparison'}")
    page = _blind(photo, ready, bpp, folder) if blind else _photo(photo, ready, bpp, corner, folder)
    if opens:
        click.launch(str(page))


def _check_usage(photo: Path, blind: bool, corner: tuple[int, int] | None) -> None:
    if blind and not photo.is_dir():
        raise click.UsageError(f"--blind needs a folder, and {photo} is a file")
    if not blind and photo.is_dir():
        raise click.UsageError(f"{photo} is a folder, which needs --blind")
    if blind and corner:
        raise click.UsageError("--corner is of the strip, which --blind does not write")


def _ready(option: str | None, against: list[str]) -> list[Codec]:
    """The codecs that can run here, latentcodec first; a line for each that cannot."""
    from latentcodec.bench.codecs import OWN
    from latentcodec.errors import LatError

    own = f"{OWN}:{option}" if option else OWN
    chosen = chosen_codecs([own, *against], "--against")
    reasons = {codec.name: codec.missing() for codec in chosen}
    for name, reason in reasons.items():
        if reason and name == own:
            raise LatError(reason)
        if reason:
            click.echo(f"{name} is skipped: {reason}", err=True)
    return [codec for codec in chosen if not reasons[codec.name]]


def _photo(
    photo: Path, ready: list[Codec], bpp: float, corner: tuple[int, int] | None, folder: Path
) -> Path:
    from latentcodec.bench.comparison import compare_photo

    written = compare_photo(photo, ready, bpp, corner, folder)
    for line in written.lines:
        click.echo(line)
    for warning in written.warnings:
        click.echo(f"Warning: {warning}", err=True)
    click.echo(f"look at {written.page} and {written.strip}")
    return written.page


def _blind(photos: Path, ready: list[Codec], bpp: float, folder: Path) -> Path:
    from latentcodec.bench.blind import compare_blind

    page = compare_blind(photos, ready[0], ready[1:], bpp, folder, click.echo)
    click.echo(f"vote on {page}")
    return page
