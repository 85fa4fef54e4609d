"""`latentcodec compare`."""

from __future__ import annotations

from pathlib import Path

import click

from latentcodec.cli import options
from latentcodec.cli.bench import FILE, OUT_FOLDER, RATE, chosen_codecs, comma_list


@click.command()
@click.argument("photo", type=FILE)
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
    help="Folder [default: PHOTO's name and -comparison].",
)
@click.option("--open", "opens", is_flag=True, help="Open the page in a browser.")
def command(
    photo: Path,
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
    of each. Where a codec has few settings, the others meet the size of its nearest file.
    """
    from latentcodec.bench.codecs import OWN
    from latentcodec.bench.comparison import compare_photo
    from latentcodec.errors import LatError

    options.check_one_of(tune=tune, model=model)
    option = model or tune
    own = f"{OWN}:{option}" if option else OWN
    chosen = chosen_codecs([own, *against], "--against")
    reasons = {codec.name: codec.missing() for codec in chosen}
    for name, reason in reasons.items():
        if reason and name == own:
            raise LatError(reason)
        if reason:
            click.echo(f"{name} is skipped: {reason}", err=True)
    ready = [codec for codec in chosen if not reasons[codec.name]]
    folder = out or Path(f"{photo.stem}-comparison")
    written = compare_photo(photo, ready, bpp, corner, folder)
    for line in written.lines:
        click.echo(line)
    click.echo(f"look at {written.page} and {written.strip}")
    if opens:
        click.launch(str(written.page))
