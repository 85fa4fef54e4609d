"""Symbols to bytes and back with constriction's ANS coder, grouped by table.

ANS is a stack: the encoder collects everything in decoding order and codes it backwards at
the end. Within one call the symbols are sorted by table (stably), and each group is coded with
one concrete model, about ten times as fast as one model per symbol.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from constriction import stream

from latentcodec.entropy.tables import SYMBOL_LIMIT, TOTAL_BITS, ZERO_TABLE
from latentcodec.errors import CorruptPayload

# The coder's state before the first symbol, and so after the last one is read. A decoder whose
# tables or payload are not the encoder's ends up elsewhere.
_SEAL = np.array([0x4C61], dtype=np.uint32)
_ESCAPED = stream.model.Uniform(2 * SYMBOL_LIMIT + 1)


class TableSet:
    """The concrete models of a trained model's tables, built when first used."""

    def __init__(self, halves: np.ndarray, counts: np.ndarray) -> None:
        """`halves`: int32 [T]; `counts`: int32, the tables one after another.

        Raises ValueError for tables that do not sum to 2 ** TOTAL_BITS.
        """
        self.halves = halves.astype(np.int64)
        ends = np.cumsum(self.halves + 2)
        self.counts = np.split(counts.astype(np.int64), ends[:-1])
        self._models: dict[int, Any] = {}
        for half, table in zip(self.halves, self.counts, strict=True):
            total = table[0] + 2 * table[1:-1].sum() + table[-1]
            if half < 1 or len(table) != half + 2 or table.min() < 1 or total != 1 << TOTAL_BITS:
                raise ValueError("a probability table does not sum to one")

    def model(self, table: int) -> Any:
        """The model of symbols -half..half, at 0..2 * half, and of the escape after them."""
        if table not in self._models:
            counts = self.counts[table]
            full = np.concatenate([counts[-2:0:-1], counts[:-1], counts[-1:]])
            # Multiples of 2 ** -24 below 1: exact in float64, as is every partial sum of them.
            self._models[table] = stream.model.Categorical(
                full / (1 << TOTAL_BITS), perfect=False, lazy=False
            )
        return self._models[table]


def _groups(tables: np.ndarray) -> tuple[np.ndarray, list[tuple[int, int, int]]]:
    """The stable order of the coded symbols, and (table, start, end) of each group in it."""
    order = np.argsort(tables, kind="stable")
    bounds = np.searchsorted(tables[order], np.arange(int(tables.max(initial=0)) + 2))
    spans = [(t, int(bounds[t]), int(bounds[t + 1])) for t in range(len(bounds) - 1)]
    return order, [s for s in spans if s[0] != ZERO_TABLE and s[1] < s[2]]


class SymbolEncoder:
    """Collects the calls of one payload, in decoding order; `finish` gives the bytes."""

    def __init__(self, tables: TableSet) -> None:
        self._tables = tables
        self._calls: list[tuple[np.ndarray, Any]] = []

    def put(self, symbols: np.ndarray, tables: np.ndarray) -> None:
        """Add `symbols` (int32 [n]) with the table of each (uint8 [n]).

        Symbols of ZERO_TABLE must be zero: they are not coded.
        """
        order, spans = _groups(tables)
        ordered = symbols[order]
        escaped = []
        for table, start, end in spans:
            group, half = ordered[start:end], self._tables.halves[table]
            outside = np.abs(group) > half
            escaped.append(group[outside])
            coded = np.where(outside, 2 * half + 1, group + half)
            self._calls.append((coded.astype(np.int32), self._tables.model(table)))
        values = np.concatenate(escaped) if escaped else symbols[:0]
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
        """The symbols (int32 [n]) coded with `tables` (uint8 [n])."""
        order, spans = _groups(tables)
        ordered = np.zeros(len(tables), dtype=np.int32)
        outside = np.zeros(len(tables), dtype=bool)
        for table, start, end in spans:
            half = int(self._tables.halves[table])
            coded = self._coder.decode(self._tables.model(table), end - start)
            ordered[start:end] = coded - half
            outside[start:end] = coded == 2 * half + 1
        count = int(outside.sum())
        if count:
            ordered[outside] = self._coder.decode(_ESCAPED, count) - SYMBOL_LIMIT
        symbols = np.empty_like(ordered)
        symbols[order] = ordered
        return symbols

    def finish(self) -> None:
        """Raises CorruptPayload unless the coder is back where the encoder began."""
        if not np.array_equal(self._coder.get_compressed(), _SEAL):
            raise CorruptPayload("a tile's payload is not what an encoder wrote for its symbols")
