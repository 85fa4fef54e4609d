"""Sampling, and interpolation between the latents of two pictures."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from latentcodec.format.header import tenths_of
from latentcodec.images.files import fitted
from latentcodec.images.picture import picture_of
from latentcodec.pipeline.tiling import cells, padded
from latentcodec.runtime import model_store

if TYPE_CHECKING:
    from PIL import Image

    from latentcodec.runtime.base import Family
    from latentcodec.runtime.dense_vae import DenseVaeFamily

# The transforms see these pictures whole, without tiles.
MAX_PIXELS = 1 << 23
_SIZE = (256, 256)  # of samples, unless another one is asked for
_GAP_PX = 2  # between the pictures of a montage


def sample(
    model: str, count: int, size: tuple[int, int] | None, quality: float, seed: int
) -> list[np.ndarray]:
    """`count` pictures drawn from a model: uint8 [height, width, 3] each.

    Of `vae` and `vae64`: z ~ N(0, I), then the synthesis. Of the others: ancestral sampling,
    z -> y -> x for `hyper`. size: width and height in px, or the model's own. quality: 1 to 100,
    the level that is drawn from.

    Raises UnknownModel, and ValueError for a size or a quality that the model does not have.
    """
    family, tenths = _family(model, quality)
    own = _own_size(family)
    width, height = size or own or _SIZE
    _check_size(width, height)
    if own and (width, height) != own:
        raise ValueError(f"the model {model} draws pictures of {own[0]} x {own[1]} px only")
    random = np.random.default_rng(seed)
    pictures = []
    for _ in range(count):
        latents = family.draw(random, tenths, cells(height), cells(width))
        pictures.append(family.render(latents, tenths)[:height, :width])
    return pictures


def interpolate(
    first: Image.Image, second: Image.Image, steps: int, model: str, quality: float, path: str
) -> list[np.ndarray]:
    """`steps` pictures, uint8 [H, W, 3], from `first` to `second` through a model's latents.

    Both are scaled and cropped to the size of the first, or to the model's own. path: "linear",
    or "spherical" (Shoemake 1985), which keeps the length of the latents between those of the
    ends, where N(0, I) has its mass. Nothing is quantised.

    Raises UnknownModel, UnsupportedImage, and ValueError for too many pixels or another quality.
    """
    family, tenths = _family(model, quality)
    width, height = _own_size(family) or first.size
    _check_size(width, height)
    start, end = (
        family.embed(padded(picture_of(fitted(image, width, height)).pixels), tenths)
        for image in (first, second)
    )
    mix = slerp if path == "spherical" else lerp
    shares = np.linspace(0, 1, steps)
    return [family.render(mix(start, end, float(s)), tenths)[:height, :width] for s in shares]


def lerp(a: np.ndarray, b: np.ndarray, share: float) -> np.ndarray:
    """The point at `share` of the way along the straight line from a to b, any shape."""
    return (1 - share) * a + share * b


def slerp(a: np.ndarray, b: np.ndarray, share: float) -> np.ndarray:
    """The point at `share` of the way along the great circle from a to b, any shape."""
    cosine = float((a * b).sum() / max(np.linalg.norm(a) * np.linalg.norm(b), 1e-12))
    angle = math.acos(min(max(cosine, -1.0), 1.0))
    if math.sin(angle) < 1e-4:
        return lerp(a, b, share)
    weights = math.sin((1 - share) * angle), math.sin(share * angle)
    return (weights[0] * a + weights[1] * b) / math.sin(angle)


def montage(pictures: list[np.ndarray], columns: int) -> np.ndarray:
    """Pictures of one shape (uint8 [H, W, 3]) in rows of `columns`, on white."""
    height, width, _ = pictures[0].shape
    rows = math.ceil(len(pictures) / columns)
    size = rows * (height + _GAP_PX) - _GAP_PX, columns * (width + _GAP_PX) - _GAP_PX
    canvas = np.full((*size, 3), 255, dtype=np.uint8)
    for index, picture in enumerate(pictures):
        top, left = (index // columns) * (height + _GAP_PX), (index % columns) * (width + _GAP_PX)
        canvas[top : top + height, left : left + width] = picture
    return canvas


def _family(model: str, quality: float) -> tuple[Family | DenseVaeFamily, int]:
    return model_store.load(model_store.by_name(model)), tenths_of(quality)


def _own_size(family: Family | DenseVaeFamily) -> tuple[int, int] | None:
    """Width and height in px of the only pictures that a model has, if it is so."""
    return (family.side_px, family.side_px) if family.side_px else None


def _check_size(width: int, height: int) -> None:
    if not 0 < width * height <= MAX_PIXELS:
        raise ValueError(f"a picture must have 1 to {MAX_PIXELS} pixels, not {width} x {height}")
