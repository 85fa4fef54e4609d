"""Plots by matplotlib: lines, bars, points and shares; fields are in `plot_fields`."""

from __future__ import annotations

import logging
from random import Random
from typing import Any

import matplotlib
import matplotlib.style
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from graphics_set import plot_fields, plot_projected
from graphics_set.palette import css, theme
from graphics_set.sources import Sources, numpy_generator, size

# A font may have no face of the weight that a style sheet asks for; the nearest one is right.
logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)

_DPI = (72, 80, 96, 100, 120, 144, 160)
_LAYOUTS = ((1, 1), (1, 1), (1, 1), (1, 2), (2, 1), (2, 2), (2, 3))


def plot(random: Random, sources: Sources) -> Image.Image:
    """One figure of one to six axes in a random style."""
    width, height = size(random)
    with matplotlib.rc_context():
        matplotlib.style.use(["default", random.choice(_styles(sources))])
        parameters: Any = matplotlib.rcParams
        parameters.update(_settings(random, sources))
        dpi = random.choice(_DPI)
        figure = Figure(figsize=(width / dpi, height / dpi), dpi=dpi, layout="constrained")
        canvas = FigureCanvasAgg(figure)
        if random.random() < 0.12:
            plot_projected.draw(figure, random, sources)
        else:
            _fill(figure, random, sources)
        if random.random() < 0.4:
            figure.suptitle(sources.corpus.label(random, 6))
        canvas.draw()
        return Image.fromarray(np.asarray(canvas.buffer_rgba())[:, :, :3].copy())


def _styles(sources: Sources) -> list[str]:
    known = [name for name in sorted(matplotlib.style.available) if not name.startswith("_")]
    return [name for name in known if sources.split.has_plot_style(name)]


def _fill(figure: Figure, random: Random, sources: Sources) -> None:
    rows, columns = random.choice(_LAYOUTS)
    drawers = _DRAWERS + (_HELD_OUT_DRAWERS if sources.split.held_out else ())
    for axes in figure.subplots(rows, columns, squeeze=False).flat:
        random.choice(drawers)(axes, random, sources)
        _label(axes, random, sources)


def _settings(random: Random, sources: Sources) -> dict[str, Any]:
    """Fonts, antialiasing, grids and, at times, the colours of a theme."""
    family = sources.fonts.choose(random).family
    changed: dict[str, Any] = {
        "font.family": [family],
        "mathtext.fontset": "custom",
        "mathtext.fallback": "stix",
        **{f"mathtext.{style}": family for style in ("rm", "it", "bf")},
        "font.size": random.choice((7, 8, 9, 10, 11, 13, 16)),
        "axes.unicode_minus": False,
        "text.antialiased": random.random() < 0.93,
        "lines.antialiased": random.random() < 0.9,
        "axes.grid": random.random() < 0.5,
        "axes.spines.top": random.random() < 0.5,
        "axes.spines.right": random.random() < 0.5,
        "lines.linewidth": random.choice((0.6, 0.8, 1, 1.5, 1.5, 2, 3, 5)),
        "lines.markersize": random.choice((2, 3, 4, 6, 9)),
    }
    if random.random() < 0.5:
        colours = theme(random)
        ink = css(colours.text)
        changed |= {
            "figure.facecolor": css(colours.background),
            "axes.facecolor": css(random.choice((colours.background, colours.surface))),
            "axes.prop_cycle": cycler(color=[css(c) for c in colours.accents]),
            "grid.color": css(colours.border),
            "legend.facecolor": css(colours.surface),
            **dict.fromkeys(
                ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"),
                ink,
            ),
        }
    return changed


def _label(axes: Axes, random: Random, sources: Sources) -> None:
    """Title, names of the axes, legend, scale."""
    label = sources.corpus.label
    if random.random() < 0.6:
        axes.set_title(label(random, 5), loc=random.choice(("left", "center", "right")))
    if random.random() < 0.7:
        axes.set_xlabel(label(random))
        axes.set_ylabel(label(random))
    if axes.get_legend_handles_labels()[0] and random.random() < 0.7:
        axes.legend(loc=random.choice(("upper left", "lower right", "upper right")))
    if random.random() < 0.06:
        axes.set_axis_off()
    if random.random() < 0.1 and axes.get_ylim()[1] > 0 and not axes.images:
        axes.set_yscale("symlog")


def _curves(random: Random, count: int, length: int) -> np.ndarray:
    """[count, length]: noisy curves, smooth curves and saturating ones."""
    noise = numpy_generator(random)
    x = np.linspace(0, 1, length)
    shape = random.randrange(3)
    if shape == 0:
        return noise.normal(0, 1, (count, length)).cumsum(axis=1)
    turns, phase = noise.uniform(0.5, 6, (count, 1)), noise.uniform(0, 6.3, (count, 1))
    if shape == 1:
        return np.sin(turns * 6.3 * x + phase) * np.exp(-x * noise.uniform(0, 3, (count, 1)))
    return noise.uniform(1, 3, (count, 1)) * (1 - np.exp(-turns * x)) + noise.normal(
        0, 0.02, (count, length)
    )


def _lines(axes: Axes, random: Random, sources: Sources) -> None:
    length = random.choice((8, 12, 40, 200, 800))
    marker = random.choice(("", "o", "s", "^", "x", ".")) if length <= 40 else ""
    band = random.random() < 0.3
    for row in _curves(random, random.randint(1, 7), length):
        x = np.arange(length)
        axes.plot(
            x,
            row,
            random.choice(("-", "-", "-", "--", ":", "-.")),
            marker=marker,
            label=sources.corpus.label(random, 2),
        )
        if band:
            wide = 0.1 * np.ptp(row)
            axes.fill_between(x, row - wide, row + wide, alpha=0.25)


def _steps(axes: Axes, random: Random, sources: Sources) -> None:
    rows = _curves(random, random.randint(2, 5), 60)
    if random.random() < 0.5:
        labels = [sources.corpus.label(random, 2) for _ in rows]
        axes.stackplot(np.arange(60), np.abs(rows) + 0.2, labels=labels)
        return
    for row in rows:
        axes.step(np.arange(60), row, where="mid", label=sources.corpus.label(random, 2))


def _bars(axes: Axes, random: Random, sources: Sources) -> None:
    groups, series = random.randint(3, 12), random.randint(1, 4)
    heights = numpy_generator(random).gamma(2, 1, (series, groups))
    lying, stacked = random.random() < 0.3, random.random() < 0.4
    labels = [sources.corpus.label(random, 1)[:9] for _ in range(groups)]
    hatch = random.choice((None, None, None, "//", "..", "xx"))
    base, place = np.zeros(groups), np.arange(groups)
    draw = axes.barh if lying else axes.bar
    for number, row in enumerate(heights):
        thick = 0.8 if stacked else 0.8 / series
        start: dict[str, Any] = {"left" if lying else "bottom": base} if stacked else {}
        where = place if stacked else place + number * thick
        bars = draw(where, row, thick, label=sources.corpus.label(random, 2), hatch=hatch, **start)
        base = base + row
        if series == 1 and random.random() < 0.5:
            axes.bar_label(bars, fmt="%.1f")
    if lying:
        axes.set_yticks(place, labels)
    else:
        axes.set_xticks(place, labels, rotation=random.choice((0, 30, 45, 90)))


def _points(axes: Axes, random: Random, sources: Sources) -> None:
    noise, count = numpy_generator(random), random.choice((20, 60, 200, 1500))
    for _ in range(random.randint(1, 4)):
        slope, centre = noise.normal(0, 1), noise.normal(0, 2, 2)
        x = noise.normal(0, 1, count)
        y = slope * x + noise.normal(0, 0.5, count)
        sizes = noise.gamma(2, 20, count) if random.random() < 0.4 else random.choice((4, 12, 40))
        axes.scatter(
            x + centre[0],
            y + centre[1],
            sizes,
            marker=random.choice("os^D+x."),
            alpha=random.choice((0.4, 0.7, 1)),
            label=sources.corpus.label(random, 2),
        )


def _distribution(axes: Axes, random: Random, sources: Sources) -> None:
    noise = numpy_generator(random)
    data = [
        noise.normal(noise.normal(0, 2), noise.uniform(0.5, 2), 600)
        for _ in range(random.randint(1, 5))
    ]
    kind = random.choice(("hist", "hist", "box", "violin"))
    if kind == "hist":
        filled: Any = random.choice(("bar", "step", "stepfilled"))
        axes.hist(
            data,
            bins=random.randint(8, 60),
            histtype=filled,
            alpha=0.8,
            label=[sources.corpus.label(random, 1) for _ in data],
        )
    elif kind == "box":
        axes.boxplot(data, notch=random.random() < 0.5, patch_artist=random.random() < 0.5)
    else:
        axes.violinplot(data, showmeans=True)


def _shares(axes: Axes, random: Random, sources: Sources) -> None:
    parts = numpy_generator(random).gamma(2, 1, random.randint(3, 8))
    labels = [sources.corpus.label(random, 1) for _ in parts]
    ring = {"width": 0.4, "edgecolor": "white"} if random.random() < 0.5 else None
    axes.pie(parts, labels=labels, autopct="%.0f%%", wedgeprops=ring, explode=[0.02] * len(parts))


def _error_bars(axes: Axes, random: Random, sources: Sources) -> None:
    for row in _curves(random, random.randint(1, 3), 14):
        wide = np.abs(0.2 * row) + 0.02
        label = sources.corpus.label(random, 2)
        axes.errorbar(np.arange(14), row, wide, fmt=random.choice("os^"), capsize=3, label=label)


def _stems(axes: Axes, random: Random, sources: Sources) -> None:
    axes.stem(
        _curves(random, 1, random.choice((12, 30, 60)))[0], label=sources.corpus.label(random)
    )


def _events(axes: Axes, random: Random, sources: Sources) -> None:
    noise = numpy_generator(random)
    rows = [noise.uniform(0, 10, 40) for _ in range(random.randint(3, 12))]
    axes.eventplot(rows, colors=[f"C{k}" for k in range(len(rows))], linelengths=0.7)


_DRAWERS = (
    _lines,
    _lines,
    _lines,
    _steps,
    _bars,
    _bars,
    _points,
    _points,
    _distribution,
    _shares,
    *plot_fields.DRAWERS,
)
_HELD_OUT_DRAWERS = (_error_bars, _stems, _events) * 2
