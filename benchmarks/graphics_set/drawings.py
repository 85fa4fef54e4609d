"""Line art and diagrams."""

from __future__ import annotations

import dataclasses
import itertools
import math
from random import Random

import numpy as np
from PIL import Image, ImageDraw

from graphics_set.backgrounds import background
from graphics_set.palette import RGB, Theme, theme
from graphics_set.sources import Sources, numpy_generator, size

_FINE = 3  # drawn so much larger and scaled down, for smooth edges
_FONT_PX = (10, 12, 14, 17)
Point = tuple[float, float]


@dataclasses.dataclass(frozen=True)
class _Pen:
    draw: ImageDraw.ImageDraw
    ink: RGB
    wide: int

    def line(self, x: np.ndarray, y: np.ndarray) -> None:
        points = list(zip(x.tolist(), y.tolist(), strict=True))
        self.draw.line(points, self.ink, self.wide, joint="curve")


def line_art(random: Random, sources: Sources) -> Image.Image:
    """Thin curves: Lissajous figures, hatching, branching trees, a wandering pen."""
    colours = theme(random)
    width, height = size(random)
    image = background(random, width, height, colours).resize((width * _FINE, height * _FINE))
    draw = ImageDraw.Draw(image)
    inks = [colours.text] if random.random() < 0.6 else [colours.text, *colours.accents]
    for _ in range(random.randint(3, 14)):
        middle = random.uniform(0, image.width), random.uniform(0, image.height)
        pen = _Pen(draw, random.choice(inks), random.choice((1, 2, 3, 4, 8)))
        figure = random.choice((_lissajous, _hatching, _tree, _walk))
        figure(pen, random, middle, _FINE * random.uniform(60, 300))
    return image.reduce(_FINE)


def _lissajous(pen: _Pen, random: Random, middle: Point, radius: float) -> None:
    a, b, turn = random.randint(1, 9), random.randint(1, 9), random.uniform(0, 6.3)
    angles = np.linspace(0, 2 * math.pi, 700)
    pen.line(
        middle[0] + radius * np.sin(a * angles + turn), middle[1] + radius * np.sin(b * angles)
    )


def _hatching(pen: _Pen, random: Random, middle: Point, radius: float) -> None:
    """Parallel chords of a circle."""
    angle, gap = random.uniform(0, 3.1), _FINE * random.uniform(3, 14)
    cos, sin = math.cos(angle), math.sin(angle)
    for step in range(-int(radius / gap), int(radius / gap) + 1):
        half = math.sqrt(max(radius**2 - (step * gap) ** 2, 0))
        x, y = middle[0] - step * gap * sin, middle[1] + step * gap * cos
        ends = (x - half * cos, y - half * sin, x + half * cos, y + half * sin)
        pen.draw.line(ends, pen.ink, pen.wide)


def _tree(pen: _Pen, random: Random, middle: Point, radius: float) -> None:
    branches = [(*middle, -math.pi / 2, radius / 2, 9)]
    while branches:
        x, y, angle, length, left = branches.pop()
        end = x + length * math.cos(angle), y + length * math.sin(angle)
        pen.draw.line((x, y, *end), pen.ink, max(1, pen.wide * left // 4))
        for side in (-1, 1) if left else ():
            bend = angle + side * random.uniform(0.15, 0.6)
            branches.append((*end, bend, length * random.uniform(0.6, 0.85), left - 1))


def _walk(pen: _Pen, random: Random, middle: Point, radius: float) -> None:
    turns = numpy_generator(random).normal(0, 0.25, 900).cumsum()
    step = radius / 40
    pen.line(
        middle[0] + step * np.cumsum(np.cos(turns)), middle[1] + step * np.cumsum(np.sin(turns))
    )


def diagram(random: Random, sources: Sources) -> Image.Image:
    """Boxes with labels, joined by straight or stepped arrows."""
    colours = theme(random)
    width, height = size(random)
    image = background(random, width, height, colours)
    draw, wide = ImageDraw.Draw(image), random.choice((1, 1, 2, 3))
    across, down = random.randint(2, 5), random.randint(2, 6)
    cell = width / across, height / down
    middles = [
        (
            (column + random.uniform(0.4, 0.6)) * cell[0],
            (row + random.uniform(0.4, 0.6)) * cell[1],
        )
        for row in range(down)
        for column in range(across)
        if random.random() < 0.8
    ]
    stepped = random.random() < 0.5
    for first, second in itertools.pairwise(middles):
        path = [first, (second[0], first[1]), second] if stepped else [first, second]
        draw.line(path, colours.muted, wide)
    _boxes(draw, random, sources, colours, middles, (0.35 * cell[0], 0.25 * cell[1]), wide)
    return image


def _boxes(
    draw: ImageDraw.ImageDraw,
    random: Random,
    sources: Sources,
    colours: Theme,
    middles: list[Point],
    half: Point,
    wide: int,
) -> None:
    font = sources.fonts.choose(random).at(random.choice(_FONT_PX))
    rounded = random.choice((0, 0, 6, 20))
    for x, y in middles:
        box = (x - half[0], y - half[1], x + half[0], y + half[1])
        fill = random.choice((colours.surface, colours.background, *colours.accents))
        ink = colours.background if fill in colours.accents else colours.text
        draw.rounded_rectangle(box, rounded, fill, colours.text, wide)
        draw.text((x, y), sources.corpus.label(random, 2), ink, font, anchor="mm")
        top = y - half[1]
        draw.polygon(((x - 5, top - 8), (x + 5, top - 8), (x, top)), colours.muted)
