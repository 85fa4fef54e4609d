"""Pictures that no camera took: samples of a model, and ways from one picture to another."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from latentcodec import container, model_store
from latentcodec.entropy.coder import SymbolSampler
from latentcodec.entropy.tables import MEAN_BITS
from latentcodec.families.vae import VaeFamily
from latentcodec.tiling import CELL_PX, cells

if TYPE_CHECKING:
    from latentcodec.families.family import Family

# The transforms see these pictures whole, without tiles.
MAX_PIXELS = 1 << 23
PATHS = ("spherical", "linear")


def sample(
    model: str, count: int, width: int, height: int, quality: float, seed: int
) -> list[np.ndarray]:
    """`count` pictures drawn from a model: uint8 [height, width, 3] each.

    Of `vae`: z ~ N(0, I), then the synthesis. Of the others: latents drawn from the tables that
    would code them, in coding order (ancestral sampling z -> y -> x for `hyper`), which is what
    decoding random bits gives. quality: 1 to 100, the level whose model is drawn from.

    Raises UnknownModel, and ValueError for more than MAX_PIXELS pixels or none.
    """
    _check_size(width, height)
    family, tenths = _family(model, quality)
    random = np.random.default_rng(seed)
    rows, columns = cells(height), cells(width)
    pictures = []
    for _ in range(count):
        if isinstance(family, VaeFamily):
            v_hat = family.prior_latents(random, tenths, rows, columns)
        else:
            source = SymbolSampler(family.tables, random)
            v_hat = family.read_latents(source, tenths, rows, columns)
        pictures.append(family.synthesise(v_hat, tenths)[:height, :width])
    return pictures


def interpolate(
    first: np.ndarray, second: np.ndarray, steps: int, model: str, quality: float, path: str
) -> list[np.ndarray]:
    """`steps` pictures from `first` to `second` (uint8 [H, W, 3], of the same shape) in latents.

    path: "linear", or "spherical" (Shoemake 1985), which keeps the length of the latents between
    those of the ends, where N(0, I) has its mass. Nothing is quantised.

    Raises UnknownModel, and ValueError for different shapes or too many pixels.
    """
    if first.shape != second.shape:
        raise ValueError("the two pictures must have the same size")
    height, width, _ = first.shape
    _check_size(width, height)
    family, tenths = _family(model, quality)
    unit = family.unit_steps(tenths)
    ends = [
        family.steps_of(family.analyse(_padded(picture), tenths), tenths) * unit
        for picture in (first, second)
    ]
    mix = between if path == "spherical" else _line
    pictures = []
    for share in np.linspace(0, 1, steps):
        v = mix(ends[0], ends[1], float(share)) / unit
        pictures.append(family.synthesise(v * (1 << MEAN_BITS), tenths)[:height, :width])
    return pictures


def between(a: np.ndarray, b: np.ndarray, share: float) -> np.ndarray:
    """The point at `share` of the way along the great circle from a to b, any shape."""
    cosine = float((a * b).sum() / max(np.linalg.norm(a) * np.linalg.norm(b), 1e-12))
    angle = math.acos(min(max(cosine, -1.0), 1.0))
    if math.sin(angle) < 1e-4:
        return _line(a, b, share)
    weights = math.sin((1 - share) * angle), math.sin(share * angle)
    return (weights[0] * a + weights[1] * b) / math.sin(angle)


def montage(pictures: list[np.ndarray], columns: int, gap_px: int = 2) -> np.ndarray:
    """Pictures of one shape (uint8 [H, W, 3]) in rows of `columns`, on white."""
    height, width, _ = pictures[0].shape
    rows = math.ceil(len(pictures) / columns)
    size = rows * (height + gap_px) - gap_px, columns * (width + gap_px) - gap_px
    canvas = np.full((*size, 3), 255, dtype=np.uint8)
    for index, picture in enumerate(pictures):
        top, left = (index // columns) * (height + gap_px), (index % columns) * (width + gap_px)
        canvas[top : top + height, left : left + width] = picture
    return canvas


def _line(a: np.ndarray, b: np.ndarray, share: float) -> np.ndarray:
    return (1 - share) * a + share * b


def _family(model: str, quality: float) -> tuple[Family, int]:
    tenths = round(10 * quality)
    if tenths not in container.QUALITY_TENTHS:
        raise ValueError(f"quality must be 1 to 100, not {quality}")
    return model_store.load(model_store.by_name(model)), tenths


def _check_size(width: int, height: int) -> None:
    if not 0 < width * height <= MAX_PIXELS:
        raise ValueError(f"a picture must have 1 to {MAX_PIXELS} pixels, not {width} x {height}")


def _padded(pixels: np.ndarray) -> np.ndarray:
    below, beside = -pixels.shape[0] % CELL_PX, -pixels.shape[1] % CELL_PX
    return np.pad(pixels, ((0, below), (0, beside), (0, 0)), mode="edge")
