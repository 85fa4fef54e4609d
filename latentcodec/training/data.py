"""Photographs in memory as uint8, and random crops from them.

A source is a folder of images, a tar shard of images, or a folder of such shards; an
`index.json` beside the files may name each file's source, so that no source dominates.
"""

from __future__ import annotations

import collections
import dataclasses
import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from latentcodec.files.errors import HANDLED
from latentcodec.models.families import part
from latentcodec.training.image_files import INDEX, LeftOut, image_files

CALIBRATION_PX = 512  # of the crops that export measures on
_CELL_PX = 32  # resolution of the detail maps
_SOURCE_CAP = 0.25  # largest share of the crops from one source
_FLAT_SHARE = 0.10  # crops with less detail than this share of all crops ...
_FLAT_KEEP = 0.2  # ... are kept with this probability
_GRAIN_FROM = 0.55  # of the quality scale
_GRAIN_SHARE = 0.04  # of the crops above that
_GRAIN_LARGEST = 25 / 127.5  # sigma
_FINE_GRAIN_SHARE = 0.25  # of the other crops
_FINE_GRAIN_LARGEST = 6 / 127.5  # sigma
_JITTER = 0.1  # brightness and colour, multiplicative and additive, per crop and channel


def _sources(paths: Sequence[Path]) -> dict[str, str]:
    """File name -> source, from the index beside the data. Raises ValueError where that is none."""
    found: dict[str, str] = {}
    for path in paths:
        index = (path if path.is_dir() else path.parent) / INDEX
        if not index.is_file():
            continue
        try:
            rows = json.loads(index.read_text(encoding="utf-8"))
            found.update({str(row["file"]): str(row["source"]) for row in rows})
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{index} is no list of objects with file and source") from error
    return found


def _detail_map(pixels: np.ndarray) -> np.ndarray:
    """Mean absolute gradient of green in cells of 32 px: float32 [H/32, W/32]."""
    green = pixels[:, :, 1].astype(np.int16)
    gradient = np.abs(np.diff(green, axis=1))[:-1] + np.abs(np.diff(green, axis=0))[:, :-1]
    rows, columns = gradient.shape[0] // _CELL_PX, gradient.shape[1] // _CELL_PX
    cells = gradient[: rows * _CELL_PX, : columns * _CELL_PX]
    return cells.reshape(rows, _CELL_PX, columns, _CELL_PX).mean(axis=(1, 3), dtype=np.float32)


@dataclasses.dataclass
class Photographs:
    """`images`: uint8 [H, W, 3] tensors on the training device; `shares`: sampling weights.

    The last `graphics` of the images are no photographs.
    """

    images: list[Tensor]
    details: list[np.ndarray]
    shares: np.ndarray
    graphics: int = 0

    @classmethod
    def load(cls, paths: Sequence[Path], smallest_px: int, device: torch.device) -> Photographs:
        """Decode everything under `paths`.

        What is no image, cannot be read, or is smaller than `smallest_px` is left out, and told of
        in a few LossWarnings. Raises ValueError where none remains, and for an index that is none;
        OSError for a path where nothing is.
        """
        sources, images, details, origin = _sources(paths), [], [], []
        left_out = LeftOut()
        for file in image_files(paths, left_out):
            try:
                pixels = file.pixels()
            except HANDLED as error:
                left_out.add_unreadable(file.place, error)
                continue
            if min(pixels.shape[:2]) < smallest_px:
                left_out.small.append(file.place)
                continue
            images.append(torch.from_numpy(pixels).to(device))
            details.append(_detail_map(pixels))
            origin.append(sources.get(file.name, ""))
        left_out.warn(smallest_px)
        if not images:
            searched = ", ".join(map(str, paths))
            raise ValueError(f"no image of {smallest_px} px or more in {searched}")
        return cls(images, details, _shares(images, origin))

    def with_graphics(self, others: Photographs, share: float) -> Photographs:
        """Both sets; `share` of the crops come from the others, which are graphics."""
        return Photographs(
            self.images + others.images,
            self.details + others.details,
            np.concatenate([self.shares * (1 - share), others.shares * share]),
            len(others.images),
        )


def _shares(images: list[Tensor], origin: list[str]) -> np.ndarray:
    """By area, but no named source above its cap."""
    area = np.array([float(i.shape[0] * i.shape[1]) for i in images])
    total: collections.Counter[str] = collections.Counter()
    for name, pixels in zip(origin, area, strict=True):
        total[name] += pixels
    rest = area.sum()
    for name, pixels in total.most_common():
        if not name or pixels <= _SOURCE_CAP * rest:
            continue
        cut = _SOURCE_CAP / (1 - _SOURCE_CAP) * (rest - pixels) / pixels
        if cut > 0:  # a single source cannot be capped against itself
            area[[o == name for o in origin]] *= cut
    return area / area.sum()


@dataclasses.dataclass(frozen=True)
class Augmentation:
    """How crops are cut: scaled down by a factor from `scales`, or not, and turned or upright.

    Photographs that were coded before lack the fine detail of those that people encode. Scaling
    them down brings it back, as do taking the more detailed of two crops, and sharpening.
    """

    scales: tuple[float, float] = (0.35, 0.75)
    unscaled_share: float = 0.15  # of the batches
    upright: bool = False  # only mirrored, not turned
    choosy_share: float = 0.3  # of the crops, each the more detailed of two
    sharpened_share: float = 0.7  # of those that are scaled
    sharpest: float = 0.8  # amount of an unsharp mask

    def smallest_px(self, crop_px: int) -> int:
        """The least side of an image from which a crop can be cut that is scaled down."""
        return math.ceil(crop_px / self.scales[1])


# For the family that draws whole pictures.
WHOLE_SCENES = Augmentation((0.12, 0.25), 0.0, True, choosy_share=0.0, sharpened_share=0.0)


def augmentation_of(family: str) -> Augmentation:
    """How crops for a family are cut: as textures, unless its row says otherwise."""
    return part(family, "augmentation") or Augmentation()


class CropSampler:
    """Random crops, a pure function of (seed, step): a resumed run sees the same ones."""

    def __init__(
        self,
        photographs: Photographs,
        crop_px: int,
        seed: int,
        augmentation: Augmentation | None = None,
    ) -> None:
        self.photographs = photographs
        self.crop_px = crop_px
        self.seed = seed
        self.augmentation = augmentation or Augmentation()
        probe = np.random.default_rng(seed)
        details = [self._place(probe, self._image(probe), crop_px)[1] for _ in range(512)]
        self._flat = float(np.quantile(details, _FLAT_SHARE))

    def _image(self, random: np.random.Generator) -> int:
        """The number of a random image."""
        return int(random.choice(len(self.photographs.images), p=self.photographs.shares))

    def _place(self, random: np.random.Generator, which: int, side: int) -> tuple[Tensor, float]:
        """A random square of an image, uint8 [side, side, 3], and its mean detail."""
        image, detail = self.photographs.images[which], self.photographs.details[which]
        side = min(side, image.shape[0], image.shape[1])
        top = int(random.integers(image.shape[0] - side + 1))
        left = int(random.integers(image.shape[1] - side + 1))
        cells = detail[
            top // _CELL_PX : max((top + side) // _CELL_PX, top // _CELL_PX + 1),
            left // _CELL_PX : max((left + side) // _CELL_PX, left // _CELL_PX + 1),
        ]
        mean = float(cells.mean()) if cells.size else 0.0
        return image[top : top + side, left : left + side], mean

    def _crop(self, random: np.random.Generator, side: int) -> Tensor:
        """An augmented crop of a square of that side: float32 [crop_px, crop_px, 3] in -1..1.

        Graphics stay as they are drawn.
        """
        how = self.augmentation
        while True:
            which = self._image(random)
            drawn = which >= len(self.photographs.images) - self.photographs.graphics
            side_px = self.crop_px if drawn else side
            places = 1 if drawn or random.random() >= how.choosy_share else 2
            found = [self._place(random, which, side_px) for _ in range(places)]
            crop, detail = max(found, key=lambda place: place[1])
            if detail >= self._flat or random.random() < _FLAT_KEEP:
                break
        fitted = _fit(crop, self.crop_px)
        if side_px > self.crop_px and random.random() < how.sharpened_share:
            fitted = _sharpened(fitted, how.sharpest * random.random())
        return _turn(fitted, random, how.upright)

    def batch(self, step: int, count: int) -> Tensor:
        """`count` augmented crops for `step`: float32 [count, crop_px, crop_px, 3] in -1..1."""
        random = np.random.default_rng((self.seed, step))
        unscaled = random.random() < self.augmentation.unscaled_share
        scale = 1.0 if unscaled else random.uniform(*self.augmentation.scales)
        side = round(self.crop_px / scale)
        batch = torch.stack([self._crop(random, side) for _ in range(count)])
        size = (count, 1, 1, 3)
        factor = torch.from_numpy(1 + _JITTER * random.uniform(-1, 1, size).astype(np.float32))
        shift = torch.from_numpy(_JITTER * random.uniform(-1, 1, size).astype(np.float32))
        return (batch * factor.to(batch.device) + shift.to(batch.device)).clamp_(-1, 1)


def with_grain(x: Tensor, quality: Tensor) -> Tensor:
    """Gaussian noise on some crops, half of it without colour.

    x: [B, H, W, 3] in -1..1; quality: [B] in 0..1. Mostly it is as fine as that of any camera. Some
    crops of the upper qualities have noise as coarse as at a high sensitivity, which a model's top
    quality would smooth otherwise.
    """
    kind = torch.rand(len(x), device=x.device)
    coarse = (quality > _GRAIN_FROM) & (kind < _GRAIN_SHARE)
    fine = ~coarse & (kind > 1 - _FINE_GRAIN_SHARE)
    for number in (coarse | fine).nonzero().flatten().tolist():
        channels = 1 if torch.rand(()) < 0.5 else 3
        noise = torch.randn(*x.shape[1:3], channels, device=x.device)
        strength = torch.rand((), device=x.device)
        sigma = _GRAIN_LARGEST * strength if coarse[number] else _FINE_GRAIN_LARGEST * strength**2
        x[number] = (x[number] + sigma * noise).clamp_(-1, 1)
    return x


def _fit(crop: Tensor, side: int) -> Tensor:
    """uint8 [h, h, 3] -> float32 [side, side, 3] in -1..1, antialiased."""
    x = crop.float() / 127.5 - 1
    if x.shape[0] == side:
        return x
    x = x.permute(2, 0, 1).unsqueeze(0)
    x = functional.interpolate(x, size=(side, side), mode="bicubic", antialias=True)
    return x[0].permute(1, 2, 0).clamp(-1, 1)


def _sharpened(x: Tensor, amount: float) -> Tensor:
    """An unsharp mask of 3 x 3 pixels: float32 [s, s, 3] in -1..1."""
    taps = torch.tensor([0.25, 0.5, 0.25], device=x.device)
    kernel = (taps[:, None] * taps).expand(3, 1, 3, 3)
    planes = functional.pad(x.permute(2, 0, 1).unsqueeze(0), (1, 1, 1, 1), mode="reflect")
    blurred = functional.conv2d(planes, kernel, groups=3)[0].permute(1, 2, 0)
    return (x + amount * (x - blurred)).clamp(-1, 1)


def _turn(crop: Tensor, random: np.random.Generator, upright: bool) -> Tensor:
    """One of the eight flips and transposes of a square, [s, s, 3], or of its two upright ones."""
    flips = [axis for axis in (0, 1) if random.random() < 0.5 and not (upright and axis == 0)]
    crop = crop.flip(flips) if flips else crop
    return crop.transpose(0, 1) if random.random() < 0.5 and not upright else crop
