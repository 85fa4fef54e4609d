"""The images of a benchmark."""

from __future__ import annotations

import functools
import hashlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from latentcodec.errors import LatError, UnsupportedImage
from latentcodec.images.files import is_readable, open_image
from latentcodec.images.modes import storable
from latentcodec.images.plugins import listed
from latentcodec.storage.folders import is_taken
from latentcodec.storage.names import spelled

# What the images show, by name; looked for in their folder where no other file is named.
LABELS_FILE = "labels.csv"
_BESIDE = (LABELS_FILE, "index.json")  # no images, and not counted as left out


def list_images(folder: Path, tell: Callable[[str], None] | None = None) -> list[Path]:
    """The images of a folder in order of name; no subfolders.

    tell: gets a line for a person on what is left out, if anything is: pipes and files of other
    kinds, and links that lead nowhere, by name. Raises LatError if there are none.
    """
    left_out: Counter[str] = Counter()
    files = sorted(path for path in folder.iterdir() if path.name[0] != "." and not path.is_dir())
    taken = [
        path
        for path in files
        if path.name not in _BESIDE and is_taken(str(path), is_readable, left_out)
    ]
    found = [path for path in taken if path.exists()]
    if tell:
        for path in taken:
            if path not in found:
                tell(f"{path} is left out: it is a link that leads nowhere")
        if left_out:
            tell(f"left out: {listed(left_out)}")
    if not found:
        raise LatError(f"{folder} has no images")
    return found


def image_name(path: Path) -> str:
    """What tables and pages call an image."""
    return spelled(path.name)


@functools.lru_cache(maxsize=2)
def load_rgb(path: Path) -> Image.Image:
    """The pixels of a file as 8-bit RGB, upright, and nothing else.

    Going through an array leaves colour profiles and EXIF behind, which some codecs would write
    into their files and others would not. Raises UnsupportedImage or OSError.
    """
    image = ImageOps.exif_transpose(open_image(path))
    if image.has_transparency_data:
        raise UnsupportedImage(f"{path} has transparency, which not every codec holds")
    if image.mode.startswith("I"):  # which Pillow would cut off at 255
        image, _ = storable(image, strict=False)
    return Image.fromarray(np.asarray(image.convert("RGB")))


def pixel_hash(image: Image.Image) -> str:
    """Twelve hexadecimal digits that tell whether an image has changed."""
    return hashlib.sha256(repr(image.size).encode() + image.tobytes()).hexdigest()[:12]
