"""Photographs of a folder or of tar shards, for mixtures with graphics."""

from __future__ import annotations

import dataclasses
import io
import json
from pathlib import Path
from random import Random

from PIL import Image

from latentcodec.training.image_files import LeftOut, image_files


@dataclasses.dataclass(frozen=True)
class Photograph:
    """A file that is not yet decoded, and its licence where an index.json beside it has one."""

    name: str
    data: bytes
    licence: str | None

    def image(self) -> Image.Image:
        """In RGB. Raises OSError."""
        return Image.open(io.BytesIO(self.data)).convert("RGB")


def read_photographs(folder: Path) -> list[Photograph]:
    """Every photograph in the folder, and in tar files there, by name."""
    index = folder / "index.json"
    rows = json.loads(index.read_text(encoding="utf-8")) if index.exists() else []
    licences = {row["file"]: row.get("licence") for row in rows}
    found = {file.name: file.data for file in image_files([folder], LeftOut())}
    return [Photograph(name, found[name], licences.get(name)) for name in sorted(found)]


def random_part(photo: Image.Image, random: Random, width: int, height: int) -> Image.Image:
    """A random part, scaled down by a random factor, or up where the photograph is too small."""
    factor = max(width / photo.width, height / photo.height)
    if factor < 1:
        factor = random.uniform(factor, 1)
    wide, high = min(photo.width, int(width / factor)), min(photo.height, int(height / factor))
    left, top = random.randint(0, photo.width - wide), random.randint(0, photo.height - high)
    box = (left, top, left + wide, top + high)
    return photo.resize((width, height), Image.Resampling.LANCZOS, box)
