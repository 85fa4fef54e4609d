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
SYMBOL_LIMIT = 32767  # symbols lie in -SYMBOL_LIMIT..SYMBOL_LIMIT
# Symbols of table 0 are so surely zero that they are not coded at all: the encoder sets them
# to zero and both sides go on from there.
ZERO_TABLE = 0
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
    mass = np.append(above[:-1] - above[1:], 2 * above[-1])  # |k| = 0..half, then the escape
    total, symbols = 1 << TOTAL_BITS, 2 * half + 2
    counts = np.floor(mass * (total - symbols)).astype(np.int64) + 1
    # What rounding down left over goes to the smallest |k|, one each, so that no count is bent.
    rest = int(total - (counts[0] + 2 * counts[1:-1].sum() + counts[-1]))
    counts[0] += rest % 2
    counts[1 : 1 + rest // 2] += 1
    return counts


def all_counts() -> tuple[np.ndarray, np.ndarray]:
    """Every table: the half widths, int32 [SCALE_COUNT], and the counts one after another."""
    tables = [gaussian_counts(i) for i in range(SCALE_COUNT)]
    halves = np.array([len(t) - 2 for t in tables], dtype=np.int32)
    return halves, np.concatenate(tables).astype(np.int32)
