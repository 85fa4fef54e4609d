"""Writing a set: which picture is of which kind, the last touch, the files and their index."""

from __future__ import annotations

import collections
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import TypeVar

from PIL import Image

from graphics_set import documents, drawings, flat_art, lettering, maps, mixtures, plots, screens
from graphics_set.browser import Browser
from graphics_set.photographs import Photograph
from graphics_set.sources import LEAST_PX, MOST_PX, Drawer, Sources, size

SHARES = {
    "plot": 0.25,
    "screen": 0.22,
    "text": 0.14,
    "flat": 0.12,
    "page": 0.10,
    "drawing": 0.10,
    "mixture": 0.07,
}
RENDERED = {"screen": screens.screen, "page": documents.document}  # by a browser, from HTML
_DRAWERS: dict[str, Sequence[Drawer]] = {
    "plot": (plots.plot,),
    "text": lettering.DRAWERS,
    "flat": flat_art.DRAWERS,
    "drawing": (drawings.diagram, maps.street_map, drawings.line_art, maps.relief_map),
}
Choice = TypeVar("Choice")
_PIXEL_RATIOS = (1, 1, 1, 1.1, 1.25, 1.5, 1.75, 2)
_RESCALED = 0.15  # of the pictures
_FILTERS = (Image.Resampling.LANCZOS, Image.Resampling.BICUBIC, Image.Resampling.BILINEAR)


def plan(count: int, without: set[str]) -> Iterator[tuple[str, int]]:
    """Kind and number within the kind of each picture, the kinds evenly mixed by their shares."""
    shares = {kind: share for kind, share in SHARES.items() if kind not in without}
    drawn: collections.Counter[str] = collections.Counter()
    for _ in range(count):
        kind = min(shares, key=lambda kind: (drawn[kind] + 1) / shares[kind])
        yield kind, drawn[kind]
        drawn[kind] += 1


class GraphicsSet:
    """Draws the pictures of one set, each a function of split, seed, kind and number alone."""

    def __init__(
        self,
        sources: Sources,
        seed: int,
        browsers: Sequence[Browser] = (),
        photographs: Sequence[Photograph] = (),
    ) -> None:
        self.sources = sources
        self.seed = seed
        self.browsers = browsers
        self.photographs = photographs

    @property
    def missing(self) -> set[str]:
        """The kinds that need a browser or photographs and have none."""
        without = set() if self.browsers else set(RENDERED)
        return without if self.photographs else without | {"mixture"}

    def draw(self, kind: str, number: int) -> tuple[Image.Image, dict[str, str]]:
        """The picture, RGB, and what its row of the index says of a photograph in it."""
        random = Random(f"{self.sources.split.name}/{self.seed}/{kind}/{number}")
        row = {}
        if kind == "mixture":
            photo = random.choice(self.photographs)
            image = _in_turn(mixtures.DRAWERS, number)(random, self.sources, photo.image())
            row = {"photograph": photo.name}
            row |= {"licence": photo.licence} if photo.licence else {}
        elif kind in RENDERED:
            html = RENDERED[kind](random, self.sources, number)
            browser, ratio = random.choice(self.browsers), random.choice(_PIXEL_RATIOS)
            image = browser.render(html, *size(random), ratio)
        else:
            image = _in_turn(_DRAWERS[kind], number)(random, self.sources)
        return _rescaled(image, random), row


def _in_turn(choices: Sequence[Choice], number: int) -> Choice:
    return choices[number % len(choices)]


def _rescaled(image: Image.Image, random: Random) -> Image.Image:
    """At times scaled by a factor that is no whole number, as pictures of screens often are."""
    if random.random() >= _RESCALED:
        return image
    least = max(LEAST_PX / min(image.size), 0.6)
    factor = random.uniform(least, min(MOST_PX / max(image.size), 1.5))
    wide, high = (round(factor * side) for side in image.size)
    return image.resize((wide, high), random.choice(_FILTERS))


def write_set(graphics: GraphicsSet, count: int, out: Path, progress: Callable[[], None]) -> None:
    """Write KIND-NNN.png, and at last index.json and labels.csv, the kinds, for benchmarks.

    The index is as `training.data.Photographs.load` reads it.

    Args:
        graphics: The set to be drawn.
        count: Number of pictures.
        out: The folder; it is made.
        progress: Called after each file that is written.

    Raises:
        OSError: A file cannot be written, or a photograph cannot be read.
    """
    out.mkdir(parents=True, exist_ok=True)
    rows = []
    for kind, number in plan(count, graphics.missing):
        image, row = graphics.draw(kind, number)
        name = f"{kind}-{number:03}.png"
        image.save(out / name, optimize=True)
        rows.append({"file": name, "source": "graphics", **row})
        progress()
    (out / "index.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    labels = sorted(f"{row['file']},{row['file'].partition('-')[0]}\n" for row in rows)
    (out / "labels.csv").write_text("image,labels\n" + "".join(labels), encoding="utf-8")
