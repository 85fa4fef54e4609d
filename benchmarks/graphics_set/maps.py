"""Maps: streets and blocks, and relief in flat layers, with names on them."""

from __future__ import annotations

from random import Random

import numpy as np
from PIL import Image, ImageDraw
from scipy.spatial import Voronoi

from graphics_set.palette import RGB, mix, theme
from graphics_set.sources import Sources, numpy_generator, size

_FINE = 3  # drawn so much larger and scaled down, for smooth edges


def street_map(random: Random, sources: Sources) -> Image.Image:
    """Blocks between streets of several widths (Voronoi cells), a river, names."""
    colours = theme(random)
    width, height = size(random)
    image = Image.new("RGB", (width * _FINE, height * _FINE), colours.surface)
    draw, noise = ImageDraw.Draw(image), numpy_generator(random)
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
    draw.line(
        river,
        mix(colours.accents[4], colours.background, 0.3),
        _FINE * random.randint(6, 30),
        joint="curve",
    )
    image = image.reduce(_FINE)
    _names(image, random, sources, mix(colours.text, colours.background, 0.1))
    return image


def _names(image: Image.Image, random: Random, sources: Sources, ink: RGB) -> None:
    draw, font = ImageDraw.Draw(image), sources.fonts.choose(random)
    halo = (255, 255, 255) if sum(ink) < 380 else (0, 0, 0)
    for _ in range(random.randint(8, 40)):
        at = random.uniform(0, image.width), random.uniform(0, image.height)
        px = random.choice((9, 11, 13, 18))
        draw.text(
            at, sources.corpus.label(random, 2), ink, font.at(px), stroke_width=1, stroke_fill=halo
        )


def relief_map(random: Random, sources: Sources) -> Image.Image:
    """Land and water in flat layers of height, as an atlas has them."""
    colours = theme(random)
    width, height = size(random)
    noise = numpy_generator(random)
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
