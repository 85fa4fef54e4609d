"""The pictures of docs/ae-vs-vae.md: figures of what the other two scripts wrote, and samples.

python benchmarks/families_figures.py [--results benchmarks/results/families]
"""

from __future__ import annotations

import csv
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import click
import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, NullLocator

HERE = Path(__file__).resolve().parent
_STYLES = {"ae": "--", "vae": ":", "hyper": "-"}
_Series = dict[str, list[dict[str, str]]]


def _read(path: Path) -> _Series:
    """Rows of a CSV by family."""
    found: _Series = defaultdict(list)
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            found[row.get("family", "vae")].append(row)
    return found


def _noise(axes: Axes, series: _Series) -> None:
    for family, rows in series.items():
        x, y = ([float(row[key]) for row in rows] for key in ("sigma_steps", "psnr_db"))
        axes.plot(x, y, _STYLES[family], color="black", marker="o", label=family)
    axes.set_xlabel("sigma of the added noise, quantisation steps")
    axes.set_ylabel("PSNR, dB")
    axes.legend()


def _units(axes: Axes, series: _Series) -> None:
    for family, rows in series.items():
        shares = sorted((float(row["nonzero"]) for row in rows), reverse=True)
        seen = [share for share in shares if share > 0]  # the axis has no zero
        axes.plot(seen, _STYLES[family], color="black", label=family)
    axes.set_yscale("log")
    axes.set_xlabel("channel, by rank")
    axes.set_ylabel("share of non-zero symbols")
    axes.legend()


def _divergence(axes: Axes, series: _Series) -> None:
    ranked = sorted(series["vae"], key=lambda row: -float(row["kl_bits"]))
    for coded, mark, label in (("1", "o", "coded"), ("0", "x", "not coded")):
        own = [rank for rank, row in enumerate(ranked) if row["coded"] == coded]
        bits = [float(ranked[rank]["kl_bits"]) for rank in own]
        axes.scatter(own, bits, s=9, marker=mark, color="black", label=label)
    axes.set_yscale("log")
    axes.set_xlabel("channel of vae, by rank")
    axes.set_ylabel("KL, bits a latent")
    axes.legend()


def _rate(axes: Axes, series: _Series) -> None:
    rows = series["vae"]
    x, y = ([float(row[key]) for row in rows] for key in ("kl_bpp", "real_bpp"))
    axes.plot(x, y, color="black", marker="o", label="files of vae")
    axes.plot(x, x, color="grey", linestyle=":", label="rate = KL")
    axes.set_xscale("log")
    axes.set_yscale("log")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(FixedLocator([0.1, 0.2, 0.5, 1, 2, 5]))
        axis.set_major_formatter("{x:g}")
        axis.set_minor_locator(NullLocator())
    axes.set_xlabel("KL, bits per pixel")
    axes.set_ylabel("real rate, bits per pixel")
    axes.legend()


_FIGURES: dict[str, Callable[[Axes, _Series], None]] = {
    "noise": _noise,
    "units": _units,
    "rate-against-kl": _rate,
}


@click.command()
@click.option("--results", type=click.Path(path_type=Path), default=HERE / "results" / "families")
@click.option("--out", type=click.Path(path_type=Path), default=HERE.parent / "docs" / "images")
def main(results: Path, out: Path) -> None:
    """Draw each CSV of RESULTS as a PNG in OUT, and samples of the packaged models."""
    for name, draw in _FIGURES.items():
        _draw(out / f"families-{name}.png", draw, _read(results / f"{name}.csv"))
    _draw(out / "families-kl.png", _divergence, _read(results / "units.csv"))
    shutil.copyfile(results / "psnr.png", out / "families-psnr.png")
    for name in ("vae", "hyper"):
        drawn = ("--model", name, "-n", 4, "--size", "256x256", "-q", 20, "--seed", 7)
        _latentcodec("sample", out / f"sample-{name}.png", *drawn)
    _latentcodec("sample", out / "sample-vae64.png", "--model", "vae64", "-n", 24, "--seed", 7)
    ends = (HERE / "data" / "kodak" / f"kodim{number}.png" for number in ("23", "07"))
    way = ("--model", "vae64", "--steps", 9)
    _latentcodec("interpolate", *ends, out / "interpolate-vae64.png", *way)


def _latentcodec(*arguments: object) -> None:
    """Run the command as the page shows it."""
    words = [str(argument) for argument in arguments]
    subprocess.run([sys.executable, "-m", "latentcodec", *words], check=True)


def _draw(path: Path, draw: Callable[[Axes, _Series], None], series: _Series) -> None:
    figure, axes = pyplot.subplots(figsize=(6, 4), constrained_layout=True)
    draw(axes, series)
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
    click.echo(path)


if __name__ == "__main__":
    main()
