"""The packaged `hyper` model at work: latents and prior on integers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from latentcodec.entropy import context_prior
from latentcodec.entropy.coder import SymbolEncoder, SymbolSource, TableSet
from latentcodec.entropy.coding_order import STEPS, latents_of_step
from latentcodec.entropy.context_prior import ContextPrior
from latentcodec.entropy.rdoq import Quantiser
from latentcodec.entropy.tables import SCALE_COUNT
from latentcodec.models.config import HyperConfig
from latentcodec.runtime.base import REFINED_REACH, Family, TileCoder
from latentcodec.runtime.networks import Networks

if TYPE_CHECKING:
    import torch

    from latentcodec.models.float_prior import Rate

# Given means (int32 [n], 1/16 steps) and tables (uint8 [n]) of a coding step, the symbols (int32
# [n]) that are coded there: the encoder rounds them, the decoder reads them.
CodeStep = Callable[[int, np.ndarray, np.ndarray], np.ndarray]
_Z_CELLS = 4  # latent positions per position of z, along a side


class Side(NamedTuple):
    """What is coded of z, and z_hat, int64 [h/4, w/4, Z]."""

    symbols: np.ndarray
    tables: np.ndarray
    z_hat: np.ndarray


class HyperFamily(Family):
    """Gaussians whose means and tables come from the integer twin of the hyperprior."""

    config: HyperConfig

    def __init__(
        self, tensors: dict[str, np.ndarray], config: HyperConfig, networks: Networks
    ) -> None:
        """`tensors`: those of a weights file, as `training.export` writes it.

        Raises CorruptWeights, or KeyError, TypeError, ValueError or RuntimeError, for others.
        """
        tables = TableSet.symmetric(tensors["tables.halves"], tensors["tables.counts"])
        super().__init__(tensors, tables, config, networks)
        self._prior = ContextPrior(tensors)
        self._prior_networks = networks.prior(self._prior)

    def tile(self, y: np.ndarray, tenths: int) -> HyperTile:
        return HyperTile(self, y, tenths)

    def symbols(
        self, y: np.ndarray, tenths: int
    ) -> tuple[list[tuple[np.ndarray, np.ndarray]], np.ndarray]:
        """What is coded for y: (symbols, tables) in decoding order, and v_hat."""
        return self.tile(y, tenths).symbols(self.steps_of(y, tenths), self.quantiser)

    def side(self, y: np.ndarray, tenths: int) -> Side:
        """What is coded of z for y, float32 [h, w, M]."""
        height, width, _ = y.shape
        padded = np.pad(y, ((0, -height % _Z_CELLS), (0, -width % _Z_CELLS), (0, 0)))
        z = self.networks.hyper_analysis(padded, self.level(tenths))
        mean, table = self._prior.z_parameters(tenths, z.shape[0] * z.shape[1])
        # Means of z have more fractional bits than those of y.
        offset = z.ravel() - mean / (1 << context_prior.Z_BITS)
        symbols = self.quantiser.symbols(offset, np.zeros_like(mean), table)
        return Side(symbols, table, self._z_hat(symbols, mean, z.shape))

    def read_latents(
        self, source: SymbolSource, tenths: int, height: int, width: int
    ) -> np.ndarray:
        z_shape = math.ceil(height / _Z_CELLS), math.ceil(width / _Z_CELLS)
        mean, table = self._prior.z_parameters(tenths, z_shape[0] * z_shape[1])
        z_hat = self._z_hat(source.get(table), mean, (*z_shape, self.config.hyper_latents))
        code: CodeStep = lambda step, means, tables: source.get(tables)  # noqa: E731
        return self.coded(z_hat, tenths, height, width, code)

    def _z_hat(self, symbols: np.ndarray, mean: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """int64 [h/4, w/4, Z]."""
        return ((symbols.astype(np.int64) << context_prior.Z_BITS) + mean).reshape(shape)

    def coded(
        self, z_hat: np.ndarray, tenths: int, height: int, width: int, code: CodeStep
    ) -> np.ndarray:
        """Walk the coding steps; returns v_hat, int32 [h, w, M] in 1/16 steps."""
        walk = self._prior.walk(self._prior_networks, z_hat, tenths, height, width)
        for step in range(STEPS):
            means, tables = walk.parameters(step)
            walk.put(step, code(step, means, tables))
        return walk.v_hat

    def rate(
        self, z_hat: np.ndarray, tenths: int, size: tuple[int, int], device: torch.device
    ) -> Rate:
        """What the latents of a tile of some size cost."""
        from latentcodec.runtime import torch_rate

        bits = self.tables.bits(np.arange(SCALE_COUNT), REFINED_REACH)
        return torch_rate.context_rate(self._prior, z_hat, tenths, size, bits, device)


class HyperTile(TileCoder):
    """The latents of a tile, to be coded with the z of its y."""

    def __init__(self, family: HyperFamily, y: np.ndarray, tenths: int) -> None:
        super().__init__(family, y.shape[:2], tenths)
        self._hyper, self._side = family, family.side(y, tenths)

    def symbols(
        self, v: np.ndarray, quantiser: Quantiser
    ) -> tuple[list[tuple[np.ndarray, np.ndarray]], np.ndarray]:
        """What is coded for v, float32 [h, w, M] in steps: (symbols, tables) in decoding order, and
        v_hat."""
        calls = [(self._side.symbols, self._side.tables)]

        def code(step: int, means: np.ndarray, tables: np.ndarray) -> np.ndarray:
            wanted = latents_of_step(v, step)
            chosen = quantiser.symbols(wanted, means, tables)
            calls.append((chosen, tables))
            return chosen

        return calls, self._hyper.coded(self._side.z_hat, self._tenths, *self._size, code)

    def encode(self, v: np.ndarray, plain: bool = False) -> tuple[bytes, np.ndarray]:
        calls, v_hat = self.symbols(v, self._quantiser(plain))
        coder = SymbolEncoder(self._family.tables)
        for symbols, tables in calls:
            coder.put(symbols, tables)
        return coder.finish(), v_hat

    def rate(self, device: torch.device) -> Rate:
        return self._hyper.rate(self._side.z_hat, self._tenths, self._size, device)
