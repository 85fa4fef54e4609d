"""Grounds to draw on: constant, gradient, striped, dotted, textured."""

from __future__ import annotations

from random import Random

import numpy as np
from PIL import Image, ImageDraw

from graphics_set.palette import RGB, Theme, mix
from graphics_set.sources import numpy_generator

_BAYER = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]]) / 16


def background(random: Random, width: int, height: int, colours: Theme) -> Image.Image:
    """Constant half of the time."""
    if random.random() < 0.5:
        return Image.new("RGB", (width, height), colours.background)
    other = mix(colours.background, random.choice(colours.accents), random.uniform(0.08, 0.4))
    kind = random.choice((gradient, gradient, _stripes, _dots, _paper))
    return kind(random, width, height, colours.background, other)


def gradient(random: Random, width: int, height: int, first: RGB, second: RGB) -> Image.Image:
    """Linear in any direction, or radial; rounded, dithered or in bands."""
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    if random.random() < 0.3:
        share = np.hypot(x - random.uniform(-1, 1), y - random.uniform(-1, 1)) / 2.2
    else:
        angle = random.choice((0, np.pi / 2, random.uniform(0, 6.3)))
        share = 0.5 + 0.36 * (np.cos(angle) * x + np.sin(angle) * y)
    share = share.clip(0, 1)
    if random.random() < 0.15:
        share = np.floor(share * 8) / 8
    pixels = np.array(first) + share[:, :, None] * (np.array(second, dtype=float) - np.array(first))
    if random.random() < 0.2:
        tiled = np.tile(_BAYER, (height // 4 + 1, width // 4 + 1))[:height, :width]
        return _image(np.floor(pixels + tiled[:, :, None]))
    return _image(pixels.round())


def _stripes(random: Random, width: int, height: int, first: RGB, second: RGB) -> Image.Image:
    image = Image.new("RGB", (width, height), first)
    draw, period = ImageDraw.Draw(image), random.choice((2, 4, 9, 24, 60))
    slant = random.choice((0, 0, height))
    for x in range(-slant, width + slant, period):
        draw.line(((x, 0), (x + slant, height)), second, max(1, period // 2))
    return image


def _dots(random: Random, width: int, height: int, first: RGB, second: RGB) -> Image.Image:
    period, radius = random.choice((8, 16, 25, 40)), random.choice((1, 2, 4))
    tile = Image.new("RGB", (period, period), first)
    ImageDraw.Draw(tile).ellipse((0, 0, 2 * radius, 2 * radius), second)
    rows, columns = height // period + 1, width // period + 1
    return _image(np.tile(np.asarray(tile), (rows, columns, 1))[:height, :width])


def _paper(random: Random, width: int, height: int, first: RGB, second: RGB) -> Image.Image:
    grain = numpy_generator(random).normal(0, random.uniform(1, 7), (height, width, 1))
    return _image(np.array(mix(first, second, 0.3)) + grain)


def _image(pixels: np.ndarray) -> Image.Image:
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
