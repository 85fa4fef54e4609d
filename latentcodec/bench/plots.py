"""Plots of rate-distortion curves, each over a linear and a logarithmic axis of rate."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullFormatter, StrMethodFormatter

from latentcodec.bench.codecs import OWN
from latentcodec.bench.metrics import METRICS, Metric
from latentcodec.bench.published import Published
from latentcodec.bench.results import CodecResult
from latentcodec.bench.styles import styles
from latentcodec.system.atomic_write import write_file

_MARKER_SIZES = {"*": 8, "x": 7, "+": 8}
_PUBLISHED_MARKERS = "^sDv<>ox*P"
_PUBLISHED_DASHES = ("--", ":", "-.")
_BPP_TICKS = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 4.0)


def plot_all(
    results: Mapping[str, CodecResult], published: Sequence[Published], title: str, folder: Path
) -> None:
    """Write one plot per metric that was measured, as PNG and SVG."""
    for metric in METRICS:
        drawn = [result for result in results.values() if len(result.mean[metric.column].bpp)]
        if not drawn:
            continue
        # The salt, so that two runs write the same bytes.
        with rc_context({"svg.hashsalt": "latentcodec", "svg.fonttype": "none"}):
            figure = _figure(drawn, published, title, metric)
            for suffix in ("png", "svg"):
                write_file(folder / f"{metric.column}.{suffix}", figure_bytes(figure, suffix))


def _figure(
    results: Sequence[CodecResult], published: Sequence[Published], title: str, metric: Metric
) -> Figure:
    figure = Figure(figsize=(12.0, 8.0), dpi=120, layout="constrained")
    logarithmic, linear = figure.subplots(1, 2, sharey=True)
    for axes in (logarithmic, linear):
        _draw(axes, results, published, metric)
    logarithmic.set_xscale("log")
    logarithmic.xaxis.set_major_locator(FixedLocator(_BPP_TICKS))
    logarithmic.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    logarithmic.xaxis.set_minor_formatter(NullFormatter())
    logarithmic.set_xlabel("bits per pixel (size of the file, log scale)")
    linear.set_xlabel("bits per pixel (size of the file, linear scale)")
    linear.set_xlim(left=0.0)
    logarithmic.set_ylabel(metric.label)
    figure.suptitle(title)
    _legends(figure, linear, len(results))
    return figure


def _legends(figure: Figure, axes: Axes, measured: int) -> None:
    """What was measured below the curves, what others published apart, where no curve comes."""
    handles, labels = axes.get_legend_handles_labels()
    size: dict[str, Any] = {"fontsize": "x-small", "title_fontsize": "small"}
    figure.legend(
        *(handles[:measured], labels[:measured]),
        **{"loc": "outside lower center", "title": "measured", "ncols": 3, **size},
    )
    if handles[measured:]:
        axes.legend(
            *(handles[measured:], labels[measured:]),
            **{"loc": "lower right", "title": "published, not measured here", **size},
        )


def _draw(
    axes: Axes, results: Sequence[CodecResult], published: Iterable[Published], metric: Metric
) -> None:
    chosen = styles([result.name for result in results])
    for result in results:
        curve_of, style = result.mean[metric.column], chosen[result.name]
        axes.plot(
            curve_of.bpp,
            curve_of.quality,
            label=f"{result.label}\n{result.version}",
            color=style.color,
            marker=style.marker,
            markersize=_MARKER_SIZES.get(style.marker, 5),
            linewidth=2.4 if result.name == OWN else 1.6,
        )
    for place, curve in enumerate(published):
        if metric.column in curve.quality:
            axes.plot(
                curve.bpp,
                curve.quality[metric.column],
                label=f"{curve.name} (published)",
                color="0.45",
                linestyle=_PUBLISHED_DASHES[place % len(_PUBLISHED_DASHES)],
                linewidth=1.1,
                marker=_PUBLISHED_MARKERS[place % len(_PUBLISHED_MARKERS)],
                markersize=3,
                zorder=1,
            )
    axes.grid(which="major", color="0.88")


def figure_bytes(figure: Figure, suffix: str) -> bytes:
    """A figure as a file of the format `suffix`, the same bytes each time."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format=suffix, metadata={"Date": None} if suffix == "svg" else None)
    return buffer.getvalue()
