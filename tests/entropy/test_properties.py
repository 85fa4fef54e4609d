"""What holds for all tables and symbols, on those that hypothesis builds."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentcodec.entropy.coder import SymbolDecoder, SymbolEncoder, TableSet
from latentcodec.entropy.tables import (
    SCALE_COUNT,
    SYMBOL_LIMIT,
    TOTAL_BITS,
    half_width,
    measured_mass,
    packed,
)
from latentcodec.errors import CorruptPayload
from tests.steady import steady

pytestmark = pytest.mark.slow


@st.composite
def tables(draw: st.DrawFn) -> TableSet:
    """Any tables, of 1 to 5 symbols that begin anywhere; the first is not coded."""
    lows, sizes, counts = [], [], []
    for _ in range(draw(st.integers(2, 5))):
        sizes.append(draw(st.integers(1, 5)))
        lows.append(draw(st.integers(-SYMBOL_LIMIT, SYMBOL_LIMIT - 5)))
        cuts = st.integers(1, (1 << TOTAL_BITS) - 1)
        chosen = draw(st.lists(cuts, min_size=sizes[-1], max_size=sizes[-1], unique=True))
        counts += np.diff([0, *sorted(chosen), 1 << TOTAL_BITS]).tolist()
    return TableSet(*(np.array(a, dtype=np.int32) for a in (lows, sizes, counts)))


@st.composite
def coded(draw: st.DrawFn, chosen: TableSet) -> list[tuple[np.ndarray, np.ndarray]]:
    """Calls of a coder: symbols, near their tables or anywhere, and the table of each."""
    calls = []
    for count in draw(st.lists(st.integers(0, 12), min_size=1, max_size=3)):
        table = np.array(
            [draw(st.integers(0, len(chosen.sizes) - 1)) for _ in range(count)], dtype=np.uint16
        )
        far = st.integers(-SYMBOL_LIMIT, SYMBOL_LIMIT)
        symbols = [
            0
            if t == 0
            else draw(st.one_of(st.integers(int(chosen.lows[t]), int(chosen.lows[t]) + 4), far))
            for t in table
        ]
        calls.append((np.array(symbols, dtype=np.int32), table))
    return calls


class TestCoder:
    @steady
    @given(st.data())
    def test_all_symbols_come_back_under_all_tables(self, data: st.DataObject) -> None:
        chosen = data.draw(tables())
        calls = data.draw(coded(chosen))
        encoder = SymbolEncoder(chosen)
        for symbols, table in calls:
            encoder.put(symbols, table)
        payload = encoder.finish()
        decoder = SymbolDecoder(payload, chosen)
        for symbols, table in calls:
            assert np.array_equal(decoder.get(table), symbols)
        decoder.finish()

    @steady
    @given(st.data(), st.binary(max_size=64))
    def test_any_payload_gives_symbols_or_an_error(
        self, data: st.DataObject, payload: bytes
    ) -> None:
        chosen = data.draw(tables())
        wanted = np.array([1, 0, *range(len(chosen.sizes))] * 5, dtype=np.uint16)
        with contextlib.suppress(CorruptPayload):
            decoder = SymbolDecoder(payload, chosen)
            assert np.abs(decoder.get(wanted)).max() <= SYMBOL_LIMIT
            decoder.finish()

    @steady
    @given(st.integers(0, SCALE_COUNT - 1), st.data())
    def test_whatever_was_seen_the_tables_are_valid(self, index: int, data: st.DataObject) -> None:
        """Histograms of any shape and size, of nothing and of one value seen 10^12 times."""
        seen = np.zeros(half_width(index) + data.draw(st.integers(1, 50)), dtype=np.int64)
        places = st.integers(0, len(seen) - 1)
        for place, count in data.draw(st.dictionaries(places, st.integers(0, 10**12))).items():
            seen[place] = count
        made = TableSet.symmetric(*packed([measured_mass(index, seen)]))
        counts = made.counts(0)
        assert (counts.sum(), counts.min() >= 1) == (1 << TOTAL_BITS, True)
        assert np.array_equal(counts[:-1], counts[-2::-1])
