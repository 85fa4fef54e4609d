"""Rate-distortion benchmark on a folder of images, by default the 24 Kodak photographs."""

from __future__ import annotations

import json
import platform
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from latentcodec.bench.codecs import CODECS, Codec
from latentcodec.bench.plots import plot_mean_curves
from latentcodec.bench.report import collect, machine, summary, table
from latentcodec.bench.run import list_images, measure, read_rows

HERE = Path(__file__).resolve().parent
NAMES = ",".join(codec.name for codec in CODECS)
# AVIF at speed 2 takes longer than everything else together.
DEFAULT_NAMES = ",".join(codec.name for codec in CODECS if codec.name != "avif-slow")
FOLDER = click.Path(file_okay=False, path_type=Path)


def parse_codecs(_context: click.Context, _option: click.Parameter, value: str) -> list[Codec]:
    """The codecs that --codecs names, in the order of the table."""
    wanted = [name.strip() for name in value.split(",")]
    known = {codec.name for codec in CODECS}
    for name in wanted:
        if name not in known:
            raise click.BadParameter(f"{name!r} is none of {NAMES}")
    return [codec for codec in CODECS if codec.name in wanted]


@click.command()
@click.option(
    "--images",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=HERE / "data" / "kodak",
    help="Folder of images. Default: benchmarks/data/kodak",
)
@click.option(
    "--out",
    type=FOLDER,
    default=HERE / "results" / "kodak",
    help="Folder for rd.csv, rd.png and summary.json. Default: benchmarks/results/kodak",
)
@click.option(
    "--codecs", callback=parse_codecs, default=DEFAULT_NAMES, show_default=True, help=f"Of {NAMES}."
)
@click.option("--limit", type=click.IntRange(min=1), help="Measure the first N images only.")
@click.option("--resume", is_flag=True, help="Reuse the rows that rd.csv has.")
def main(images: Path, out: Path, codecs: list[Codec], limit: int | None, resume: bool) -> None:
    """Measure codecs through real files and compare them by BD-rate."""
    paths = list_images(images)[:limit]
    if not paths:
        raise click.ClickException(f"{images} has no images.")
    ready, skipped = split_missing(codecs)
    out.mkdir(parents=True, exist_ok=True)
    csv_path = out / "rd.csv"
    reused = len(read_rows(csv_path)) if resume else 0
    rows = measure(ready, paths, csv_path, resume, show_progress)
    if sys.stderr.isatty():
        click.echo(err=True)
    results = collect(ready, rows)
    plot_mean_curves(
        results.values(), f"{images.resolve().name}, mean of {len(paths)} images", out / "rd.png"
    )
    record = {
        **run_facts(ready, images, len(paths)),
        "skipped": skipped,
        "rows_reused_from_earlier_runs": reused,
        **summary(results),
    }
    text = json.dumps(record, indent=1, allow_nan=False)
    (out / "summary.json").write_text(text + "\n", encoding="utf-8")
    click.echo("\n".join(table(results)))


def split_missing(codecs: Sequence[Codec]) -> tuple[list[Codec], dict[str, str]]:
    """The codecs that this machine has, and why it lacks the others."""
    reasons = {codec.name: codec.missing() for codec in codecs}
    skipped = {name: reason for name, reason in reasons.items() if reason is not None}
    for name, reason in skipped.items():
        click.echo(f"{name} is skipped: {reason}", err=True)
    return [codec for codec in codecs if codec.name not in skipped], skipped


def show_progress(codec: str, done: int, total: int) -> None:
    """Overwrite a line on a terminal's stderr; elsewhere, one line when a codec is done."""
    line = f"{codec}: {done} of {total}"
    if sys.stderr.isatty():
        click.echo(f"\r{line:40}", err=True, nl=False)
    elif done == total:
        click.echo(line, err=True)


def run_facts(codecs: Sequence[Codec], images: Path, count: int) -> dict[str, Any]:
    """What a reader needs to know to judge or repeat the run."""
    return {
        "command": shown_command(),
        "images": {"folder": images.resolve().name, "count": count},
        "machine": machine(),
        "versions": {
            "python": platform.python_version(),
            **{codec.name: codec.version() for codec in codecs},
        },
        "times": "wall seconds of encoding and decoding in memory, one job at a time",
    }


def shown_command() -> str:
    """The command line with every absolute path cut to its last part.

    A result may be published, and the folders of one machine mean nothing on another.
    """
    words = []
    for word in sys.argv[1:]:
        option, equals, value = word.rpartition("=")
        words.append(f"{option}{equals}{Path(value).name}" if Path(value).is_absolute() else word)
    return shlex.join(["python", "benchmarks/kodak.py", *words])


if __name__ == "__main__":
    main()
