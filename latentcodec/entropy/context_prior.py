"""The prior of the `hyper` family on exact integers: means and tables, step by step.

The integer twin of `h_s`, the context networks and the quality tables of `models/hyper.py`, of
the layers of `exact_net.py`. Activations are in units of 2 ** -6; psi and what is added to it in
2 ** -14; normalised latents in 2 ** -11; means and v_hat in 1/16 of a quantisation step. Between
the networks, float64 holds products of two integers exactly.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple, Protocol

import numpy as np

from latentcodec.entropy.coding_order import GROUPS, PHASES, STEPS, coded_in_step
from latentcodec.entropy.exact_net import (
    LIMIT,
    STREAM_SHIFT,
    UNIT_BITS,
    ExactBlock,
    ExactLinear,
    ExactReader,
    check_exact,
)
from latentcodec.entropy.tables import MEAN_BITS, SCALE_COUNT, SCALE_STEPS_PER_E, SYMBOL_LIMIT
from latentcodec.errors import CorruptWeights

STREAM_BITS = UNIT_BITS + STREAM_SHIFT  # fraction of psi and of what is added to it
LATENT_BITS = 11  # fraction of the latents over y_std that the context networks see
FACTOR_BITS = 20  # fraction of the factors between quantisation steps and latents over y_std
OFFSET_BITS = 12  # fraction of the offsets to ln sigma
Z_BITS = 4  # fraction of z
QUALITY_ROWS = 100  # rows for quality 1, 2, ..., 100; tenths between them are interpolated
MEAN_LIMIT = SYMBOL_LIMIT << MEAN_BITS
# Of psi and of what it becomes. A contribution below 2 ** 24 is exact, and so is the sum of both as
# long as it counts; a larger one may be rounded, and ends at the limit all the same.
STREAM_LIMIT = 1 << 21
LATENT_LIMIT = LIMIT * LIMIT  # high and low part have eight bits each
# What a network's result or a latent is multiplied by, besides the integer of its quality's row.
MEAN_SCALE = 2.0 ** (MEAN_BITS - UNIT_BITS - FACTOR_BITS)
LATENT_SCALE = 2.0 ** (LATENT_BITS - MEAN_BITS - FACTOR_BITS)
TABLE_SCALE = SCALE_STEPS_PER_E * 2.0**-UNIT_BITS
OFFSET_SCALE = SCALE_STEPS_PER_E * 2.0**-OFFSET_BITS
CODED_SCALE = 2.0 ** (STREAM_BITS - LATENT_BITS)
MAGNITUDE_SCALE = 2.0**STREAM_SHIFT
_ROWS = ("to_latent", "to_step", "table_offset", "z_mean", "z_table", "h_s_level")


def magnitudes() -> np.ndarray:
    """ln(1 + |v_hat|) in units of 2 ** -6, for |v_hat| of 0, 1, 2, ... sixteenths of a step: int32.

    Its last entry, LIMIT, stands for all that is larger.
    """
    largest = math.ceil((math.exp(LIMIT / 2.0**UNIT_BITS) - 1) * 2**MEAN_BITS)
    exact = np.log1p(np.arange(largest + 1) / 2**MEAN_BITS) * 2**UNIT_BITS
    return np.minimum(np.rint(exact), LIMIT).astype(np.int32)


class StepRows(NamedTuple):
    """What a quality gives to the coding steps, int32 [M] each: factors and offsets."""

    to_step: np.ndarray
    table_offset: np.ndarray
    to_latent: np.ndarray


class PriorNetworks(Protocol):
    """What a runtime runs of a `ContextPrior`. Features are kept as the runtime likes them."""

    def psi(self, z_hat: np.ndarray, h_s_level: np.ndarray, height: int, width: int) -> Any:
        """Features of height x width positions from z_hat, int [h, w, Z] in 1/16.

        height, width: even; h_s_level: the quality's row, int32.
        """

    def step(
        self, step: int, u: Any, values: np.ndarray | None, rows: StepRows
    ) -> tuple[Any, np.ndarray, np.ndarray]:
        """Features, means and tables of a coding step.

        values: what the step before has coded, int32 [PHASES, n, M/4] in 1/16 steps, for which
        its features u change; None at step 0. Means (int32, 1/16 steps) and tables (uint8) are
        [PHASES, n, M/4], for n = height/2 * width/2 positions of each phase.
        """


class ContextStep:
    """The networks of one coding step."""

    def __init__(self, reader: ExactReader, step: int) -> None:
        name = f"context.{step}"
        self.bias = reader.integers(f"{name}.bias")  # in 2 ** -STREAM_BITS
        bound = np.full(self.bias.shape, LIMIT, dtype=np.float64)
        self.blocks: list[ExactBlock] = []
        while reader.has(f"{name}.blocks.{len(self.blocks)}.expand.weight"):
            block, bound = reader.block(f"{name}.blocks.{len(self.blocks)}", bound)
            self.blocks.append(block)
        self.head = reader.linear(f"{name}.head")
        self.coded: ExactLinear | None = None
        if step + 1 < STEPS:
            self.coded = reader.linear(f"{name}.coded", bias=False)
            self.magnitude = reader.linear(f"{name}.magnitude", bias=False)


class ContextPrior:
    """The integer networks and quality tables of one model; safe to share between threads."""

    def __init__(self, tensors: dict[str, np.ndarray]) -> None:
        """`tensors`: the integer tensors of a weights file.

        Raises CorruptWeights for missing or ill-typed tensors and broken exactness bounds.
        """
        reader = ExactReader(tensors)
        self._rows = {n: reader.integers(f"quality.{n}").astype(np.int64) for n in _ROWS}
        self.up_32 = reader.linear("h_s.up_32")
        features, hyper_latents = self.up_32.weight.shape
        self._check_rows(features, "h_s_level")
        self._check_rows(hyper_latents, "z_mean", "z_table")
        level = np.abs(self._rows["h_s_level"]).max(0) * 2.0**-STREAM_SHIFT
        check_exact(
            self.up_32.largest() + level, np.maximum(self.up_32.shift, STREAM_SHIFT), "h_s.up_32"
        )
        bound = np.full(features // 4, LIMIT, dtype=np.float64)
        self.block, _ = reader.block("h_s.block", bound)
        self.up_16 = reader.linear("h_s.up_16")
        self.steps = [ContextStep(reader, step) for step in range(STEPS)]
        self.group = self.steps[0].head.weight.shape[-2] // 2  # channels
        self._check_rows(GROUPS * self.group, "to_latent", "to_step", "table_offset")
        reader.finish(("h_s.", "context.", "quality."))
        self._check_factors()

    def _check_rows(self, columns: int, *names: str) -> None:
        for name in names:
            if self._rows[name].shape != (QUALITY_ROWS, columns):
                raise CorruptWeights(f"the quality table {name} of the weights is misshapen")

    def _check_factors(self) -> None:
        """Raise CorruptWeights unless products with the factors are exact in float64."""
        for name, inputs in (("to_latent", 2.0 * MEAN_LIMIT), ("to_step", 2.0**24)):
            if not float(np.abs(self._rows[name]).max()) * inputs < 2.0**53:
                raise CorruptWeights(f"products with the quality table {name} would not be exact")
        for name, rows in self._rows.items():
            bits = 25 if name == "table_offset" else 32  # which float32 holds
            if not np.abs(rows).max() < 1 << bits - 1:
                raise CorruptWeights(f"the quality table {name} of the weights exceeds {bits} bits")

    def row(self, name: str, tenths: int) -> np.ndarray:
        """The row for a quality in tenths (10..1000), interpolated on integers: int32."""
        low, part = divmod(tenths - 10, 10)
        rows = self._rows[name]
        high = rows[min(low + 1, QUALITY_ROWS - 1)]
        return ((rows[low] * (10 - part) + high * part + 5) // 10).astype(np.int32)

    def step_rows(self, tenths: int) -> StepRows:
        """The rows that the coding steps take."""
        return StepRows(*(self.row(name, tenths) for name in StepRows._fields))

    def z_parameters(self, tenths: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Mean (int32, 1/16) and table (uint8) of `count` positions of z, each [count * Z]."""
        mean = self.row("z_mean", tenths)
        table = self.row("z_table", tenths).clip(0, SCALE_COUNT - 1).astype(np.uint8)
        return np.tile(mean, count), np.tile(table, count)

    def walk(
        self, networks: PriorNetworks, z_hat: np.ndarray, tenths: int, height: int, width: int
    ) -> Walk:
        """Begin to code a grid of latents, [height, width], from z_hat, int [h, w, Z] in 1/16."""
        return Walk(self, networks, z_hat, tenths, (height, width))


class Walk:
    """Through the coding steps of one grid of latents: `parameters`, then `put`, for each step."""

    def __init__(
        self,
        prior: ContextPrior,
        networks: PriorNetworks,
        z_hat: np.ndarray,
        tenths: int,
        size: tuple[int, int],
    ) -> None:
        self._networks, self._rows, self._group = networks, prior.step_rows(tenths), prior.group
        self._even = size[0] + size[0] % 2, size[1] + size[1] % 2
        self._u = networks.psi(z_hat, prior.row("h_s_level", tenths), *self._even)
        self._mean: np.ndarray | None = None
        self._values: np.ndarray | None = None
        self._size = size
        self.v_hat = np.zeros((*size, GROUPS * prior.group), dtype=np.int32)  # 1/16 steps

    def parameters(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        """Means (int32, 1/16 steps) and tables (uint8) of what `step` codes, in coding order."""
        self._u, mean, table = self._networks.step(step, self._u, self._values, self._rows)
        self._mean = mean
        return self._real(mean), self._real(table)

    def put(self, step: int, symbols: np.ndarray) -> None:
        """What was coded there, int32 [n] in coding order."""
        assert self._mean is not None
        height, width = self._even
        self._values = self._mean.copy()
        for phase, (_, group) in enumerate(coded_in_step(step)):
            rows, columns = slice(phase // 2, None, 2), slice(phase % 2, None, 2)
            channels = slice(group * self._group, (group + 1) * self._group)
            place = self.v_hat[rows, columns, channels]
            cells = self._values[phase].reshape(height // 2, width // 2, -1)
            cells = cells[: place.shape[0], : place.shape[1]]
            own = symbols[: place.size].reshape(place.shape)
            cells += own << MEAN_BITS
            place[:] = cells
            symbols = symbols[place.size :]

    def _real(self, x: np.ndarray) -> np.ndarray:
        """The entries that are in the picture, [PHASES, h/2 * w/2, M/4] -> [n]."""
        if self._size == self._even:
            return x.reshape(-1)
        height, width = self._size
        grid = x.reshape(PHASES, self._even[0] // 2, self._even[1] // 2, -1)
        parts = [
            grid[p, : (height + 1 - p // 2) // 2, : (width + 1 - p % 2) // 2] for p in range(PHASES)
        ]
        return np.concatenate([part.ravel() for part in parts])
