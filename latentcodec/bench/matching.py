"""Finds, for several codecs, settings whose files of one image have the same size."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from latentcodec.bench.codecs import Codec
from latentcodec.bench.metrics import bits_per_pixel, mean_squared_error, psnr_db

TOLERANCE = 0.02
# Neighbouring settings further apart than this cannot meet just any size.
_COARSE = 0.01
_NEIGHBOURS = 3


class CodecFailed(Exception):
    """A codec cannot encode an image."""

    def __init__(self, codec: Codec, setting: float, reason: object) -> None:
        super().__init__(f"{codec.label} failed at {setting:g}: {reason}")
        self.codec = codec


@dataclass(frozen=True)
class Match:
    """One codec's file of an image: its setting and bytes, the decoded image, RGB PSNR in dB."""

    codec: Codec
    setting: float
    data: bytes
    decoded: Image.Image
    psnr: float


class _Files:
    """The files of one codec at its fine settings, encoded when asked for."""

    def __init__(self, codec: Codec, image: Image.Image) -> None:
        self.codec = codec
        self._image = image
        self._cache: dict[int, bytes] = {}

    def data(self, place: int) -> bytes:
        """The file at the fine setting number `place`."""
        if place not in self._cache:
            setting = self.codec.fine_settings[place]
            try:
                self._cache[place] = self.codec.encode(self._image, setting)
            except Exception as error:  # other people's codecs raise anything
                raise CodecFailed(self.codec, setting, error) from error
        return self._cache[place]

    def around(self, size_bytes: float) -> dict[int, int]:
        """Sizes in bytes by place, of the few settings nearest to a size."""
        low, high = 0, len(self.codec.fine_settings) - 1
        while low < high:
            middle = (low + high) // 2
            if len(self.data(middle)) < size_bytes:
                low = middle + 1
            else:
                high = middle
        last = len(self.codec.fine_settings) - 1
        places = range(max(low - _NEIGHBOURS, 0), min(low + _NEIGHBOURS, last) + 1)
        return {place: len(self.data(place)) for place in places}

    def nearest(self, size_bytes: float) -> int:
        """The place of the file nearest to a size, among all that were encoded on the way."""
        self.around(size_bytes)
        return min(self._cache, key=lambda place: _distance(len(self._cache[place]), size_bytes))


def match_sizes(codecs: Sequence[Codec], image: Image.Image, size_bytes: float) -> list[Match]:
    """Encode `image` with each codec to nearly the same size, as near as it goes to `size_bytes`.

    A codec with few settings cannot meet just any size, so the others meet its. `unlike` tells
    where even that leaves more than 2 % between the files.

    Raises:
        CodecFailed: One of them cannot encode this image.
    """
    files = [_Files(codec, image) for codec in codecs]
    tried: list[list[int]] = []
    for _ in range(len(files) + 1):
        common = _common_size(files, size_bytes)
        places = [file.nearest(common) for file in files]
        sizes = [len(file.data(place)) for file, place in zip(files, places, strict=True)]
        tried.append(places)
        if _spread(sizes) <= math.log(1 + TOLERANCE):
            break
        # The one that came least near has the largest steps, or ends there: the next try is its.
        size_bytes = max(sizes, key=lambda size: _distance(size, common))
    best = min(
        tried,
        key=lambda places: _spread([len(f.data(p)) for f, p in zip(files, places, strict=True)]),
    )
    return [_match(file, place, image) for file, place in zip(files, best, strict=True)]


def unlike(matches: Sequence[Match]) -> str | None:
    """A sentence with the bits per pixel, where the sizes differ by more than 2 %."""
    if _spread([len(match.data) for match in matches]) <= math.log(1 + TOLERANCE):
        return None
    rates = (
        f"{match.codec.name} {bits_per_pixel(len(match.data), *match.decoded.size):.3f}"
        for match in matches
    )
    return (
        "the codecs cannot meet one size within 2 %; nearest, in bits per pixel: "
        f"{', '.join(rates)}"
    )


def _common_size(files: Sequence[_Files], size_bytes: float) -> float:
    """Where the codecs with few settings come nearest to each other, around a size."""
    windows = [file.around(size_bytes) for file in files]
    coarse = [sorted(window.values()) for window in windows if _gap(window) > _COARSE]
    candidates = [size for window in coarse for size in window]
    return min(candidates, key=lambda size: _cost(size, coarse, size_bytes), default=size_bytes)


def _gap(window: dict[int, int]) -> float:
    """The widest step between neighbouring sizes, as a share."""
    sizes = sorted(window.values())
    return max((_distance(a, b) for a, b in itertools.pairwise(sizes)), default=0.0)


def _cost(size: float, windows: Sequence[Sequence[int]], wanted: float) -> tuple[float, float]:
    """By how much a coarse codec misses a size, if by too much, then how far off the size is."""
    worst = max(min(_distance(other, size) for other in window) for window in windows)
    return max(worst - TOLERANCE / 2, 0.0), _distance(size, wanted)


def _distance(size: float, other: float) -> float:
    return abs(math.log(size / other))


def _spread(sizes: Sequence[int]) -> float:
    return _distance(max(sizes), min(sizes))


def _match(files: _Files, place: int, image: Image.Image) -> Match:
    data = files.data(place)
    decoded = files.codec.decode(data)
    psnr = psnr_db(mean_squared_error(np.asarray(image), np.asarray(decoded)))
    return Match(files.codec, files.codec.fine_settings[place], data, decoded, psnr)
