"""The results in benchmarks/results, and the README's pictures from them.

`run` measures the packaged models on the 24 Kodak photographs into a folder with today's date;
`figures` copies the newest folder's plot and draws the comparison into docs/images.
"""

from __future__ import annotations

import datetime
import shutil
import subprocess
import sys
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
IMAGES = ROOT / "docs" / "images"
PHOTOS = "benchmarks/data/kodak"
PUBLISHED = "VVC (VTM 18.0),bmshj2018-hyperprior,HPCM-large"


@click.group()
def main() -> None:
    """Measure on Kodak, and draw the README's pictures."""


@main.command()
@click.option(
    "--codecs", default="lat,jpeg,jpeg:444,webp,avif,jxl,jpeg2000,heic", show_default=True
)
def run(codecs: str) -> None:
    """Measure into benchmarks/results/kodak-DATE; an interrupted run of that day goes on."""
    out = f"benchmarks/results/kodak-{datetime.date.today().isoformat()}"
    latentcodec(
        *("bench", PHOTOS, "--codecs", codecs, "--out", out),
        *("--published", "benchmarks/reference/kodak_rd.json", "--published-names", PUBLISHED),
        # Every slider would make the page too large for a repository.
        *("--sliders", "4"),
    )


@main.command()
def figures() -> None:
    """Make docs/images from the newest results."""
    folders = sorted(RESULTS.glob("kodak-????-??-??"))
    if not folders:
        raise click.ClickException("there are no results yet: run `make bench` first")
    shutil.copyfile(folders[-1] / "psnr.png", IMAGES / "kodak.png")
    out = folders[-1] / "comparison"
    photo = f"{PHOTOS}/kodim23.png"
    crop = ("--bpp", "0.2", "--corner", "300", "30", "--against", "jpeg,avif")
    latentcodec("compare", photo, *crop, "--out", str(out.relative_to(ROOT)))
    shutil.copyfile(out / "comparison.png", IMAGES / "comparison.png")


def latentcodec(*arguments: str) -> None:
    """Run the command as a person would, from the root of the checkout."""
    subprocess.run([sys.executable, "-m", "latentcodec", *arguments], check=True, cwd=ROOT)


if __name__ == "__main__":
    main()
