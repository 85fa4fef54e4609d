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
MEAN_BITS = 4  # means and latents are in 2 ** -4 of a quantisation step
SYMBOL_LIMIT = 32767  # symbols lie in -SYMBOL_LIMIT..SYMBOL_LIMIT
# Symbols of table 0 are so surely zero that they are not coded at all: the encoder sets them
# to zero and both sides go on from there.
ZERO_TABLE = 0
# Bits that one squared quantisation step of error is worth to the encoder's rounding. Where the
# step is optimal at high resolution it would be 26/3; these networks shrink their latents
# themselves, and lose by symbols that deviate much from them (docs/training.md).
ERROR_BITS = 26.0
# Qualities for which the families without a hyperprior have tables; between them, the nearest's.
TABLE_QUALITIES = range(1, 101, 3)
_REACH = 6.0  # values up to this many sigma have their own count; the rest escape
_PRIOR_SYMBOLS = 1000


def scale_of(index: int) -> float:
    """Sigma, in quantisation steps, of table `index`."""
    return SCALE_LOW * math.exp(index / SCALE_STEPS_PER_E)


def half_width(index: int) -> int:
    """The largest |k| that table `index` codes directly."""
    return math.ceil(_REACH * scale_of(index)) + 1


def gaussian_mass(index: int) -> np.ndarray:
    """Probabilities under N(0, sigma): float64 [half + 2], for k = 0..half, then the escape."""
    root = scale_of(index) * math.sqrt(2)
    above = [0.5 * math.erfc((k - 0.5) / root) for k in range(half_width(index) + 2)]
    return np.append(-np.diff(above), 2 * above[-1])


def counts_of(mass: np.ndarray) -> np.ndarray:
    """Counts of one table from probabilities [half + 2] (see `gaussian_mass`): int64.

    The entry of k >= 1 stands for +k and for -k alike: counts[0] + 2 * sum(counts[1:-1]) +
    counts[-1] is 2 ** TOTAL_BITS, and no entry is zero.
    """
    total, symbols = 1 << TOTAL_BITS, 2 * len(mass) - 2
    counts = np.floor(mass * (total - symbols)).astype(np.int64) + 1
    # What rounding down left over goes to the smallest |k|, one each, so that no count is bent.
    rest = int(total - (counts[0] + 2 * counts[1:-1].sum() + counts[-1]))
    counts[0] += rest % 2
    counts[1 : 1 + rest // 2] += 1
    return counts


def mirrored(counts: np.ndarray) -> np.ndarray:
    """A whole table, -half..half and the escape, from the counts of k = 0..half and the escape."""
    return np.concatenate([counts[-2:0:-1], counts])


def measured_mass(index: int, seen: np.ndarray) -> np.ndarray:
    """The Gaussian of table `index`, corrected by how often each |k| was `seen` on photographs.

    seen: int64 [K], K > half. Latents are a little more peaked and longer-tailed than their
    Gaussians; the Gaussian itself counts as _PRIOR_SYMBOLS observations, so that rare tables
    and rare values keep it.
    """
    gauss = gaussian_mass(index)
    half = len(gauss) - 2
    share = np.append(seen[: half + 1], seen[half + 1 :].sum()).astype(np.float64)
    share[1:-1] /= 2
    return (share + _PRIOR_SYMBOLS * gauss) / (seen.sum() + _PRIOR_SYMBOLS)


def packed(masses: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """All tables as stored: half widths, int32 [T], and the counts one after another, int32."""
    tables = [counts_of(mass) for mass in masses]
    halves = np.array([len(t) - 2 for t in tables], dtype=np.int32)
    return halves, np.concatenate(tables).astype(np.int32)


def gaussian_tables() -> tuple[np.ndarray, np.ndarray]:
    """The `packed` tables of plain Gaussians."""
    return packed([gaussian_mass(i) for i in range(SCALE_COUNT)])
