"""Patterns of single pixels to train on: what the graphics of `graphics.py` have too few of.

    python benchmarks/patterns.py FOLDER --count 400

Checkerboards, stripes, grids, dots, random dots, ordered dithering, halftones, gratings, zone
plates and thin lines, several to a picture, in black and white, colours and gradients, some with
noise. The same number gives the same picture; docs/training.md has what they are worth.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

SIDE_PX = 512
_LEAST_PX = 32  # of a part of a picture
_BAYER = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]]) / 16 + 1 / 32
_DIRECTIONS = ((1, 0), (0, 1), (1, 1), (1, -1), (2, 1), (1, 2), (3, 1), (1, -3))

Random = np.random.Generator
Mask = NDArray[Any]  # bool or float64 [h, w] in 0..1: how much of the first of two colours
Kind = Callable[[Random], Mask]
_DOWN, _RIGHT = np.mgrid[:SIDE_PX, :SIDE_PX]


def _cell_px(random: Random) -> int:
    """1 mostly, 3 at most."""
    return 1 + int(random.random() < 0.4) + int(random.random() < 0.2)


def _checkerboard(random: Random) -> Mask:
    return (_RIGHT // _cell_px(random) + _DOWN // _cell_px(random)) % 2


def _stripes(random: Random) -> Mask:
    a, b = _DIRECTIONS[random.integers(len(_DIRECTIONS))]
    period = random.integers(2, 9)
    width = random.integers(1, max(2, period // 2 + 1))
    return ((a * _RIGHT + b * _DOWN) % period) < width


def _grid(random: Random) -> Mask:
    across, down = random.integers(2, 25, 2)
    return (_RIGHT % across == 0) | (_DOWN % down == 0)


def _dots(random: Random) -> Mask:
    across, down = random.integers(2, 7, 2)
    return (_RIGHT % across == 0) & (_DOWN % down == 0)


def _random_dots(random: Random) -> Mask:
    cell = _cell_px(random)
    side = SIDE_PX // cell + 1
    dots = random.random((side, side)) < random.uniform(0.05, 0.5)
    return np.kron(dots, np.ones((cell, cell)))[:SIDE_PX, :SIDE_PX]


def _dithering(random: Random) -> Mask:
    """Of a gradient, by Bayer's matrix."""
    across, down = random.uniform(-1, 1, 2)
    level = 0.5 + across * (_RIGHT / SIDE_PX - 0.5) + down * (_DOWN / SIDE_PX - 0.5)
    return level > np.tile(_BAYER, (SIDE_PX // 4, SIDE_PX // 4))


def _halftone(random: Random) -> Mask:
    frequency, angle = random.uniform(0.15, 1.6), random.uniform(0, np.pi)
    along = _RIGHT * np.cos(angle) + _DOWN * np.sin(angle)
    beside = -_RIGHT * np.sin(angle) + _DOWN * np.cos(angle)
    threshold = random.uniform(-1, 1) * (_RIGHT / SIDE_PX) * 0.8
    return np.cos(frequency * along) * np.cos(frequency * beside) > threshold


def _grating(random: Random) -> Mask:
    across, down = random.uniform(-np.pi, np.pi, 2)
    phase = random.uniform(0, 6.28)
    return 0.5 + 0.5 * np.sin(across * _RIGHT + down * _DOWN + phase)


def _zone_plate(random: Random) -> Mask:
    x, y = random.uniform(0, SIDE_PX, 2)
    rise = random.uniform(0.2, 1.0) * np.pi / SIDE_PX
    return 0.5 + 0.5 * np.cos(rise * ((_RIGHT - x) ** 2 + (_DOWN - y) ** 2) / 2)


def _lines(random: Random) -> Mask:
    image = Image.new("L", (SIDE_PX, SIDE_PX))
    draw = ImageDraw.Draw(image)
    for _ in range(random.integers(10, 200)):
        ends = [tuple(map(int, random.integers(0, SIDE_PX, 2))) for _ in range(2)]
        draw.line(ends, fill=255, width=1)
    return np.asarray(image) > 0


# Stripes twice as often as the others.
_KINDS: tuple[Kind, ...] = (
    *(_checkerboard, _stripes, _stripes, _grid, _dots, _random_dots),
    *(_dithering, _halftone, _grating, _zone_plate, _lines),
)


def _colour(random: Random) -> NDArray[np.float64]:
    """Black or white, a grey, a colour, or a gradient: [1, 1, 3] or [h, w, 3] in 0..255."""
    if random.random() < 0.4:
        return np.full((1, 1, 3), random.integers(2) * 255.0)
    if random.random() < 0.3:
        return np.full((1, 1, 3), random.uniform(0, 255))
    if random.random() < 0.6:
        return random.uniform(0, 255, (1, 1, 3))
    corners = Image.fromarray(random.integers(0, 256, (2, 2, 3), dtype=np.uint8))
    wide = corners.resize((SIDE_PX, SIDE_PX), Image.Resampling.BILINEAR)
    return np.asarray(wide).astype(float)


def _filled(random: Random) -> NDArray[np.float64]:
    """One pattern in two colours, with noise perhaps: [h, w, 3]."""
    kind = _KINDS[random.integers(len(_KINDS))]
    mask = kind(random).astype(float)[..., None]
    filled = mask * _colour(random) + (1 - mask) * _colour(random)
    if random.random() < 0.15:
        filled = filled + random.normal(0, random.uniform(2, 40), (SIDE_PX, SIDE_PX, 1))
    return filled


def pattern(number: int) -> NDArray[np.uint8]:
    """A picture, uint8 [512, 512, 3]: a pattern with up to four others in rectangles on it."""
    random = np.random.default_rng(number)
    count = random.integers(1, 6)
    picture = _filled(random)
    for _ in range(count - 1):
        other = _filled(random)
        top, left = random.integers(0, SIDE_PX - _LEAST_PX, 2)
        height, width = random.integers(_LEAST_PX, SIDE_PX, 2)
        place = slice(top, top + height), slice(left, left + width)
        picture[place] = other[place]
    return picture.clip(0, 255).round().astype(np.uint8)


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--count", type=click.IntRange(min=1), default=400, show_default=True)
def main(folder: Path, count: int) -> None:
    """Write patterns as PNG files into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        Image.fromarray(pattern(number)).save(folder / f"pattern-{number:03}.png")


if __name__ == "__main__":
    main()
