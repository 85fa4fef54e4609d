"""Colours: themes of screens and pictures."""

from __future__ import annotations

import colorsys
import dataclasses
from random import Random

RGB = tuple[int, int, int]


@dataclasses.dataclass(frozen=True)
class Theme:
    """Colours that go together, light or dark. `accents` has six."""

    background: RGB
    surface: RGB
    border: RGB
    text: RGB
    muted: RGB
    accents: list[RGB]


def theme(random: Random) -> Theme:
    """Light or dark, grey or tinted, with accents from muted to glaring."""
    dark = random.random() < 0.45
    hue, tint = random.random(), random.choice((0, 0, 0.05, 0.12, 0.25, 0.5))
    if dark:
        ground, ink = random.uniform(0, 0.16), random.choice((1, 0.93, 0.85))
    else:
        ground, ink = random.choice((1, 1, 0.985, 0.96, 0.92)), random.uniform(0, 0.2)
    background, text = hsl(hue, tint, ground), hsl(hue, tint, ink)
    spread = random.choice((0.02, 0.08, 1 / 6, 1 / 6, 0.38))  # of the hues
    saturation = random.uniform(0.35, 1)
    level = random.uniform(0.5, 0.7) if dark else random.uniform(0.32, 0.55)
    accents = [
        hsl(hue + random.random() * 0.1 + k * spread, saturation, level + 0.12 * (k % 3 - 1))
        for k in range(6)
    ]
    step = random.uniform(0.03, 0.1)
    surface, border = (mix(background, text, share) for share in (step, step + 0.12))
    return Theme(background, surface, border, text, mix(background, text, 0.6), accents)


def css(colour: RGB) -> str:
    """As CSS and matplotlib write it."""
    return "#{:02x}{:02x}{:02x}".format(*colour)


def hsl(hue: float, saturation: float, lightness: float) -> RGB:
    """From 0..1; the hue goes round, the others are clipped."""
    r, g, b = colorsys.hls_to_rgb(hue % 1, min(max(lightness, 0), 1), min(max(saturation, 0), 1))
    return round(255 * r), round(255 * g), round(255 * b)


def mix(first: RGB, second: RGB, share: float) -> RGB:
    """`share` of the second colour, the rest of the first."""
    r, g, b = (round(a + (c - a) * share) for a, c in zip(first, second, strict=True))
    return r, g, b
