"""Plots of two-dimensional fields: heat maps, contours, arrows, confusion matrices."""

from __future__ import annotations

from random import Random

import matplotlib
import numpy as np
from matplotlib.axes import Axes

from graphics_set.sources import Sources, numpy_generator


def colour_map(random: Random, sources: Sources) -> str:
    """A colour map of matplotlib on this side of the split."""
    known = sorted(name for name in matplotlib.colormaps if not name.endswith("_r"))
    return random.choice([name for name in known if sources.split.has_colour_map(name)])


def field(random: Random, rows: int, columns: int) -> np.ndarray:
    """A sum of a few bumps and waves, [rows, columns]."""
    noise = numpy_generator(random)
    y, x = np.mgrid[-3 : 3 : rows * 1j, -3 : 3 : columns * 1j]
    total = np.zeros((rows, columns))
    for _ in range(random.randint(2, 6)):
        cx, cy, wide, high = *noise.uniform(-2.5, 2.5, 2), noise.uniform(0.3, 1.5), noise.normal()
        total += high * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / wide**2)
    if random.random() < 0.4:
        total += 0.3 * np.sin(noise.uniform(1, 5) * x + noise.uniform(1, 5) * y)
    return total


def _heat(axes: Axes, random: Random, sources: Sources) -> None:
    rows, columns = random.choice(((6, 8), (10, 10), (12, 24), (40, 60), (200, 300)))
    values = field(random, rows, columns)
    if random.random() < 0.5:
        values += numpy_generator(random).normal(0, 0.15, values.shape)
    smooth = random.choice(("nearest", "nearest", "bilinear"))
    image = axes.imshow(
        values, colour_map(random, sources), aspect="auto", interpolation=smooth, origin="lower"
    )
    axes.grid(False)
    if rows <= 10 and random.random() < 0.7:
        for (row, column), value in np.ndenumerate(values):
            axes.text(column, row, f"{value:.1f}", ha="center", va="center", color="white")
    if random.random() < 0.6:
        axes.figure.colorbar(image, ax=axes)


def _contour(axes: Axes, random: Random, sources: Sources) -> None:
    values, levels = field(random, 80, 100), random.randint(5, 18)
    colours = colour_map(random, sources)
    shown = random.choice(("filled", "lines", "both"))
    if shown != "lines":
        filled = axes.contourf(values, levels, cmap=colours)
        if random.random() < 0.5:
            axes.figure.colorbar(filled, ax=axes)
    if shown != "filled":
        lines = axes.contour(values, levels, cmap=colours)
        if random.random() < 0.5:
            axes.clabel(lines, fontsize=7)


def _arrows(axes: Axes, random: Random, sources: Sources) -> None:
    count = random.randint(12, 24)
    values = field(random, count, count)
    across, down = np.gradient(values)
    place = np.arange(count)
    if random.random() < 0.5:
        axes.quiver(place, place, down, across, values, cmap=colour_map(random, sources))
    else:
        axes.streamplot(place, place, down, across, color=values, cmap=colour_map(random, sources))


def _hexagons(axes: Axes, random: Random, sources: Sources) -> None:
    x, y = numpy_generator(random).multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], 4000).T
    axes.hexbin(x, y, gridsize=random.randint(15, 40), cmap=colour_map(random, sources))


DRAWERS = (_heat, _heat, _contour, _contour, _arrows, _hexagons)
