"""The tables of the `ae` and `vae` families: one for each channel and row of qualities."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from latentcodec.entropy import tables
from latentcodec.models.autoencoder import Autoencoder
from latentcodec.models.vae import VariationalAutoencoder, kl_bits
from latentcodec.training.data import Augmentation, CropSampler, Photographs

_FARTHEST = 2000  # symbols looked at, on both sides
_TAIL = 2.0**-20  # mass on either side that is left to the escape
_SURELY_ZERO = 2.0**-16  # a channel with less mass beside 0 is not coded
_CROP_PX, _CROPS = 256, 64
# A channel that carries less than this is not coded: under N(0, 1) even a channel that is always
# zero costs 0.12 bits a latent or more at the neutral step.
_DEAD_BITS = 0.2


def density_tables(model: Autoencoder) -> dict[str, Tensor]:
    """The learned densities, frozen to integers."""
    packed = [(0, np.array([(1 << tables.TOTAL_BITS) - 1, 1]))]  # ZERO_TABLE
    rows = np.zeros((len(tables.TABLE_QUALITIES), model.config.latents), dtype=np.int32)
    for row, quality in enumerate(tables.TABLE_QUALITIES):
        level = torch.tensor([model.config.level_of(quality)])
        masses = model.density.bin_masses(level, -_FARTHEST, _FARTHEST).numpy()
        for channel, mass in enumerate(masses):
            if 1 - mass[_FARTHEST + 1] < _SURELY_ZERO:
                continue
            low, counts = _trimmed(mass)
            rows[row, channel] = len(packed)
            packed.append((low, counts))
    return _tensors(packed, rows)


def standard_tables(model: VariationalAutoencoder, data: Sequence[Path]) -> dict[str, Tensor]:
    """N(0, 1) in quantisation steps, and the steps: sqrt(12) times the mean posterior sigma.

    A uniform error of that step has the variance of the posterior. The mean is geometric, since
    the rate follows ln sigma; where sigma varies, the arithmetic one is too coarse. It is taken
    over crops of `data`, at every anchor of the quality scale.

    Raises ValueError for too small images.
    """
    log_steps, live = _neutral_steps(model, data)
    packed = []
    for index in range(tables.SCALE_COUNT):
        counts = tables.counts_of(tables.gaussian_mass(index))
        packed.append((2 - len(counts), tables.mirrored(counts)))
    position = np.array([model.config.level_of(quality) for quality in tables.TABLE_QUALITIES])
    low = np.minimum(position.astype(int), model.config.anchors - 2)
    mix = (position - low)[:, None]
    row_steps = log_steps[low] * (1 - mix) + log_steps[low + 1] * mix
    index = np.rint((-row_steps - math.log(tables.SCALE_LOW)) * tables.SCALE_STEPS_PER_E)
    row_live = np.where(mix < 0.5, live[low], live[low + 1])
    rows = np.where(row_live, index.clip(1, tables.SCALE_COUNT - 1), tables.ZERO_TABLE)
    return _tensors(packed, rows.astype(np.int32)) | {
        "float.log_step.rows": torch.from_numpy(log_steps).float()
    }


@torch.no_grad()
def _neutral_steps(
    model: VariationalAutoencoder, data: Sequence[Path]
) -> tuple[np.ndarray, np.ndarray]:
    """ln of the neutral steps, float64 [anchors, M], and which channels carry anything."""
    photographs = Photographs.load(data, Augmentation().smallest_px(_CROP_PX), torch.device("cpu"))
    sampler = CropSampler(photographs, _CROP_PX, seed=2)
    steps, live = [], []
    for anchor in range(model.config.anchors):
        log_sigmas, bits = [], []
        for draw in range(_CROPS // 8):
            level = torch.full((8,), float(anchor))
            mean, log_sigma = model.posterior(sampler.batch(draw, 8), level)
            log_sigmas.append(log_sigma.mean(dim=(0, 1, 2)))
            bits.append(kl_bits(mean, log_sigma).mean(dim=(0, 1, 2)))
        steps.append(math.log(12) / 2 + torch.stack(log_sigmas).mean(0).double().numpy())
        live.append(torch.stack(bits).mean(0).numpy() > _DEAD_BITS)
    return np.stack(steps), np.stack(live)


def _trimmed(mass: np.ndarray) -> tuple[int, np.ndarray]:
    """Lowest symbol and counts of one table; `mass`: below, -_FARTHEST.._FARTHEST, above."""
    body = mass[1:-1]
    first = int(np.searchsorted(mass[0] + np.cumsum(body), _TAIL))
    last = len(body) - 1 - int(np.searchsorted(mass[-1] + np.cumsum(body[::-1]), _TAIL))
    kept = body[first : last + 1]
    shares = np.append(kept, max(1 - kept.sum(), 0.0))
    total = 1 << tables.TOTAL_BITS
    counts = np.floor(shares / shares.sum() * (total - len(shares))).astype(np.int64) + 1
    counts[np.argmax(counts)] += total - counts.sum()
    return first - _FARTHEST, counts


def _tensors(packed: list[tuple[int, np.ndarray]], rows: np.ndarray) -> dict[str, Tensor]:
    arrays = {
        "tables.lows": np.array([low for low, _ in packed]),
        "tables.sizes": np.array([len(counts) - 1 for _, counts in packed]),
        "tables.counts": np.concatenate([counts for _, counts in packed]),
        "quality.table": rows,
    }
    return {name: torch.from_numpy(array.astype(np.int32)) for name, array in arrays.items()}
