"""Flat art: shapes, gradients, icons, logos, pixel art."""

from __future__ import annotations

import math
from random import Random

import numpy as np
from PIL import Image, ImageDraw

from graphics_set.backgrounds import background, gradient
from graphics_set.palette import RGB, Theme, mix, theme
from graphics_set.sources import Sources, numpy_generator, size

_FINE = 3  # drawn so much larger and scaled down, for smooth edges
_SPRITE_INKS = (0.45, 0.25, 0.1, 0.05, 0.05, 0.1)  # probabilities: ground, accents, text


def _canvas(random: Random, colours: Theme) -> tuple[Image.Image, int]:
    """A background and how much larger than the picture it is: 1 leaves edges jagged."""
    width, height = size(random)
    fine = random.choice((1, _FINE, _FINE))
    image = background(random, width, height, colours)
    return image.resize((width * fine, height * fine), Image.Resampling.NEAREST), fine


def draw_shape(
    draw: ImageDraw.ImageDraw,
    random: Random,
    middle: tuple[float, float],
    radius: float,
    fill: RGB,
    line: RGB | None = None,
) -> None:
    """An ellipse, rectangle, rounded rectangle, polygon, star, sector or ring."""
    x, y = middle
    box = (x - radius, y - radius * random.uniform(0.4, 1), x + radius, y + radius)
    wide, turn = max(1, int(radius * random.choice((0.03, 0.08, 0.2)))), random.uniform(0, 6.3)
    kind = random.randrange(7)
    if kind == 0:
        draw.ellipse(box, fill, line, wide)
    elif kind == 1:
        draw.rectangle(box, fill, line, wide)
    elif kind == 2:
        draw.rounded_rectangle(box, radius * 0.25, fill, line, wide)
    elif kind == 3:
        draw.polygon(_corners(middle, radius, random.randint(3, 8), turn), fill, line)
    elif kind == 4:
        draw.polygon(_corners(middle, radius, 2 * random.randint(4, 9), turn, 0.5), fill, line)
    elif kind == 5:
        start = math.degrees(turn)
        draw.pieslice(box, start, start + random.uniform(40, 300), fill, line)
    else:
        draw.ellipse(box, None, fill, 2 * wide)


def _corners(
    middle: tuple[float, float], radius: float, count: int, turn: float, inner: float = 1
) -> list[tuple[float, float]]:
    """Of a regular polygon, or of a star where `inner` is below 1."""
    points = []
    for corner in range(count):
        r, angle = radius * (inner if corner % 2 else 1), turn + 2 * math.pi * corner / count
        points.append((middle[0] + r * math.cos(angle), middle[1] + r * math.sin(angle)))
    return points


def shapes(random: Random, sources: Sources) -> Image.Image:
    """Many shapes over each other, or a few."""
    colours = theme(random)
    image, fine = _canvas(random, colours)
    draw = ImageDraw.Draw(image)
    for _ in range(random.choice((6, 15, 40, 150))):
        at = random.uniform(0, image.width), random.uniform(0, image.height)
        line = random.choice((None, None, colours.text))
        radius = fine * random.lognormvariate(4, 0.7)
        fill = random.choice((*colours.accents, colours.surface))
        draw_shape(draw, random, at, radius, fill, line)
    return image.reduce(fine)


def icons(random: Random, sources: Sources) -> Image.Image:
    """A grid of icons: two or three shapes each, or a symbol of a font, on tiles."""
    colours = theme(random)
    image, fine = _canvas(random, colours)
    draw, cell = ImageDraw.Draw(image), fine * random.choice((32, 48, 64, 96, 160))
    tiled, lettered = random.random() < 0.6, random.random() < 0.4
    for top in range(cell // 4, image.height, cell):
        for left in range(cell // 4, image.width, cell):
            ink = random.choice(colours.accents)
            if tiled:
                box = (left, top, left + 0.8 * cell, top + 0.8 * cell)
                draw.rounded_rectangle(box, 0.15 * cell, mix(colours.background, ink, 0.25))
            middle = left + 0.4 * cell, top + 0.4 * cell
            if lettered and sources.fonts.icons:
                font = random.choice(sources.fonts.icons)
                letter = random.choice(font.letters)
                draw.text(middle, letter, ink, font.at(0.5 * cell), anchor="mm")
                continue
            for part in range(random.randint(1, 3)):
                fill = ink if part % 2 == 0 else colours.background
                draw_shape(draw, random, middle, cell * (0.3 - 0.08 * part), fill)
    return image.reduce(fine)


def landscape(random: Random, sources: Sources) -> Image.Image:
    """A flat illustration: sky, sun, hills in layers, trees or houses."""
    colours = theme(random)
    width, height = size(random)
    sky = gradient(random, width, height, colours.background, colours.accents[0])
    image = sky.resize((width * _FINE, height * _FINE), Image.Resampling.NEAREST)
    draw = ImageDraw.Draw(image)
    sun = random.uniform(0.1, 0.9) * image.width, random.uniform(0.1, 0.4) * image.height
    draw.circle(sun, _FINE * random.uniform(20, 90), colours.accents[1])
    for layer in range(random.randint(2, 6)):
        ridge = _ridge(random, image.width, image.height * (0.45 + 0.12 * layer))
        fill = mix(colours.accents[layer % 6], colours.text, 0.12 * layer)
        draw.polygon([*ridge, (image.width, image.height), (0, image.height)], fill)
        for _ in range(random.choice((0, 8, 25))):
            x, y = random.choice(ridge)
            tall = _FINE * random.uniform(12, 60)
            if layer % 2:
                tree = ((x - tall / 3, y), (x + tall / 3, y), (x, y - tall))
                draw.polygon(tree, mix(fill, colours.text, 0.3))
            else:
                house = (x, y - tall, x + tall / 2, y + 9)
                draw.rectangle(house, mix(fill, colours.background, 0.3))
    return image.reduce(_FINE)


def _ridge(random: Random, width: int, base: float) -> list[tuple[float, float]]:
    """Points of a line of hills, from the left to the right."""
    waves = [
        (random.uniform(1, 6), random.uniform(0, 6.3), _FINE * random.uniform(5, 50))
        for _ in range(3)
    ]
    return [
        (x, base - sum(a * math.sin(f * 6.3 * x / width + p) for f, p, a in waves))
        for x in range(0, width + 8, 8)
    ]


def gradients(random: Random, sources: Sources) -> Image.Image:
    """A few panes, each a gradient or constant, with sharp borders between them."""
    width, height = size(random)
    colours = theme(random)
    image = Image.new("RGB", (width, height), colours.background)
    across, down = random.randint(1, 4), random.randint(1, 3)
    for row in range(down):
        for column in range(across):
            first, second = random.sample([*colours.accents, colours.background, colours.text], 2)
            pane = gradient(random, width // across + 1, height // down + 1, first, second)
            if random.random() < 0.3:
                pane.paste(first, (0, 0, *pane.size))
            image.paste(pane, (column * (width // across), row * (height // down)))
    if random.random() < 0.5:
        draw = ImageDraw.Draw(image)
        for _ in range(4):
            at = random.uniform(0, width), random.uniform(0, height)
            draw_shape(draw, random, at, 80, random.choice(colours.accents))
    return image


def pixel_art(random: Random, sources: Sources) -> Image.Image:
    """Mirrored sprites and tiles of few colours, magnified by a whole number."""
    colours = theme(random)
    scale = random.choice((2, 3, 4, 6, 8, 12))
    width, height = size(random)
    grid = np.empty((height // scale + 1, width // scale + 1, 3), np.uint8)
    grid[:] = colours.background
    cell = random.choice((8, 12, 16))
    noise = numpy_generator(random)
    inks = np.array([colours.background, *colours.accents[:4], colours.text], np.uint8)
    tile = inks[noise.integers(0, 6, (cell, cell))]
    for top in range(0, grid.shape[0] - cell, cell):
        for left in range(0, grid.shape[1] - cell, cell):
            choice = noise.random()
            if choice < 0.4:
                half = inks[noise.choice(6, (cell - 2, cell // 2 - 1), p=_SPRITE_INKS)]
                sprite = np.concatenate([half, half[:, ::-1]], axis=1)
                grid[top + 1 : top + cell - 1, left + 1 : left + cell - 1] = sprite
            elif choice < 0.7:
                grid[top : top + cell, left : left + cell] = tile
    large = grid.repeat(scale, axis=0).repeat(scale, axis=1)[:height, :width]
    return Image.fromarray(large)


DRAWERS = (shapes, icons, pixel_art, landscape, gradients, icons, shapes, pixel_art)
