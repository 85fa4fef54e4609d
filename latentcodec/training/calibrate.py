"""Measured probability tables: how latents of photographs really fall around their means."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from latentcodec.entropy import tables
from latentcodec.format.container import QUALITY_TENTHS
from latentcodec.runtime.hyper import HyperFamily
from latentcodec.training.data import CALIBRATION_PX, Photographs

_CROPS = 96
_LARGEST = 2 * tables.half_width(tables.SCALE_COUNT - 1)


def measured_tables(family: HyperFamily, photographs: Photographs) -> dict[str, Tensor]:
    """The tables of a weights file, measured on crops, in place of its Gaussian ones.

    Every model keeps its means and scales: only the shape around them is measured, once for
    all qualities. photographs: of CALIBRATION_PX a side or more.
    """
    random = np.random.default_rng(1)
    seen = np.zeros((tables.SCALE_COUNT, _LARGEST + 1), dtype=np.int64)
    for _ in range(_CROPS):
        which = random.choice(len(photographs.images), p=photographs.shares)
        image = photographs.images[int(which)].numpy()
        top, left = (int(random.integers(size - CALIBRATION_PX + 1)) for size in image.shape[:2])
        tenths = int(random.integers(QUALITY_TENTHS.start, QUALITY_TENTHS.stop))
        y = family.analyse(image[top : top + CALIBRATION_PX, left : left + CALIBRATION_PX], tenths)
        for symbols, chosen in family.symbols(y, tenths)[0]:
            np.add.at(seen, (chosen, np.minimum(np.abs(symbols), _LARGEST)), 1)
    masses = [tables.measured_mass(i, seen[i]) for i in range(tables.SCALE_COUNT)]
    packed = zip(("halves", "counts"), tables.packed(masses), strict=True)
    return {f"tables.{name}": torch.from_numpy(values) for name, values in packed}
