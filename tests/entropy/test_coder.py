"""Tables and the coder: round trips, cost, escapes, and hostile payloads."""

from __future__ import annotations

import math

import numpy as np
import pytest

from latentcodec.entropy.coder import (
    SymbolDecoder,
    SymbolEncoder,
    SymbolSampler,
    TableSet,
)
from latentcodec.entropy.tables import (
    SCALE_COUNT,
    SYMBOL_LIMIT,
    TOTAL_BITS,
    counts_of,
    gaussian_mass,
    gaussian_tables,
    measured_mass,
    scale_of,
)
from latentcodec.errors import CorruptPayload

Calls = list[tuple[np.ndarray, np.ndarray]]


@pytest.fixture(scope="module")
def tables() -> TableSet:
    return TableSet.symmetric(*gaussian_tables())


def _gaussian_calls(random: np.random.Generator, sizes: list[int]) -> Calls:
    calls = []
    for size in sizes:
        table = random.integers(0, SCALE_COUNT, size).astype(np.uint8)
        sigma = np.array([scale_of(int(t)) for t in table])
        symbols = np.rint(random.normal(0, 1, size) * sigma).astype(np.int32)
        symbols[table == 0] = 0
        calls.append((symbols, table))
    return calls


def _encode(calls: Calls, tables: TableSet) -> bytes:
    coder = SymbolEncoder(tables)
    for symbols, table in calls:
        coder.put(symbols, table)
    return coder.finish()


def _check_round_trip(calls: Calls, tables: TableSet) -> bytes:
    payload = _encode(calls, tables)
    decoder = SymbolDecoder(payload, tables)
    for symbols, table in calls:
        assert np.array_equal(decoder.get(table), symbols)
    decoder.finish()
    return payload


def test_symbols_come_back(tables: TableSet) -> None:
    random = np.random.default_rng(1)
    _check_round_trip(_gaussian_calls(random, [5000, 1, 0, 777]), tables)


def test_escaped_symbols_come_back(tables: TableSet) -> None:
    table = np.array([1, 1, 5, 71, 71, 30, 1], dtype=np.uint8)
    symbols = np.array([2, -32767, 32767, 32767, -32767, 0, -2], dtype=np.int32)
    _check_round_trip([(symbols, table), (symbols[::-1].copy(), table[::-1].copy())], tables)


def test_table_zero_costs_nothing_but_the_seal(tables: TableSet) -> None:
    zeros = np.zeros(100_000, dtype=np.int32)
    assert _check_round_trip([(zeros, zeros.astype(np.uint8))], tables) == bytes.fromhex("614c0000")


def test_size_is_the_entropy_of_the_tables(tables: TableSet) -> None:
    calls = _gaussian_calls(np.random.default_rng(2), [200_000])
    symbols, table = calls[0]
    bits = 0.0
    for number in range(1, SCALE_COUNT):
        counts = counts_of(gaussian_mass(number))
        inside = np.abs(symbols[table == number])
        assert inside.max() < len(counts) - 1
        bits += (TOTAL_BITS - np.log2(counts[inside])).sum()
    size_bits = 8 * len(_encode(calls, tables))
    assert bits - 1 <= size_bits <= 1.0005 * bits + 64


@pytest.mark.parametrize("index", [0, 1, 20, 47, 71])
def test_counts_are_the_gaussian(index: int) -> None:
    counts = counts_of(gaussian_mass(index))
    assert counts[0] + 2 * counts[1:-1].sum() + counts[-1] == 1 << TOTAL_BITS
    assert counts.min() >= 1
    k, sigma = np.arange(len(counts) - 1), scale_of(index)
    exact = [
        0.5 * (math.erf((i + 0.5) / sigma / 2**0.5) - math.erf((i - 0.5) / sigma / 2**0.5))
        for i in k
    ]
    # Every count is raised by one, at the cost of all.
    assert np.abs(counts[:-1] / 2**TOTAL_BITS - exact).max() < 1e-3 * max(exact)


def test_tables_that_do_not_sum_to_one_are_refused() -> None:
    halves, counts = gaussian_tables()
    for place, change in ((0, 1), (5, -1)):
        broken = counts.copy()
        broken[place] += change
        with pytest.raises(ValueError, match="sum to one"):
            TableSet.symmetric(halves, broken)


def test_hostile_payloads_are_errors_or_symbols(tables: TableSet) -> None:
    """Arbitrary words decode to something within the limits or raise CorruptPayload."""
    random = np.random.default_rng(3)
    wanted = random.integers(0, SCALE_COUNT, 3000).astype(np.uint8)
    refused = 0
    for _ in range(200):
        payload = random.bytes(int(random.integers(0, 400)))
        try:
            decoder = SymbolDecoder(payload, tables)
            assert np.abs(decoder.get(wanted)).max() <= SYMBOL_LIMIT
            decoder.finish()
        except CorruptPayload:
            refused += 1
    assert refused == 200
    with pytest.raises(CorruptPayload, match="zero word"):
        SymbolDecoder(b"\1\0\0\0\0\0\0\0", tables)
    with pytest.raises(CorruptPayload, match="whole number"):
        SymbolDecoder(b"\1\0\0", tables)


def test_left_over_bits_are_noticed(tables: TableSet) -> None:
    calls = _gaussian_calls(np.random.default_rng(4), [3000])
    decoder = SymbolDecoder(_encode(calls, tables), tables)
    decoder.get(calls[0][1][:100])
    with pytest.raises(CorruptPayload, match="not what an encoder wrote"):
        decoder.finish()


def test_measured_tables_follow_what_was_seen() -> None:
    """Laplacian symbols cost less with tables measured on them, nearly their entropy."""
    random = np.random.default_rng(5)
    seen = np.bincount(np.abs(np.rint(random.laplace(0, 1.5, 200_000))).astype(int), minlength=99)
    index = 23
    gauss, measured = (counts_of(m) for m in (gaussian_mass(index), measured_mass(index, seen)))
    assert measured[0] + 2 * measured[1:-1].sum() + measured[-1] == 1 << TOTAL_BITS
    inside = seen[: len(gauss) - 1]
    cost = [(inside * (TOTAL_BITS - np.log2(c[:-1]))).sum() for c in (gauss, measured)]
    assert cost[1] < 0.97 * cost[0]
    assert np.array_equal(counts_of(measured_mass(index, np.zeros(99, dtype=int))), gauss)


def test_damage_is_noticed_without_a_checksum(tables: TableSet) -> None:
    """Whatever is wrong with a payload, its coder does not return to where it began."""
    random = np.random.default_rng(7)
    symbols, table = _gaussian_calls(random, [500])[0]
    payload = _encode([(symbols, table)], tables)
    for place in random.choice(8 * len(payload) - 32, 100, replace=False):
        damaged = bytearray(payload)
        damaged[place // 8] ^= 1 << place % 8
        decoder = SymbolDecoder(bytes(damaged), tables)
        decoder.get(table)
        with pytest.raises(CorruptPayload, match="not what an encoder wrote"):
            decoder.finish()


def _lopsided() -> TableSet:
    """Table 0, and two that are not symmetric, one of them without zero."""
    counts = [[(1 << TOTAL_BITS) - 1, 1], [1000, 2000, 3000, 4], [5, 6, 7]]
    for table in counts[1:]:
        table[0] += (1 << TOTAL_BITS) - sum(table)
    lows, sizes = [0, -1, 40], [1, 3, 2]
    arrays = (
        np.array(a, dtype=np.int32) for a in (lows, sizes, [*counts[0], *counts[1], *counts[2]])
    )
    return TableSet(*arrays)


def test_tables_need_not_be_symmetric() -> None:
    tables = _lopsided()
    table = np.array([1, 2, 1, 0, 2, 1, 1, 2], dtype=np.uint16)
    symbols = np.array([-1, 40, 1, 0, 41, 2, -2, -40], dtype=np.int32)  # the last three escape
    _check_round_trip([(symbols, table), (symbols[::-1].copy(), table[::-1].copy())], tables)


def test_a_sampler_draws_what_a_coder_expects(tables: TableSet) -> None:
    """Shares of the symbols are the tables', and a coder takes what was drawn."""
    random = np.random.default_rng(5)
    table = np.repeat(np.array([0, 1, 20, 31], dtype=np.uint8), 20_000)
    drawn = SymbolSampler(tables, random).get(table)
    assert not drawn[table == 0].any()
    for index in (1, 20, 31):
        group, half = drawn[table == index], -int(tables.lows[index])
        shares = np.bincount(group + half, minlength=2 * half + 1) / group.size
        wanted = tables.counts(index)[:-1] / (1 << TOTAL_BITS)
        assert np.abs(shares - wanted).max() < 0.012
    _check_round_trip([(drawn, table)], tables)
