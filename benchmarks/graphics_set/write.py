"""Writing a set: which picture is of which kind, the last touches, the files and the index."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from random import Random

from PIL import Image

from . import documents, drawings, flat_art, lettering, mixtures, plots, screens
from .browser import Browser
from .photographs import Photo
from .sources import LEAST_PX, MOST_PX, Sources, size

# Shares of the kinds of pictures.
SHARES = {
    "plot": 0.25, "text": 0.14, "screen": 0.22, "page": 0.10, "flat": 0.13, "drawing": 0.09,
    "mixture": 0.07,
}
_RATIOS = (1, 1, 1, 1.1, 1.25, 1.5, 1.75, 2)
_RESCALED = 0.15
_HTML = {"screen": screens.screen, "page": documents.document}
_DRAWERS = {
    "plot": (plots.plot,), "text": lettering.DRAWERS, "flat": flat_art.DRAWERS,
    "drawing": drawings.DRAWERS,
}


def kinds(count: int, without: set[str]) -> list[str]:
    """The kind of each of `count` pictures, in equal spread."""
    shares = {kind: share for kind, share in SHARES.items() if kind not in without}
    whole, owed, order = sum(shares.values()), dict.fromkeys(shares, 0.0), []
    for _ in range(count):
        for kind, share in shares.items():
            owed[kind] += share / whole
        order.append(max(owed, key=lambda kind: owed[kind]))
        owed[order[-1]] -= 1
    return order


class Set:
    """Draws the pictures of one set: number and seed decide on each, whatever else is drawn."""

    def __init__(self, sources: Sources, seed: int, photos: list[Photo], browsers: dict[str, Browser]) -> None:
        self._sources = sources
        self._seed = seed
        self._photos = photos
        self._browsers = browsers

    def draw(self, kind: str, number: int) -> tuple[Image.Image, str | None]:
        """The picture and the licence of the photograph in it, if there is one."""
        random = Random(f"{self._sources.split.name}/{self._seed}/{kind}/{number}")
        licence = None
        if kind == "mixture":
            photo = random.choice(self._photos)
            licence = photo.licence
            image = random.choice(mixtures.DRAWERS)(random, self._sources, photo.image())
        elif kind in _HTML:
            html = _HTML[kind](random, self._sources)
            browser = self._browsers[random.choice(sorted(self._browsers))]
            image = browser.render(html, *size(random), random.choice(_RATIOS))
        else:
            image = random.choice(_DRAWERS[kind])(random, self._sources)
        return _rescaled(image, random), licence


def _rescaled(image: Image.Image, random: Random) -> Image.Image:
    """At times scaled by a factor that is no whole number, as screens and posts are."""
    if random.random() >= _RESCALED:
        return image
    least, most = LEAST_PX / min(image.size), MOST_PX / max(image.size)
    factor = random.uniform(max(least, 0.6), max(min(most, 1.5), least))
    how = random.choice((Image.Resampling.LANCZOS, Image.Resampling.BICUBIC, Image.Resampling.BILINEAR))
    return image.resize((round(image.width * factor), round(image.height * factor)), how)


def write_set(drawn: Set, order: list[str], out: Path, tell: Callable[[str], None]) -> None:
    """Write NNNN-KIND.png for each kind in `order`, and index.json."""
    out.mkdir(parents=True, exist_ok=True)
    rows = []
    for number, kind in enumerate(order):
        image, licence = drawn.draw(kind, number)
        name = f"{number:04}-{kind}.png"
        image.save(out / name)
        row = {"file": name, "source": "graphics"}
        rows.append(row | ({"licence": licence} if licence else {}))
        tell(f"{name} {image.width}x{image.height}")
    (out / "index.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
