"""The encoder's rounding: where a smaller symbol saves more bits than its error is worth.

Only the encoder knows of it; a decoder reads whatever symbols were written. Rate-distortion
optimised quantisation, as in Karczewicz et al. 2008 (VCEG-AH21), one symbol at a time: the rate
is that of the table that will code the symbol.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from latentcodec.entropy.tables import ERROR_BITS, MEAN_BITS, SYMBOL_LIMIT, ZERO_TABLE

if TYPE_CHECKING:
    from latentcodec.entropy.coder import TableSet

_LARGEST = 8  # above this magnitude the bits hardly differ from one symbol to the next


class Quantiser:
    """Chooses symbols for the tables of one model. An infinite price of errors: plain rounding."""

    def __init__(self, tables: TableSet, error_bits: float = ERROR_BITS) -> None:
        # [table, sign, magnitude]; -0.5 lets nothing pass.
        self._threshold = np.full((len(tables.lows), 2, _LARGEST + 1), -0.5, dtype=np.float32)
        for side, sign in enumerate((-1, 1)):
            lesser = tables.probabilities(0)
            for k in range(1, _LARGEST + 1):
                share = tables.probabilities(sign * k)
                # k becomes k - 1 where that adds less error, error_bits * (2 (a - k) + 1), than
                # it saves; a is the magnitude before rounding.
                threshold = np.log2(lesser / share) / (2 * error_bits) - 0.5
                self._threshold[:, side, k] = np.where(np.isnan(threshold), -0.5, threshold)
                lesser = share

    def symbols(self, values: np.ndarray, mean: np.ndarray, tables: np.ndarray) -> np.ndarray:
        """Symbols (int32 [n]) for values (float [n], steps) around means (int32 [n], 1/16 steps).

        tables: unsigned [n]. The symbols of ZERO_TABLE are zero, and all are within SYMBOL_LIMIT:
        what is cut off here is cut off for the encoder, too.
        """
        coded = np.flatnonzero(tables != ZERO_TABLE)
        # Float32 is half the memory, and more than an encoder's choice needs.
        offset = values.take(coded).astype(np.float32, copy=False)
        offset -= mean.take(coded) * np.float32(1 / (1 << MEAN_BITS))
        chosen = np.rint(offset.clip(-SYMBOL_LIMIT, SYMBOL_LIMIT)).astype(np.int32)
        nonzero = np.flatnonzero(chosen)
        found = chosen.take(nonzero)
        k = np.abs(found)
        # In the flat array of thresholds: one index is faster than three.
        row = 2 * tables.take(coded.take(nonzero)).astype(np.intp) + (found > 0)
        threshold = self._threshold.take(row * (_LARGEST + 1) + np.minimum(k, _LARGEST))
        lower = nonzero[np.abs(offset.take(nonzero)) - k < threshold]
        chosen[lower] -= np.sign(chosen[lower])
        symbols = np.zeros(len(tables), dtype=np.int32)
        symbols[coded] = chosen
        return symbols
