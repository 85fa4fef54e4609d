"""What the pictures of one set are made from, and their sizes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from random import Random

import numpy as np
from PIL import Image

from graphics_set.corpus import Corpus
from graphics_set.fonts import Fonts
from graphics_set.split import Split

LEAST_PX, MOST_PX = 640, 1440  # sides of the pictures; training cuts crops of up to 640 px


@dataclasses.dataclass(frozen=True)
class Sources:
    """Fonts and text of one side of the split."""

    split: Split
    fonts: Fonts
    corpus: Corpus

    @classmethod
    def of(cls, split: Split) -> Sources:
        """Raises TooFewFonts."""
        return cls(split, Fonts.of(split), Corpus.of(split))


# Draws a picture in RGB.
Drawer = Callable[[Random, Sources], Image.Image]


def size(random: Random) -> tuple[int, int]:
    """Width and height, px; mostly landscape."""
    sides = random.randint(720, MOST_PX), random.randint(LEAST_PX, 900)
    long, short = max(sides), min(sides)
    return (long, short) if random.random() < 0.7 else (short, long)


def numpy_generator(random: Random) -> np.random.Generator:
    """Seeded by the next bits of `random`."""
    return np.random.default_rng(random.getrandbits(64))
