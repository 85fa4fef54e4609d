"""Plots of rate-distortion curves."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullFormatter, StrMethodFormatter

from latentcodec.bench.report import CodecResult

# Marker and dash differ from codec to codec, so that the curves can be told apart without colour.
# They go by name, so that a codec looks the same in every plot.
_STYLES: dict[str, dict[str, Any]] = {
    "lat": {"color": "black", "marker": "o", "linestyle": "-", "linewidth": 2.2},
    "jpeg420": {"color": "tab:red", "marker": "s", "linestyle": "--"},
    "jpeg444": {"color": "tab:orange", "marker": "^", "linestyle": ":"},
    "webp": {"color": "tab:green", "marker": "D", "linestyle": "-."},
    "avif": {"color": "tab:blue", "marker": "v", "linestyle": (0, (5, 1, 1, 1, 1, 1))},
    "avif-slow": {"color": "tab:purple", "marker": "x", "linestyle": (0, (8, 3))},
}
_BPP_TICKS = (0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 4.0)


def plot_mean_curves(results: Iterable[CodecResult], title: str, path: Path) -> None:
    """Draw the mean curve of each codec, PSNR in dB over bits per pixel, as a PNG file."""
    figure = Figure(figsize=(8.0, 5.5), dpi=150, layout="constrained")
    axes = figure.add_subplot()
    for result in results:
        style = _STYLES[result.name]
        axes.plot(result.mean.bpp, result.mean.psnr_db, label=result.label, markersize=5, **style)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(_BPP_TICKS))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("bits per pixel (size of the file, log scale)")
    axes.set_ylabel("RGB PSNR, dB")
    axes.set_title(title)
    axes.grid(which="major", color="0.85")
    axes.legend()
    figure.savefig(path)
