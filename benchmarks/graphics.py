"""Graphics (screens, plots, text, drawings, flat art): a set to train on and one to measure with."""

from __future__ import annotations

from pathlib import Path

import click
from graphics_set.browser import SMOOTHINGS, Browser, chromium
from graphics_set.fonts import Fonts, TooFewFonts
from graphics_set.photographs import read_photos
from graphics_set.sources import Sources
from graphics_set.split import SPLITS
from graphics_set.words import Words
from graphics_set.write import Set, kinds, write_set


@click.group()
def main() -> None:
    """Make sets of graphics, and measure on one."""


@main.command()
@click.argument("split", type=click.Choice(sorted(SPLITS)))
@click.option("--out", type=click.Path(path_type=Path), required=True)
@click.option("--count", default=340, show_default=True)
@click.option("--seed", default=1, show_default=True)
@click.option("--photos", type=click.Path(exists=True, file_okay=False, path_type=Path))
def make(split: str, out: Path, count: int, seed: int, photos: Path | None) -> None:
    """Write a set as PNG with an index.json."""
    side = SPLITS[split]
    try:
        sources = Sources(side, Fonts.of(side), Words.of(side))
    except TooFewFonts as error:
        raise click.ClickException(str(error)) from None
    without: set[str] = set()
    browsers: dict[str, Browser] = {}
    if chromium() is None:
        click.echo("Chromium and chromedriver are not here: screens and pages are left out.", err=True)
        without |= {"screen", "page"}
    else:
        browsers = {name: Browser(name) for name in SMOOTHINGS}
    if photos is None:
        without.add("mixture")
    found = read_photos(photos) if photos else []
    try:
        write_set(Set(sources, seed, found, browsers), kinds(count, without), out, click.echo)
    finally:
        for browser in browsers.values():
            browser.close()


if __name__ == "__main__":
    main()
