"""Photographs of a folder or of tar shards, for mixtures with graphics."""

from __future__ import annotations

import dataclasses
import io
import json
import tarfile
from pathlib import Path
from random import Random

from PIL import Image

_SUFFIXES = {".avif", ".png", ".jpg", ".jpeg", ".webp"}


@dataclasses.dataclass(frozen=True)
class Photo:
    """A photograph that is not yet decoded, and its licence where the index.json has one."""

    name: str
    data: bytes
    licence: str | None

    def image(self) -> Image.Image:
        """In RGB."""
        return Image.open(io.BytesIO(self.data)).convert("RGB")


def read_photos(folder: Path) -> list[Photo]:
    """Every photograph under the folder, in and outside of tar files, by name."""
    index = folder / "index.json"
    rows = json.loads(index.read_text(encoding="utf-8")) if index.exists() else []
    licences = {row["file"]: row.get("licence") for row in rows}
    found = {
        path.name: path.read_bytes()
        for path in folder.rglob("*")
        if path.suffix.lower() in _SUFFIXES
    }
    for shard in folder.rglob("*.tar"):
        with tarfile.open(shard) as archive:
            for member in archive:
                data = archive.extractfile(member)
                if data is not None and Path(member.name).suffix.lower() in _SUFFIXES:
                    found[member.name] = data.read()
    return [Photo(name, found[name], licences.get(name)) for name in sorted(found)]


def piece(photo: Image.Image, random: Random, width: int, height: int) -> Image.Image:
    """A random part of the photograph, scaled down (never up, where it is large enough)."""
    factor = max(width / photo.width, height / photo.height)
    factor = max(factor, random.uniform(factor, 1)) if factor < 1 else factor
    wide, high = min(photo.width, int(width / factor)), min(photo.height, int(height / factor))
    left, top = random.randint(0, photo.width - wide), random.randint(0, photo.height - high)
    box = (left, top, left + wide, top + high)
    return photo.resize((width, height), Image.Resampling.LANCZOS, box)
