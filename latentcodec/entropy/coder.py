"""Symbols to bytes and back with constriction's ANS coder, grouped by table.

ANS is a stack: the encoder collects everything in decoding order and codes it backwards at
the end. Within one call the symbols are sorted by table (stably), and each group is coded with
one concrete model, about ten times as fast as one model per symbol.
"""

from __future__ import annotations

import itertools
import math
from typing import Any, Protocol

import numpy as np
from constriction import stream

from latentcodec.entropy.tables import SYMBOL_LIMIT, TOTAL_BITS, ZERO_TABLE, mirrored
from latentcodec.errors import CorruptPayload

# The coder's state before the first symbol, and so after the last one is read. A decoder whose
# tables or payload are not the encoder's ends up elsewhere.
_SEAL = np.array([0x4C61], dtype=np.uint32)
_UNCODED_BITS = 1e4
_ESCAPED = stream.model.Uniform(2 * SYMBOL_LIMIT + 1)


class TableSet:
    """The concrete models of a trained model's tables, built when first used.

    A table has a count for each symbol from its lowest to its highest and one for the escape.
    """

    def __init__(self, lows: np.ndarray, sizes: np.ndarray, counts: np.ndarray) -> None:
        """`lows`: int32 [T], the lowest symbols; `sizes`: int32 [T], the number of symbols;
        `counts`: int32, the tables one after another, each its symbols' and the escape's.

        Raises ValueError for tables that do not sum to 2 ** TOTAL_BITS.
        """
        self.lows, self.sizes = lows.astype(np.int64), sizes.astype(np.int64)
        self._ends = np.cumsum(self.sizes + 1)
        self._counts = counts.astype(np.int64)
        if (
            len(lows) != len(sizes)
            or self.sizes.min() < 1
            or self._ends[-1] != len(counts)
            or self._counts.min() < 1
            or max(np.abs(self.lows).max(), (self.lows + self.sizes).max()) > SYMBOL_LIMIT
            or (np.add.reduceat(self._counts, self._ends - self.sizes - 1) != 1 << TOTAL_BITS).any()
        ):
            raise ValueError("a probability table does not sum to one")
        self._models: dict[int, Any] = {}

    @classmethod
    def symmetric(cls, halves: np.ndarray, counts: np.ndarray) -> TableSet:
        """Tables of -half..half; `counts` has those of |k| = 0..half and of the escape."""
        ends = np.cumsum(halves + 2)
        if len(counts) != ends[-1]:
            raise ValueError("the probability tables have another length than they should")
        parts = np.split(counts, ends[:-1])
        return cls(-halves, 2 * halves + 1, np.concatenate([mirrored(part) for part in parts]))

    def counts(self, table: int) -> np.ndarray:
        """The counts of one table, the escape's last: int64 [size + 1]."""
        end = self._ends[table]
        return self._counts[end - self.sizes[table] - 1 : end]

    def probabilities(self, symbol: int) -> np.ndarray:
        """The probability of one symbol under every table, float64 [T]; nan where it escapes."""
        position = symbol - self.lows
        known = (position >= 0) & (position < self.sizes)
        starts = self._ends - self.sizes - 1
        counts = self._counts[np.where(known, starts + position, 0)]
        return np.where(known, counts / (1 << TOTAL_BITS), np.nan)

    def bits(self, tables: np.ndarray, reach: int) -> np.ndarray:
        """What the symbols -reach..reach cost by some tables: float32 [n, 2 reach + 1].

        Those of ZERO_TABLE but zero cannot be coded: they cost more than any other.
        """
        found = np.empty((len(tables), 2 * reach + 1), dtype=np.float32)
        for row, table in zip(found, tables, strict=True):
            cost = TOTAL_BITS - np.log2(self.counts(table))
            row[:] = cost[-1] + math.log2(2 * SYMBOL_LIMIT + 1)
            low, size = int(self.lows[table]) + reach, int(self.sizes[table])
            start, stop = max(low, 0), min(low + size, len(row))
            row[start:stop] = cost[start - low : stop - low]
            if table == ZERO_TABLE:
                row[:] = _UNCODED_BITS
                row[reach] = 0
        return found

    def model(self, table: int) -> Any:
        """The model of the symbols, at 0..size - 1, and of the escape after them."""
        if table not in self._models:
            # Multiples of 2 ** -24 below 1: exact in float64, as is every partial sum of them.
            self._models[table] = stream.model.Categorical(
                self.counts(table) / (1 << TOTAL_BITS), perfect=False, lazy=False
            )
        return self._models[table]


def _groups(tables: np.ndarray) -> tuple[np.ndarray, list[tuple[int, int, int]]]:
    """Where the coded symbols stand, ordered by table, and (table, start, end) of each group there.

    Those of ZERO_TABLE, most of them at low qualities, are not coded and not among them.
    """
    coded = np.flatnonzero(tables != ZERO_TABLE)
    ordered = tables[coded]
    order = np.argsort(ordered, kind="stable")
    ordered = ordered[order]
    changes = np.flatnonzero(ordered[1:] != ordered[:-1]) + 1
    bounds = [0, *changes.tolist(), len(ordered)] if len(ordered) else [0]
    return coded[order], [(int(ordered[s]), s, e) for s, e in itertools.pairwise(bounds)]


def _back_in_place(ordered: np.ndarray, order: np.ndarray, count: int) -> np.ndarray:
    """All `count` symbols, of the coded ones and their places; the others are zero."""
    symbols = np.zeros(count, dtype=np.int32)
    symbols[order] = ordered
    return symbols


class SymbolSource(Protocol):
    """Where symbols come from: a payload, or chance."""

    def get(self, tables: np.ndarray) -> np.ndarray:
        """The symbols (int32 [n]) of `tables` (unsigned [n])."""


class SymbolEncoder:
    """Collects the calls of one payload, in decoding order; `finish` gives the bytes."""

    def __init__(self, tables: TableSet) -> None:
        self._tables = tables
        self._calls: list[tuple[np.ndarray, Any]] = []

    def put(self, symbols: np.ndarray, tables: np.ndarray) -> None:
        """Add `symbols` (int32 [n]) with the table of each (unsigned [n]).

        Symbols of ZERO_TABLE must be zero: they are not coded.
        """
        order, spans = _groups(tables)
        ordered = symbols[order]
        found = [table for table, _, _ in spans]
        counts = [end - start for _, start, end in spans]
        sizes = np.repeat(self._tables.sizes[found].astype(np.int32), counts)
        coded = ordered - np.repeat(self._tables.lows[found].astype(np.int32), counts)
        outside = (coded < 0) | (coded >= sizes)
        coded = np.where(outside, sizes, coded)
        for table, start, end in spans:
            self._calls.append((coded[start:end], self._tables.model(table)))
        values = ordered[outside]
        if values.size:
            self._calls.append(((values + SYMBOL_LIMIT).astype(np.int32), _ESCAPED))

    def finish(self) -> bytes:
        """The payload: little-endian 32-bit words."""
        coder = stream.stack.AnsCoder(_SEAL)
        for symbols, model in reversed(self._calls):
            coder.encode_reverse(symbols, model)
        return coder.get_compressed().astype("<u4").tobytes()


class SymbolDecoder:
    """Reads back what a `SymbolEncoder` was given, call by call."""

    def __init__(self, payload: bytes, tables: TableSet) -> None:
        """Raises CorruptPayload for bytes that no encoder writes."""
        self._tables = tables
        if len(payload) % 4:
            raise CorruptPayload("a tile's payload is not a whole number of 32-bit words")
        words = np.frombuffer(payload, dtype="<u4").astype(np.uint32)
        if words.size and words[-1] == 0:  # constriction refuses these words
            raise CorruptPayload("a tile's payload ends in a zero word")
        self._coder = stream.stack.AnsCoder(words)

    def get(self, tables: np.ndarray) -> np.ndarray:
        """The symbols (int32 [n]) coded with `tables` (unsigned [n])."""
        order, spans = _groups(tables)
        ordered = np.empty(len(order), dtype=np.int32)
        outside = np.zeros(len(order), dtype=bool)
        for table, start, end in spans:
            coded = self._coder.decode(self._tables.model(table), end - start)
            ordered[start:end] = coded + int(self._tables.lows[table])
            outside[start:end] = coded == self._tables.sizes[table]
        count = int(outside.sum())
        if count:
            ordered[outside] = self._coder.decode(_ESCAPED, count) - SYMBOL_LIMIT
        return _back_in_place(ordered, order, len(tables))

    def finish(self) -> None:
        """Raises CorruptPayload unless the coder is back where the encoder began."""
        if not np.array_equal(self._coder.get_compressed(), _SEAL):
            raise CorruptPayload("a tile's payload is not what an encoder wrote for its symbols")


class SymbolSampler:
    """Draws symbols from their tables: what a decoder would read from random bits."""

    def __init__(self, tables: TableSet, random: np.random.Generator) -> None:
        self._tables, self._random = tables, random

    def get(self, tables: np.ndarray) -> np.ndarray:
        """Random symbols (int32 [n]) for `tables` (unsigned [n]); escapes are never drawn."""
        order, spans = _groups(tables)
        ordered = np.empty(len(order), dtype=np.int32)
        for table, start, end in spans:
            above = np.cumsum(self._tables.counts(table)[:-1])
            drawn = self._random.integers(above[-1], size=end - start)
            ordered[start:end] = np.searchsorted(above, drawn, side="right")
            ordered[start:end] += int(self._tables.lows[table])
        return _back_in_place(ordered, order, len(tables))
