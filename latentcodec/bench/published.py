"""Curves that others have published. They are drawn beside the measured ones, and only drawn."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from latentcodec.bench.metrics import decibels
from latentcodec.errors import LatError


@dataclass(frozen=True)
class Multiplications:
    """Thousands of multiplications a pixel, as published.

    Attributes:
        low: At least so many; None where only an upper bound is said.
        high: At most so many; more than `low` where it depends on the quality.
        of: "decoder", or "encoder and decoder" where only their sum is published.
        source: Where the numbers are from.
    """

    low: float | None
    high: float
    of: str
    source: str


@dataclass(frozen=True)
class Published:
    """A published curve.

    Attributes:
        name: The codec.
        source: Where the numbers are from.
        bpp: Bits per pixel, mean over the images.
        quality: By column of a metric, one value per rate; only what was published.
        kmac: What the networks cost, or None.
    """

    name: str
    source: str
    bpp: list[float]
    quality: dict[str, list[float]]
    kmac: Multiplications | None = None


def read_published(path: Path, names: Sequence[str] = ()) -> list[Published]:
    """The curves of a JSON file, all or those called `names`.

    The file maps names to {bpp, psnr, ms_ssim or null, source}, and may have kmac_per_pixel, {low
    or null, high, of, source}. A mean MS-SSIM is turned into dB, which differs a little from the
    mean of dB that is measured here.

    Raises:
        LatError: The file is not of that form, or has no curve of such a name.
    """
    try:
        curves = {
            name: _curve(name, record)
            for name, record in json.loads(path.read_text(encoding="utf-8")).items()
            if not name.startswith("_")
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise LatError(f"{path} is not a file of published curves: {error}") from None
    for name in names:
        if name not in curves:
            raise LatError(f"{path} has no curve {name!r}, but {', '.join(curves)}")
    return [curves[name] for name in names or curves]


def _curve(name: str, record: dict[str, object]) -> Published:
    bpp = _numbers(record["bpp"])
    quality = {"psnr": _numbers(record["psnr"])}
    if record.get("ms_ssim"):
        quality["ms_ssim_db"] = [decibels(value) for value in _numbers(record["ms_ssim"])]
    if any(len(values) != len(bpp) for values in quality.values()):
        raise ValueError(f"{name} has lists of different lengths")
    cost = record.get("kmac_per_pixel")
    return Published(name, str(record["source"]), bpp, quality, _kmac(cost) if cost else None)


def _kmac(record: object) -> Multiplications:
    if not isinstance(record, dict) or record["of"] not in ("decoder", "encoder and decoder"):
        raise TypeError("kmac_per_pixel needs low, high, of and source")
    low = None if record["low"] is None else float(record["low"])
    return Multiplications(low, float(record["high"]), record["of"], str(record["source"]))


def _numbers(values: object) -> list[float]:
    if not isinstance(values, list):
        raise TypeError("a curve needs lists of numbers")
    return [float(value) for value in values]
