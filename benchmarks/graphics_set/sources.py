"""What the drawers of one set draw from."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from random import Random

import numpy as np
from PIL import Image

from .fonts import Fonts
from .split import Split
from .words import Words

LEAST_PX, MOST_PX = 640, 1440


@dataclasses.dataclass(frozen=True)
class Sources:
    """Fonts and text of one side of the split."""

    split: Split
    fonts: Fonts
    words: Words


Drawer = Callable[[Random, Sources], Image.Image]


def size(random: Random) -> tuple[int, int]:
    """Width and height in px, mostly landscape."""
    long, short = random.randint(720, MOST_PX), random.randint(LEAST_PX, 900)
    long, short = max(long, short), min(long, short)
    return (long, short) if random.random() < 0.7 else (short, long)


def generator(random: Random) -> np.random.Generator:
    """For arrays of random numbers."""
    return np.random.default_rng(random.getrandbits(64))
