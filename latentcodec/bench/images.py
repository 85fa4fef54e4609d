"""The images of a benchmark."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from latentcodec.errors import LatError, UnsupportedImage
from latentcodec.images.files import open_image

IMAGE_SUFFIXES = (".png", ".ppm", ".bmp", ".tif", ".tiff", ".webp", ".jpg", ".jpeg")


def list_images(folder: Path) -> list[Path]:
    """The images of a folder in order of name; no subfolders. Raises LatError if there are none."""
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES)
    if not found:
        raise LatError(f"{folder} has no images")
    return found


@functools.lru_cache(maxsize=2)
def load_rgb(path: Path) -> Image.Image:
    """The pixels of a file as 8-bit RGB, upright, and nothing else.

    Going through an array leaves colour profiles and EXIF behind, which some codecs would write
    into their files and others would not. Raises UnsupportedImage or OSError.
    """
    image = ImageOps.exif_transpose(open_image(path))
    if image.has_transparency_data:
        raise UnsupportedImage(f"{path} has transparency, which not every codec holds")
    return Image.fromarray(np.asarray(image.convert("RGB")))


def pixel_hash(image: Image.Image) -> str:
    """Twelve hexadecimal digits that tell whether an image has changed."""
    return hashlib.sha256(repr(image.size).encode() + image.tobytes()).hexdigest()[:12]
