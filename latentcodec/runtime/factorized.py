"""The packaged `ae` model at work, and the coding of `vae`: a table per channel and quality."""

from __future__ import annotations

import numpy as np

from latentcodec.entropy.coder import SymbolEncoder, SymbolSource, TableSet
from latentcodec.entropy.rdoq import Quantiser
from latentcodec.entropy.tables import ERROR_BITS, MEAN_BITS, TABLE_QUALITIES
from latentcodec.errors import CorruptWeights
from latentcodec.models.config import TransformConfig
from latentcodec.runtime.base import Family
from latentcodec.runtime.networks import Networks


class FactorizedFamily(Family):
    """Tables that depend on nothing but channel and quality."""

    error_bits = ERROR_BITS  # of the encoder's rounding

    def __init__(
        self, tensors: dict[str, np.ndarray], config: TransformConfig, networks: Networks
    ) -> None:
        """`tensors`: those of a weights file, as `training.export` writes it.

        Raises CorruptWeights, or KeyError, TypeError, ValueError or RuntimeError, for others.
        """
        parts = (tensors[f"tables.{part}"] for part in ("lows", "sizes", "counts"))
        super().__init__(tensors, TableSet(*parts), config, networks)
        self._quantiser = Quantiser(self.tables, self.error_bits)
        self._rows = tensors["quality.table"].astype(np.uint16)
        if self._rows.shape != (len(TABLE_QUALITIES), config.latents):
            raise CorruptWeights("the quality table of the weights is misshapen")
        if self._rows.max() >= len(self.tables.sizes):
            raise CorruptWeights("the quality table of the weights names a missing table")

    def tables_of(self, tenths: int) -> np.ndarray:
        """The table of each channel at a quality: uint16 [M]."""
        # The nearest row, on integers.
        row = (tenths - 10 * TABLE_QUALITIES.start + 5 * TABLE_QUALITIES.step) // (
            10 * TABLE_QUALITIES.step
        )
        return self._rows[min(row, len(self._rows) - 1)]

    def symbols(self, y: np.ndarray, tenths: int) -> np.ndarray:
        """Rounded latents, int32 [h, w, M]; channels of ZERO_TABLE are zero."""
        tables = np.broadcast_to(self.tables_of(tenths), y.shape).ravel()
        mean = np.zeros(y.size, dtype=np.int32)
        return self._quantiser.symbols(self.steps_of(y, tenths).ravel(), mean, tables).reshape(
            y.shape
        )

    def encode_latents(self, y: np.ndarray, tenths: int) -> tuple[bytes, np.ndarray]:
        symbols = self.symbols(y, tenths)
        coder = SymbolEncoder(self.tables)
        # Channel by channel: each table's symbols stand together.
        count = symbols.shape[0] * symbols.shape[1]
        coder.put(symbols.transpose(2, 0, 1).ravel(), np.repeat(self.tables_of(tenths), count))
        return coder.finish(), symbols << MEAN_BITS

    def read_latents(
        self, source: SymbolSource, tenths: int, height: int, width: int
    ) -> np.ndarray:
        symbols = source.get(np.repeat(self.tables_of(tenths), height * width))
        planes = symbols.reshape(self.config.latents, height, width)
        return np.ascontiguousarray(planes.transpose(1, 2, 0)) << MEAN_BITS
