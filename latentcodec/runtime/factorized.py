"""The packaged `ae` model at work, and the coding of `vae`: a table per channel and quality."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from latentcodec.entropy.coder import SymbolEncoder, SymbolSource, TableSet
from latentcodec.entropy.rdoq import Quantiser
from latentcodec.entropy.tables import MEAN_BITS, TABLE_QUALITIES
from latentcodec.errors import CorruptWeights
from latentcodec.models.config import TransformConfig
from latentcodec.runtime.base import REFINED_REACH, Family, TileCoder
from latentcodec.runtime.networks import Networks

if TYPE_CHECKING:
    import torch

    from latentcodec.models.float_prior import Rate


class FactorizedFamily(Family):
    """Tables that depend on nothing but channel and quality."""

    def __init__(
        self, tensors: dict[str, np.ndarray], config: TransformConfig, networks: Networks
    ) -> None:
        """`tensors`: those of a weights file, as `training.export` writes it.

        Raises CorruptWeights, or KeyError, TypeError, ValueError or RuntimeError, for others.
        """
        parts = (tensors[f"tables.{part}"] for part in ("lows", "sizes", "counts"))
        super().__init__(tensors, TableSet(*parts), config, networks)
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

    def tile(self, y: np.ndarray, tenths: int) -> FactorizedTile:
        return FactorizedTile(self, y.shape[:2], tenths)

    def symbols(self, y: np.ndarray, tenths: int) -> np.ndarray:
        """Rounded latents, int32 [h, w, M]; channels of ZERO_TABLE are zero."""
        return self.tile(y, tenths).symbols(self.steps_of(y, tenths), self.quantiser)

    def read_latents(
        self, source: SymbolSource, tenths: int, height: int, width: int
    ) -> np.ndarray:
        symbols = source.get(np.repeat(self.tables_of(tenths), height * width))
        planes = symbols.reshape(self.config.latents, height, width)
        return np.ascontiguousarray(planes.transpose(1, 2, 0)) << MEAN_BITS


class FactorizedTile(TileCoder):
    """The latents of a tile."""

    _family: FactorizedFamily

    def symbols(self, v: np.ndarray, quantiser: Quantiser) -> np.ndarray:
        """int32 [h, w, M], of v, float32 [h, w, M] in steps."""
        tables = np.broadcast_to(self._family.tables_of(self._tenths), v.shape).ravel()
        mean = np.zeros(v.size, dtype=np.int32)
        return quantiser.symbols(v.ravel(), mean, tables).reshape(v.shape)

    def encode(self, v: np.ndarray, plain: bool = False) -> tuple[bytes, np.ndarray]:
        symbols, tables = (
            self.symbols(v, self._quantiser(plain)),
            self._family.tables_of(self._tenths),
        )
        coder = SymbolEncoder(self._family.tables)
        # Channel by channel: each table's symbols stand together.
        count = symbols.shape[0] * symbols.shape[1]
        coder.put(symbols.transpose(2, 0, 1).ravel(), np.repeat(tables, count))
        return coder.finish(), symbols << MEAN_BITS

    def rate(self, device: torch.device) -> Rate:
        from latentcodec.runtime.torch_rate import table_rate

        bits = self._family.tables.bits(self._family.tables_of(self._tenths), REFINED_REACH)
        return table_rate(bits, device)
