"""The results on Kodak, and the pages' pictures and tables from all results.

`run` measures the packaged models on the 24 Kodak photographs into a folder with today's date;
`figures` draws curves from the newest and the comparison into docs/images; `tables` writes the
tables of the pages from these and from those on other images.
"""

from __future__ import annotations

import datetime
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import click
import measured
from measured import CODECS, ROOT
from page_tables import PUBLISHED, REFERENCE, best_settings, fill

from latentcodec.bench.against import is_own
from latentcodec.bench.benchmark import decoder_kmac
from latentcodec.bench.codecs import ANCHOR, find
from latentcodec.bench.complexity import plot_complexity
from latentcodec.bench.plots import plot_all
from latentcodec.bench.published import read_published
from latentcodec.errors import LatError
from latentcodec.system.atomic_write import write_file

IMAGES = ROOT / "docs" / "images"
PHOTOS = "benchmarks/data/kodak"
PAGES = "README.md", *(f"docs/{n}.md" for n in ("index", "benchmark", "model-card", "speed"))
# Both metrics that the packaged models are held against each other by, and the pictures' names.
CURVES = {
    "psnr": "kodak",
    "ssimulacra2": "kodak-ssimulacra2",
    "complexity": "kodak-complexity",
}


@click.group()
def main() -> None:
    """Measure on Kodak, and make the pictures and tables of the pages."""


@main.command()
@click.option("--codecs", default=",".join(CODECS), show_default=True)
@click.option("--thorough", is_flag=True, help="Each rival at its best, too, which is slow.")
@click.option("--no-times", is_flag=True, help="Sizes and quality, which other work leaves alone.")
def run(codecs: str, thorough: bool, no_times: bool) -> None:
    """Measure into benchmarks/results/kodak-DATE; an interrupted run of that day goes on."""
    out = f"benchmarks/results/kodak-{datetime.date.today().isoformat()}"
    latentcodec(
        *("bench", PHOTOS, "--codecs", codecs, "--out", out),
        *("--published", str(REFERENCE.relative_to(ROOT))),
        *("--published-names", ",".join(PUBLISHED)),
        # Every slider would make the page too large for a repository.
        *("--sliders", "4"),
        *(["--thorough"] if thorough else []),
        *(["--timed-images", "0"] if no_times else []),
    )


@main.command()
def figures() -> None:
    """Make docs/images from the results that there are, of each rival at its best."""
    published = read_published(REFERENCE, PUBLISHED)
    with tempfile.TemporaryDirectory() as folder:
        found, title = measured.kodak(), "kodak, mean of 24 images"
        own = [*filter(is_own, found)]
        shown = {*own, ANCHOR, *best_settings(found)}
        found = {name: result for name, result in found.items() if name in shown}
        plot_all(found, published, title, Path(folder))
        kmac = decoder_kmac([find(name) for name in own], ROOT / PHOTOS / "kodim23.png")
        plot_complexity(found, published, kmac, title, Path(folder))
        for metric, name in CURVES.items():
            shutil.copyfile(Path(folder, f"{metric}.png"), IMAGES / f"{name}.png")
    out = ROOT / "build" / "comparison"
    photo = f"{PHOTOS}/kodim23.png"
    crop = ("--bpp", "0.2", "--corner", "300", "30", "--against", "jpeg,avif:2")
    latentcodec("compare", photo, *crop, "--out", str(out.relative_to(ROOT)))
    shutil.copyfile(out / "comparison.png", IMAGES / "comparison.png")


@main.command()
def tables() -> None:
    """Write the tables of the README and of the pages from the results that there are."""
    for page in PAGES:
        try:
            text = fill(ROOT / page)
        except LatError as error:
            raise click.ClickException(str(error)) from None
        write_file(ROOT / page, text.encode())


def latentcodec(*arguments: str) -> None:
    """Run the command as a person would, from the root of the checkout."""
    subprocess.run([sys.executable, "-m", "latentcodec", *arguments], check=True, cwd=ROOT)


if __name__ == "__main__":
    main()
