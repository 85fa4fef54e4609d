"""The encoder's rounding: never by more than one, only towards the mean, and worth it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from latentcodec.entropy.coder import TableSet
from latentcodec.entropy.rdoq import Quantiser
from latentcodec.entropy.tables import (
    SCALE_COUNT,
    SYMBOL_LIMIT,
    counts_of,
    gaussian_mass,
    gaussian_tables,
)

COUNTS = [counts_of(gaussian_mass(i)) for i in range(SCALE_COUNT)]
TABLES = TableSet.symmetric(*gaussian_tables())


@pytest.fixture(scope="module")
def sample() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values, means in 1/16 steps, and tables."""
    random = np.random.default_rng(6)
    tables = random.integers(0, SCALE_COUNT, 20_000).astype(np.uint8)
    mean = random.integers(-800, 800, tables.size).astype(np.int32)
    values = mean / 16 + random.normal(0, 1, tables.size) * 0.2 * np.exp(tables / 8)
    return values, mean, tables


def test_a_free_error_is_plain_rounding(sample: tuple[np.ndarray, ...]) -> None:
    values, mean, tables = sample
    symbols = Quantiser(TABLES, math.inf).symbols(values, mean, tables)
    assert np.array_equal(symbols, np.where(tables == 0, 0, np.rint(values - mean / 16)))


def test_symbols_move_by_one_towards_zero_and_pay(sample: tuple[np.ndarray, ...]) -> None:
    values, mean, tables = sample
    price = 10.0
    plain = Quantiser(TABLES, math.inf).symbols(values, mean, tables)
    chosen = Quantiser(TABLES, price).symbols(values, mean, tables)
    moved = np.flatnonzero(plain != chosen)
    assert 100 < moved.size < values.size / 2
    assert np.array_equal(np.abs(plain[moved]) - np.abs(chosen[moved]), np.ones(moved.size))
    for i in moved[np.abs(plain[moved]) <= 8]:
        counts, offset = COUNTS[tables[i]], values[i] - mean[i] / 16
        saved_bits = math.log2(counts[abs(chosen[i])] / counts[abs(plain[i])])
        error = (offset - chosen[i]) ** 2 - (offset - plain[i]) ** 2
        assert price * error < saved_bits


def test_values_beyond_the_limit_are_cut(sample: tuple[np.ndarray, ...]) -> None:
    values = np.array([1e30, -1e30, 32768.0, -32767.4])
    tables = np.full(4, SCALE_COUNT - 1, dtype=np.uint8)
    symbols = Quantiser(TABLES).symbols(values, np.zeros(4, dtype=np.int32), tables)
    assert symbols.tolist() == [SYMBOL_LIMIT, -SYMBOL_LIMIT, SYMBOL_LIMIT, -SYMBOL_LIMIT]


def test_asymmetric_tables_have_a_price_on_each_side() -> None:
    """-1 costs 3 bits more than 0 and 2 costs 5 more than 1, which is the likeliest."""
    total = 1 << 24
    counts = np.array([total // 64, total // 8, total // 2, total // 64, 0])
    counts[-1] = total - counts.sum()
    tables = TableSet(np.array([-1, -1]), np.array([4, 4]), np.tile(counts, 2))
    assert np.isnan(tables.probabilities(-2)).all() and np.isnan(tables.probabilities(3)).all()
    assert tables.probabilities(1).tolist() == [0.5, 0.5]
    values = np.array([-0.6, -0.9, 0.51, 1.6, 1.9, 3.1])
    mean, table = np.zeros(6, dtype=np.int32), np.ones(6, dtype=np.uint16)
    symbols = Quantiser(tables, 10.0).symbols(values, mean, table)
    # An error of 0.6 instead of 0.4 costs 2 bits; 1 is never left for the dearer 0; 3 escapes.
    assert symbols.tolist() == [0, -1, 1, 1, 2, 3]
