"""What bits are saved at which cost of decoding: multiplications a pixel, and measured times."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from latentcodec.bench.bdrate import BdRate, Curve, NotComparable, bd_rate
from latentcodec.bench.codecs import ANCHOR
from latentcodec.bench.metrics import PSNR
from latentcodec.bench.plots import figure_bytes
from latentcodec.bench.published import Published
from latentcodec.bench.results import CodecResult, compare
from latentcodec.bench.styles import styles
from latentcodec.system.atomic_write import write_file

_GREY = "0.45"


@dataclass(frozen=True)
class _Point:
    """A codec's cost and BD-rate, with the text beside it."""

    cost: float
    rate: float
    text: str
    color: str


def plot_complexity(
    results: Mapping[str, CodecResult],
    published: Sequence[Published],
    kmac: Mapping[str, float],
    title: str,
    folder: Path,
) -> None:
    """Write complexity.png and .svg: BD-rate by PSNR against what decoding costs.

    Args:
        results: What was measured; nothing is written where the anchor is not in it.
        published: Curves of others over the same images, in grey; they have no measured times.
        kmac: Thousands of multiplications a pixel of our decoders, by name.
        title: Of the figure.
        folder: Where to write.
    """
    if ANCHOR not in results:
        return
    with rc_context({"svg.hashsalt": "latentcodec", "svg.fonttype": "none"}):
        figure = Figure(figsize=(14.0, 5.6), dpi=120, layout="constrained")
        counted, timed = figure.subplots(1, 2)
        others = _published_costs(counted, results[ANCHOR], published)
        named = [*others, *_measured(counted, results, kmac)]
        if _measured(timed, results, _decode_ms(results)):
            # Times lie too close together to be named beside the marks, or to leave a legend room.
            marks = timed.get_legend_handles_labels()
            figure.legend(*marks, loc="outside right center", fontsize=7)
        counted.set_xlabel("decoder, thousands of multiplications a pixel (log scale)")
        timed.set_xlabel("decoding, ms, mean of the timed files (log scale)")
        counted.set_ylabel("BD-rate by RGB PSNR against JPEG, %")
        for axes in (counted, timed):
            axes.set_xscale("log")
            axes.grid(which="major", color="0.88")
            axes.margins(x=0.2, y=0.1)
        figure.suptitle(title)
        figure.draw_without_rendering()  # so that it is known which place is where
        _name(counted, named)
        for suffix in ("png", "svg"):
            write_file(folder / f"complexity.{suffix}", figure_bytes(figure, suffix))


def _decode_ms(results: Mapping[str, CodecResult]) -> dict[str, float]:
    return {name: 1000 * result.times.decode_s for name, result in results.items() if result.times}


def _measured(
    axes: Axes, results: Mapping[str, CodecResult], costs: Mapping[str, float]
) -> list[_Point]:
    """Draw what was measured here, each as its curve looks."""
    looks, drawn = styles(list(results)), []
    for name in (name for name in costs if name in results):
        rate = compare(results[ANCHOR], results[name], PSNR).rate
        if isinstance(rate, BdRate):
            style = looks[name]
            point = _Point(costs[name], rate.percent, results[name].label, style.color)
            (mark,) = axes.plot(point.cost, point.rate, linestyle="", marker=style.marker)
            mark.set(color=style.color, label=point.text)
            drawn.append(point)
    return drawn


def _published_costs(
    axes: Axes, anchor: CodecResult, published: Sequence[Published]
) -> list[_Point]:
    """Draw what others published, dashed: from the least cost to the most."""
    drawn = []
    for curve in published:
        rate, cost = published_rate(anchor, curve), curve.kmac
        if rate is None or cost is None:
            continue
        low = cost.high if cost.low is None else cost.low
        # Hollow where the decoder alone is not known, an arrow where there is only a bound.
        hollow = cost.of != "decoder"
        axes.plot(
            [low, cost.high],
            [rate, rate],
            color=_GREY,
            linestyle="--",
            marker="<" if cost.low is None else "s",
            markersize=4,
            markerfacecolor="white" if hollow else _GREY,
        )
        label = f"{curve.name} (published{', with its encoder' if hollow else ''})"
        drawn.append(_Point(cost.high, rate, label, _GREY))
    return drawn


def published_rate(anchor: CodecResult, curve: Published) -> float | None:
    """BD-rate in percent of a published curve against the measured anchor, by PSNR.

    None where they share too little. Only a picture of where others stand: the files are not ours.
    """
    points = Curve.from_points(curve.bpp, curve.quality[PSNR.column])
    try:
        return bd_rate(anchor.mean[PSNR.column], points).percent
    except NotComparable:
        return None


def _name(axes: Axes, points: Sequence[_Point]) -> None:
    """Write the names beside the points: inwards where there is room, and over nothing else."""
    if not points:
        return
    middle = math.sqrt(min(point.cost for point in points) * max(point.cost for point in points))
    marks = axes.transData.transform([(point.cost, point.rate) for point in points])
    taken = [Bbox.from_extents(x - 4, y - 4, x + 4, y + 4) for x, y in marks]
    for point in points:
        sides = ("right", "left") if point.cost > middle else ("left", "right")
        for side, below in itertools.product(sides, (3, -9, -2, -16, 10)):
            text = axes.annotate(
                point.text,
                (point.cost, point.rate),
                (-7 if side == "right" else 7, below),
                textcoords="offset points",
                ha=side,
                fontsize=6.5,
                color=point.color,
            )
            place = text.get_window_extent()
            inside = axes.bbox.containsx(place.x0) and axes.bbox.containsx(place.x1)
            if inside and not any(place.overlaps(other) for other in taken):
                break
            text.remove()
        else:
            text = axes.annotate(point.text, (point.cost, point.rate), fontsize=6.5)
        taken.append(text.get_window_extent())
