"""A page on which a person compares codecs blindly, two pictures of one size at a time."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from latentcodec.bench.codecs import Codec
from latentcodec.bench.images import image_name, list_images, load_rgb
from latentcodec.bench.matching import CodecFailed, Match, match_sizes, unlike
from latentcodec.bench.metrics import METRICS, PSNR, Metric, bits_per_pixel, distortion
from latentcodec.bench.page import blind_page, lossless_source, picture_source
from latentcodec.errors import LatError
from latentcodec.system.atomic_write import write_file

Tell = Callable[[str], None]
_EXTRA = ("pytorch_msssim", "ssimulacra2")


def compare_blind(
    folder: Path, own: Codec, rivals: Sequence[Codec], bpp: float, out: Path, tell: Tell
) -> Path:
    """Write blind.html: each image of a folder, by `own` and by each rival at the same size.

    Args:
        folder: Images, as for a benchmark.
        own: The codec that stands in every pair.
        rivals: The others, each of which makes one pair of an image.
        bpp: The rate to come near to, in bits per pixel.
        out: Folder for the page, made where there is none.
        tell: Gets a line for a person: an image that is done, or why a pair is left out.

    Returns the path of the page.

    Raises:
        LatError: No images, an image that cannot be read, or no pair at all.
        OSError: A file cannot be read or written.
    """
    images, pairs = [], []
    metrics = _metrics()
    for path in list_images(folder, tell):
        original = load_rgb(path)
        found = [_pair(path, original, own, rival, bpp, tell) for rival in rivals]
        matched = [pair for pair in found if pair]
        if matched:
            images.append({"name": image_name(path), "src": lossless_source(original)})
        for pair in matched:
            pictures = [_picture(match, original, metrics) for match in pair]
            pairs.append({"image": image_name(path), "pictures": pictures})
        tell(f"{image_name(path)}: {len(matched)} {'pair' if len(matched) == 1 else 'pairs'}")
    if not pairs:
        raise LatError("there is no pair to compare")
    out.mkdir(parents=True, exist_ok=True)
    names = [metric.label for metric in metrics]
    data = {"own": own.label, "metrics": names, "images": images, "pairs": pairs}
    page = out / "blind.html"
    write_file(page, blind_page(image_name(folder.resolve()), data))
    return page


def _metrics() -> Sequence[Metric]:
    """What the votes are held against: all metrics where the extra is installed, or PSNR."""
    whole = all(importlib.util.find_spec(name) for name in _EXTRA)
    return METRICS if whole else (PSNR,)


def _pair(
    path: Path, original: Image.Image, own: Codec, rival: Codec, bpp: float, tell: Tell
) -> list[Match] | None:
    size_bytes = bpp * original.width * original.height / 8
    try:
        matches = match_sizes([own, rival], original, size_bytes)
        problem = unlike(matches)
    except CodecFailed as error:
        problem = str(error)
    if problem:
        tell(f"{image_name(path)} is not compared with {rival.label}: {problem}")
        return None
    return matches


def _picture(match: Match, original: Image.Image, metrics: Sequence[Metric]) -> dict[str, Any]:
    """One side of a pair: what is shown, and what is told when all votes are in."""
    if metrics is METRICS:
        measured = distortion(np.asarray(original), np.asarray(match.decoded))
        values = [getattr(measured, metric.column) for metric in metrics]
    else:
        values = [match.psnr]
    return {
        "codec": match.codec.label,
        "src": picture_source(match),
        "bpp": round(bits_per_pixel(len(match.data), *original.size), 4),
        # JSON has neither nan, of a metric that an image is too small for, nor infinity.
        "metrics": [round(value, 4) if np.isfinite(value) else None for value in values],
    }
