"""Probability tables of the latents: Gaussians on the integers, frozen as integer counts.

Made once, when a model is exported, and stored in its weights. At run time nothing evaluates
erf, exp or log: every machine codes with the same integers.
"""

from __future__ import annotations

import math

import numpy as np

SCALE_LOW = 0.11  # sigma of table 0, in quantisation steps
SCALE_STEPS_PER_E = 8  # tables per factor e of sigma
SCALE_COUNT = 72  # the last sigma is 786
TOTAL_BITS = 24  # counts of a table sum to 2 ** 24
_REACH = 6.0  # values up to this many sigma have their own count; the rest escape


def scale_of(index: int) -> float:
    """Sigma, in quantisation steps, of table `index`."""
    return SCALE_LOW * math.exp(index / SCALE_STEPS_PER_E)


def gaussian_counts(index: int) -> np.ndarray:
    """Counts of one table: int64 [half + 2], for |k| = 0..half and then for the escape.

    The entry of |k| >= 1 stands for +k and for -k alike: counts[0] + 2 * sum(counts[1:-1]) +
    counts[-1] is 2 ** TOTAL_BITS, and no entry is zero.
    """
    sigma = scale_of(index)
    half = math.ceil(_REACH * sigma) + 1
    root = sigma * math.sqrt(2)
    above = np.array([0.5 * math.erfc((k - 0.5) / root) for k in range(half + 2)])
    mass = above[:-1] - above[1:]  # P(k) for k = 0..half
    total = 1 << TOTAL_BITS
    counts = np.maximum(np.rint(mass * total), 1).astype(np.int64)
    escape = max(round(2 * above[-1] * total), 1)
    counts = np.append(counts, escape)
    counts[0] += total - (counts[0] + 2 * counts[1:-1].sum() + escape)
    return counts


def all_counts() -> tuple[np.ndarray, np.ndarray]:
    """Every table: the half widths, int32 [SCALE_COUNT], and the counts one after another."""
    tables = [gaussian_counts(i) for i in range(SCALE_COUNT)]
    halves = np.array([len(t) - 2 for t in tables], dtype=np.int32)
    return halves, np.concatenate(tables).astype(np.int32)
