"""What every packaged model does, whatever runs its networks: pixels to files' symbols and back."""

from __future__ import annotations

import abc
import copy
import math
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from latentcodec.entropy.coder import SymbolDecoder, SymbolSampler, SymbolSource, TableSet
from latentcodec.entropy.rdoq import Quantiser
from latentcodec.entropy.tables import ERROR_BITS, MEAN_BITS
from latentcodec.models.config import TransformConfig
from latentcodec.runtime.networks import Networks

if TYPE_CHECKING:
    import torch

    from latentcodec.models.float_prior import Rate


REFINED_REACH = 255  # magnitudes up to which symbols cost what their tables say in refining
FamilyT = TypeVar("FamilyT", bound="Family")


class Family(abc.ABC):
    """A loaded model, as the chain sees it. Nothing in it changes: threads may share it."""

    error_bits = ERROR_BITS  # of the encoder's rounding
    side_px: int | None = None  # of its pictures, where it has one size only

    def __init__(
        self,
        tensors: dict[str, np.ndarray],
        tables: TableSet,
        config: TransformConfig,
        networks: Networks,
    ) -> None:
        """`tensors`: those of a weights file. Raises KeyError or ValueError for others."""
        self.tables, self.config, self.networks = tables, config, networks
        self.quantiser = Quantiser(tables, self.error_bits)
        self._gain_rows = tensors["float.gain.rows"]
        self._y_std = tensors["float.y_std"]
        self.analysis_halo, self.synthesis_halo = config.analysis_halo, config.synthesis_halo

    def on(
        self: FamilyT, device: str | torch.device = "cpu", threads: int | None = None
    ) -> FamilyT:
        """The same model, whose g_a and g_s run on a device.

        What is coded comes from the CPU all the same: gains, prior and tables stay there.
        threads: what a call may use, where that is set for the model and not for a thread.
        """
        moved = copy.copy(self)
        moved.networks = self.networks.on(device, threads)
        return moved

    def level(self, tenths: int) -> float:
        """A quality in tenths (10..1000) on the scale of the level tables."""
        return self.config.level_of(tenths / 10)

    def row(self, rows: np.ndarray, tenths: int) -> np.ndarray:
        """The row of a level table, [anchors, n], at a quality: float32 [n]."""
        level = np.float32(self.level(tenths))
        low = min(int(level), len(rows) - 2)
        return rows[low] + (level - np.float32(low)) * (rows[low + 1] - rows[low])

    def analyse(self, pixels: np.ndarray, tenths: int) -> np.ndarray:
        """g_a: uint8 [H, W, 3], H and W multiples of 16 -> y, float32 [H/16, W/16, M]."""
        return np.concatenate(list(self.analyse_strips([pixels], tenths)))

    def analyse_strips(self, pixels: Iterable[np.ndarray], tenths: int) -> Iterator[np.ndarray]:
        """The same of a picture that comes in strips of rows, from the top down.

        Each has a multiple of 16 rows. The rows of y that see the next strip come with it.
        """
        return self.networks.analyse_strips(pixels, self.level(tenths))

    def synthesise(self, v_hat: np.ndarray, tenths: int, scale: int = 1) -> np.ndarray:
        """g_s: v_hat, [h, w, M] in 1/16 steps -> uint8 [16 h / scale, 16 w / scale, 3].

        scale: 1, 2, 4, 8 or 16; each pixel is the mean of scale x scale.
        """
        return np.concatenate(list(self.synthesise_strips([v_hat], tenths, scale)))

    def synthesise_strips(
        self, v_hat: Iterable[np.ndarray], tenths: int, scale: int = 1
    ) -> Iterator[np.ndarray]:
        """The same of latents that come in strips of rows, from the top down.

        The pixels that are also made of the next strip come with it.
        """
        return self.networks.synthesise_strips(v_hat, self.level(tenths), scale)

    def unit_steps(self, tenths: int) -> np.ndarray:
        """How many units of a channel's spread one quantisation step is: float32 [M].

        The measure in which latents of different channels are compared and mixed.
        """
        return np.exp(-self.row(self._gain_rows, tenths)) / self._y_std

    def steps_of(self, y: np.ndarray, tenths: int) -> np.ndarray:
        """v: y (float32 [h, w, M]) in quantisation steps."""
        return y * np.exp(self.row(self._gain_rows, tenths))

    @abc.abstractmethod
    def tile(self, y: np.ndarray, tenths: int) -> TileCoder:
        """What codes y, float32 [h, w, M]."""

    def encode_latents(self, y: np.ndarray, tenths: int) -> tuple[bytes, np.ndarray]:
        """The payload of y (float32 [h, w, M]), and v_hat as the decoder will have it."""
        return self.tile(y, tenths).encode(self.steps_of(y, tenths))

    def decode_latents(self, payload: bytes, tenths: int, height: int, width: int) -> np.ndarray:
        """v_hat, int32 [h, w, M] in 1/16 quantisation steps: the same on every machine.

        Raises CorruptPayload for bytes that no encoder wrote.
        """
        coder = SymbolDecoder(payload, self.tables)
        v_hat = self.read_latents(coder, tenths, height, width)
        coder.finish()
        return v_hat

    @abc.abstractmethod
    def read_latents(
        self, source: SymbolSource, tenths: int, height: int, width: int
    ) -> np.ndarray:
        """v_hat as `decode_latents` gives it, from wherever the symbols come."""

    def draw(self, random: np.random.Generator, tenths: int, height: int, width: int) -> np.ndarray:
        """Latents drawn from the tables that would code them: float32 [h, w, M], in units.

        Ancestral sampling in coding order, which is what decoding random bits gives.
        """
        v_hat = self.read_latents(SymbolSampler(self.tables, random), tenths, height, width)
        return v_hat * (self.unit_steps(tenths) / (1 << MEAN_BITS))

    def embed(self, pixels: np.ndarray, tenths: int) -> np.ndarray:
        """Latents in units, not quantised: float32 [h, w, M] of uint8 [16 h, 16 w, 3]."""
        return self.steps_of(self.analyse(pixels, tenths), tenths) * self.unit_steps(tenths)

    def render(self, latents: np.ndarray, tenths: int) -> np.ndarray:
        """The picture, uint8 [16 h, 16 w, 3], of latents [h, w, M] in units."""
        return self.synthesise(latents * ((1 << MEAN_BITS) / self.unit_steps(tenths)), tenths)


class TileCoder(abc.ABC):
    """Codes the latents of one tile, in whichever way they are rounded."""

    def __init__(self, family: Family, size: tuple[int, int], tenths: int) -> None:
        self._family, self._size, self._tenths = family, size, tenths

    @abc.abstractmethod
    def encode(self, v: np.ndarray, plain: bool = False) -> tuple[bytes, np.ndarray]:
        """The payload of v (float32 [h, w, M] in steps), and v_hat as the decoder will have it.

        plain: round to the nearest symbols, instead of lowering those that cost too much.
        """

    @abc.abstractmethod
    def rate(self, device: torch.device) -> Rate:
        """What the latents cost, with gradients, on torch."""

    def _quantiser(self, plain: bool) -> Quantiser:
        tables = self._family.tables
        return Quantiser(tables, math.inf) if plain else self._family.quantiser
