"""The results in benchmarks/results, and the README's pictures from them.

`run` measures the packaged models on the 24 Kodak photographs into a folder with today's date;
`figures` draws curves from them and the comparison into docs/images.
"""

from __future__ import annotations

import datetime
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import click

from latentcodec.bench.against import statistics_tables
from latentcodec.bench.benchmark import decoder_kmac
from latentcodec.bench.codecs import find
from latentcodec.bench.complexity import plot_complexity
from latentcodec.bench.content import LABELS_FILE, content_tables, read_labels
from latentcodec.bench.plots import plot_all
from latentcodec.bench.published import read_published
from latentcodec.bench.results import CodecResult, collect
from latentcodec.bench.rows import Key, Row, TimeRow, read_rows
from latentcodec.bench.selection import QUICK, THOROUGH
from latentcodec.bench.summary import markdown_table

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
IMAGES = ROOT / "docs" / "images"
PHOTOS = "benchmarks/data/kodak"
REFERENCE = "benchmarks/reference/kodak_rd.json"
PUBLISHED = (
    "AV1,VVC (VTM 18.0),bmshj2018-hyperprior,EVC-small,shallow-ntc 2-layer,"
    "shallow-ntc 2-layer + SGA,C3 adaptive,Cool-chic 5.0,ELIC,HPCM-large"
)
OWN = "lat", "lat:psnr"
CODECS = tuple(dict.fromkeys((*OWN, *QUICK, "jpeg:444")))
# Both metrics that the packaged models are held against each other by, and the pictures' names.
CURVES = {
    "psnr": "kodak",
    "ssimulacra2": "kodak-ssimulacra2",
    "complexity": "kodak-complexity",
}

_Rows = TypeVar("_Rows", Row, TimeRow)


@click.group()
def main() -> None:
    """Measure on Kodak, and draw the README's pictures."""


@main.command()
@click.option("--codecs", default=",".join(CODECS), show_default=True)
@click.option("--thorough", is_flag=True, help="Each rival at its best, too, which is slow.")
def run(codecs: str, thorough: bool) -> None:
    """Measure into benchmarks/results/kodak-DATE; an interrupted run of that day goes on."""
    out = f"benchmarks/results/kodak-{datetime.date.today().isoformat()}"
    latentcodec(
        *("bench", PHOTOS, "--codecs", codecs, "--out", out),
        *("--published", REFERENCE, "--published-names", PUBLISHED),
        # Every slider would make the page too large for a repository.
        *("--sliders", "4"),
        *(["--thorough"] if thorough else []),
    )


@main.command()
def figures() -> None:
    """Make docs/images from the results that there are."""
    published = read_published(ROOT / REFERENCE, PUBLISHED.split(","))
    with tempfile.TemporaryDirectory() as folder:
        found, title = results(), "kodak, mean of 24 images"
        plot_all(found, published, title, Path(folder))
        kmac = decoder_kmac([find(name) for name in OWN], ROOT / PHOTOS / "kodim23.png")
        plot_complexity(found, published, kmac, title, Path(folder))
        for metric, name in CURVES.items():
            shutil.copyfile(Path(folder, f"{metric}.png"), IMAGES / f"{name}.png")
    out = ROOT / "build" / "comparison"
    photo = f"{PHOTOS}/kodim23.png"
    crop = ("--bpp", "0.2", "--corner", "300", "30", "--against", "jpeg,avif")
    latentcodec("compare", photo, *crop, "--out", str(out.relative_to(ROOT)))
    shutil.copyfile(out / "comparison.png", IMAGES / "comparison.png")


@main.command()
def tables() -> None:
    """Print the tables of the README from the results that there are, for every codec."""
    found = results()
    for line in markdown_table(found):
        click.echo(line)
    for table in statistics_tables(found):
        click.echo("\n" + "\n".join(table.markdown()).rstrip())
    labels = read_labels(ROOT / PHOTOS / LABELS_FILE)
    codecs = [find(name) for name in found]
    for table in content_tables(labels, codecs, rows_of_packaged(Row, "rd.csv")):
        click.echo("\n" + "\n".join(table.markdown()).rstrip())


def results() -> dict[str, CodecResult]:
    """What was measured, by name of the codec, of CODECS and of the thorough ones.

    Those that have no rows are left out. Raises ClickException where there is no run.
    """
    return collect(
        [find(name) for name in dict.fromkeys((*CODECS, *THOROUGH))],
        rows_of_packaged(Row, "rd.csv"),
        rows_of_packaged(TimeRow, "times.csv"),
    )


def rows_of_packaged(kind: type[_Rows], name: str) -> list[_Rows]:
    """The rows of the tables called `name`, each once, under the names that our models have now.

    From the newest run, and from results/ssim for a model that was not in it. A row's version names
    the weights, so that a model keeps its rows when it becomes the default. Raises ClickException
    where there is no run.
    """
    runs = sorted(RESULTS.glob("kodak-????-??-??"))
    if not runs:
        raise click.ClickException("there are no results yet: run `make bench` first")
    tables = [folder / name for folder in (runs[-1], RESULTS / "ssim")]
    names = {find(name).version(): name for name in OWN}
    found: dict[Key, _Rows] = {}
    for row in (row for table in tables for row in read_rows(kind, table)):
        if row.version in names or not row.codec.startswith("lat"):
            named = replace(row, codec=names.get(row.version, row.codec))
            found.setdefault(named.key, named)
    return list(found.values())


def latentcodec(*arguments: str) -> None:
    """Run the command as a person would, from the root of the checkout."""
    subprocess.run([sys.executable, "-m", "latentcodec", *arguments], check=True, cwd=ROOT)


if __name__ == "__main__":
    main()
