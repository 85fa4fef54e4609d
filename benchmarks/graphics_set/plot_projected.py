"""Plots that are not on a plane with two straight axes: surfaces and points in space, polar."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from graphics_set.plot_fields import colour_map, field
from graphics_set.sources import Sources, numpy_generator


def draw(figure: Figure, random: Random, sources: Sources) -> None:
    """One pair of axes; polar ones only where they are held out."""
    if sources.split.held_out and random.random() < 0.6:
        _polar(figure, random)
        return
    axes: Any = figure.add_subplot(projection="3d")
    axes.view_init(random.uniform(10, 60), random.uniform(0, 360))
    colours = colour_map(random, sources)
    if random.random() < 0.3:
        x, y, z = numpy_generator(random).normal(0, 1, (3, 400))
        axes.scatter(x, y, z, c=z, cmap=colours)
        return
    y, x = np.mgrid[0:40, 0:40]
    if random.random() < 0.5:
        axes.plot_surface(x, y, field(random, 40, 40), cmap=colours, rstride=1, cstride=1)
    else:
        axes.plot_wireframe(x, y, field(random, 40, 40), rstride=2, cstride=2)


def _polar(figure: Figure, random: Random) -> None:
    axes: Any = figure.add_subplot(projection="polar")
    noise = numpy_generator(random)
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    if random.random() < 0.5:
        axes.bar(angle, noise.gamma(2, 1, 24), 0.2, color=[f"C{k % 6}" for k in range(24)])
        return
    for k in range(random.randint(1, 4)):
        radius = 2 + np.sin((k + 1) * angle + noise.uniform(0, 6)) + noise.uniform(0, 0.4, 24)
        axes.fill(angle, radius, alpha=0.4)
        axes.plot(angle, radius, "o-")
