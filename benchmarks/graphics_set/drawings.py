"""Line art, maps and diagrams."""

from __future__ import annotations

import math
from random import Random

import numpy as np
from PIL import Image, ImageDraw
from scipy.spatial import Voronoi

from .backgrounds import background
from .palette import mix, theme
from .sources import Sources, generator, size

_FINE = 3


def line_art(random: Random, sources: Sources) -> Image.Image:
    """Thin curves: roses and Lissajous figures, hatching, a fractal tree, a wandering pen."""
    colours = theme(random)
    width, height = size(random)
    image = background(random, width, height, colours).resize((width * _FINE, height * _FINE))
    draw = ImageDraw.Draw(image)
    inks = [colours.text] if random.random() < 0.6 else [colours.text, *colours.accents]
    for _ in range(random.randint(3, 14)):
        middle = random.uniform(0, image.width), random.uniform(0, image.height)
        wide, ink = random.choice((1, 2, 3, 4, 8)), random.choice(inks)
        kind = random.choice((_rose, _hatch, _tree, _pen))
        kind(draw, random, middle, _FINE * random.uniform(60, 300), wide, ink)
    return image.reduce(_FINE)


Point = tuple[float, float]
Ink = tuple[int, int, int]


def _rose(draw: ImageDraw.ImageDraw, random: Random, at: Point, radius: float, wide: int, ink: Ink) -> None:
    a, b, turn = random.randint(1, 9), random.randint(1, 9), random.uniform(0, 6.3)
    angles = np.linspace(0, 2 * math.pi, 700)
    x, y = at[0] + radius * np.sin(a * angles + turn), at[1] + radius * np.sin(b * angles)
    draw.line(list(zip(x.tolist(), y.tolist(), strict=True)), ink, wide)


def _hatch(draw: ImageDraw.ImageDraw, random: Random, at: Point, radius: float, wide: int, ink: Ink) -> None:
    angle, gap = random.uniform(0, 3.1), _FINE * random.uniform(3, 14)
    cos, sin = math.cos(angle), math.sin(angle)
    for step in range(-int(radius / gap), int(radius / gap) + 1):
        half, off = math.sqrt(max(radius**2 - (step * gap) ** 2, 0)), step * gap
        x, y = at[0] - off * sin, at[1] + off * cos
        draw.line((x - half * cos, y - half * sin, x + half * cos, y + half * sin), ink, wide)


def _tree(draw: ImageDraw.ImageDraw, random: Random, at: Point, radius: float, wide: int, ink: Ink) -> None:
    branches = [(at[0], at[1], -math.pi / 2, radius / 2, 9)]
    while branches:
        x, y, angle, length, left = branches.pop()
        end = x + length * math.cos(angle), y + length * math.sin(angle)
        draw.line((x, y, *end), ink, max(1, int(wide * left / 4)))
        if left:
            for side in (-1, 1):
                bend = angle + side * random.uniform(0.15, 0.6)
                branches.append((*end, bend, length * random.uniform(0.6, 0.85), left - 1))


def _pen(draw: ImageDraw.ImageDraw, random: Random, at: Point, radius: float, wide: int, ink: Ink) -> None:
    turns = generator(random).normal(0, 0.25, 900).cumsum()
    x = at[0] + np.cumsum(np.cos(turns)) * radius / 40
    y = at[1] + np.cumsum(np.sin(turns)) * radius / 40
    draw.line(list(zip(x.tolist(), y.tolist(), strict=True)), ink, wide, joint="curve")


def street_map(random: Random, sources: Sources) -> Image.Image:
    """Blocks between streets of three widths (Voronoi cells), a river, names, a grid at times."""
    colours = theme(random)
    width, height = size(random)
    image = Image.new("RGB", (width * _FINE, height * _FINE), colours.surface)
    draw, noise = ImageDraw.Draw(image), generator(random)
    count = random.choice((40, 120, 350))
    cells = Voronoi(noise.uniform(-0.1, 1.1, (count, 2)) * image.size)
    fills = [colours.surface, colours.background, colours.border]
    fills += [mix(c, colours.background, 0.6) for c in colours.accents[:3]]
    for region in cells.regions:
        if region and -1 not in region:
            draw.polygon([tuple(cells.vertices[v]) for v in region], random.choice(fills))
    for first, second in cells.ridge_vertices:
        if first >= 0:
            ends = [tuple(cells.vertices[v]) for v in (first, second)]
            wide = _FINE * random.choice((1, 2, 2, 4, 8))
            draw.line(ends, mix(colours.text, colours.background, 0.5), wide + 2 * _FINE)
            draw.line(ends, random.choice((colours.background, colours.accents[3])), wide)
    bends = noise.normal(0, 0.08, 60).cumsum()
    river = [(image.width * k / 59, image.height * (0.5 + b)) for k, b in enumerate(bends)]
    draw.line(river, mix(colours.accents[4], colours.background, 0.3), _FINE * random.randint(6, 30), joint="curve")
    image = image.reduce(_FINE)
    _names(image, random, sources, mix(colours.text, colours.background, 0.1))
    return image


def _names(image: Image.Image, random: Random, sources: Sources, ink: Ink) -> None:
    draw, font = ImageDraw.Draw(image), sources.fonts.pick(random)
    halo = (255, 255, 255) if sum(ink) < 380 else (0, 0, 0)
    for _ in range(random.randint(8, 40)):
        at = random.uniform(0, image.width), random.uniform(0, image.height)
        px = random.choice((9, 11, 13, 18))
        draw.text(at, sources.words.label(random, 2), ink, font.at(px), stroke_width=1, stroke_fill=halo)


def relief_map(random: Random, sources: Sources) -> Image.Image:
    """Land and water in flat layers of height, as an atlas has them."""
    colours = theme(random)
    width, height = size(random)
    noise = generator(random)
    relief = np.zeros((height, width))
    for octave in range(2, 8):
        small = noise.normal(0, 1, (2**octave + 3, 2**octave + 3)).astype(np.float32)
        large = Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)
        relief += np.asarray(large) / 1.8**octave
    ranks = np.searchsorted(np.quantile(relief, np.linspace(0.2, 0.95, 8)), relief)
    ramp = [mix(colours.accents[0], colours.accents[2], k / 8) for k in range(9)]
    ramp[:3] = [mix(colours.accents[4], colours.background, 0.2 * k) for k in range(3)]
    image = Image.fromarray(np.array(ramp, np.uint8)[ranks])
    _names(image, random, sources, colours.text)
    return image


def diagram(random: Random, sources: Sources) -> Image.Image:
    """Boxes with labels, joined by straight or stepped arrows."""
    colours = theme(random)
    width, height = size(random)
    image = background(random, width, height, colours)
    draw, font = ImageDraw.Draw(image), sources.fonts.pick(random).at(random.choice((10, 12, 14, 17)))
    across, down = random.randint(2, 5), random.randint(2, 6)
    cell = width / across, height / down
    places = [
        ((c + random.uniform(0.4, 0.6)) * cell[0], (r + random.uniform(0.4, 0.6)) * cell[1])
        for r in range(down) for c in range(across) if random.random() < 0.8
    ]
    stepped, wide = random.random() < 0.5, random.choice((1, 1, 2, 3))
    for first, second in zip(places, places[1:], strict=False):
        path = [first, (second[0], first[1]), second] if stepped else [first, second]
        draw.line(path, colours.muted, wide)
    rounded = random.choice((0, 0, 6, 20))
    for x, y in places:
        half = 0.35 * cell[0], 0.25 * cell[1]
        box = (x - half[0], y - half[1], x + half[0], y + half[1])
        fill = random.choice((colours.surface, colours.background, *colours.accents))
        draw.rounded_rectangle(box, rounded, fill, colours.text, wide)
        words = sources.words.label(random, 2)
        ink = colours.text if fill in (colours.surface, colours.background) else colours.background
        draw.text((x, y), words, ink, font, anchor="mm")
        draw.polygon(((x - 5, y - half[1] - 8), (x + 5, y - half[1] - 8), (x, y - half[1])), colours.muted)
    return image


DRAWERS = (line_art, line_art, street_map, relief_map, diagram, diagram)
