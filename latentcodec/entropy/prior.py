"""The prior of the `hyper` family on integers: means and tables of the latents, step by step.

The integer twin of `h_s`, `context` and the quality tables of `models/hyper.py`. Formats:
activations, psi and the normalised latents have 12 fractional bits; means and v_hat are in
1/16 of a quantisation step.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from latentcodec.entropy.coding_order import GROUPS, coded_in_step
from latentcodec.entropy.integer_net import (
    FRACTION_BITS,
    LIMIT,
    IntegerLinear,
    IntegerReader,
    check_exact,
    depth_to_space,
    rescale,
)
from latentcodec.entropy.tables import (
    MEAN_BITS,
    SCALE_COUNT,
    SCALE_STEPS_PER_E,
    SYMBOL_LIMIT,
)
from latentcodec.errors import CorruptWeights

MEAN_LIMIT = SYMBOL_LIMIT << MEAN_BITS
TO_UNIT_BITS = 20  # fraction of the factors from quantisation steps to normalised latents
TO_STEP_BITS = 16  # fraction of the factors back
QUALITY_ROWS = 100  # rows for quality 1, 2, ..., 100; tenths between them are interpolated
_TABLE_SHIFT = FRACTION_BITS - (SCALE_STEPS_PER_E.bit_length() - 1)

# Given the means (int32 [n], 1/16 steps) and tables (uint8 [n]) of a coding step, the symbols
# (int32 [n]) that are coded there: the encoder rounds them, the decoder reads them.
CodeStep = Callable[[int, np.ndarray, np.ndarray], np.ndarray]


class HyperPrior:
    """Loads the integer networks of one model; safe to share between threads."""

    def __init__(self, tensors: dict[str, Tensor], steps: int) -> None:
        """`tensors`: the integer tensors of a weights file.

        Raises CorruptWeights for missing or ill-typed tensors and broken exactness bounds.
        """
        reader = IntegerReader(tensors)
        self.steps = steps
        self._up_32 = reader.linear("h_s.up_32")
        self._block = reader.block("h_s.block")
        self._up_16 = reader.linear("h_s.up_16")
        self.context_block = reader.block("context.block")
        self.step_bias = reader.integers("context.step_bias")
        self.coded = _split_columns(reader.linear("context.coded"))
        self.head = _split_rows(reader.linear("context.head"))
        self._rows = {
            name: reader.integers(f"quality.{name}")
            for name in ("to_unit", "to_step", "table_offset", "z_mean", "z_table", "h_s_level")
        }
        for name, rows in self._rows.items():
            if rows.ndim != 2 or rows.shape[0] != QUALITY_ROWS:
                raise CorruptWeights(f"the quality table {name} of the weights is misshapen")
        check_exact(float(self._rows["to_unit"].max()) * 2 * MEAN_LIMIT, "to_unit")
        check_exact(float(self._rows["to_step"].max()) * LIMIT, "to_step")

    def row(self, name: str, tenths: int) -> Tensor:
        """The row for a quality in tenths (10..1000), interpolated on integers."""
        low, part = divmod(tenths - 10, 10)
        rows = self._rows[name]
        high = rows[min(low + 1, QUALITY_ROWS - 1)]
        return torch.floor((rows[low] * (10 - part) + high * part + 5) / 10)

    def z_parameters(self, tenths: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Mean (int32, 1/4096) and table (uint8) of `count` positions of z, each [count * Z]."""
        mean = self.row("z_mean", tenths).numpy().astype(np.int32)
        table = self.row("z_table", tenths).clamp(0, SCALE_COUNT - 1).numpy().astype(np.uint8)
        return np.tile(mean, count), np.tile(table, count)

    def psi(self, z_hat: np.ndarray, tenths: int, height: int, width: int) -> Tensor:
        """Features from z_hat (int [h/4, w/4, Z], 12 fractional bits): float64 [h, w, C]."""
        x = torch.from_numpy(z_hat.astype(np.float64)).clamp_(-LIMIT, LIMIT)
        x = self._up_32(x, self.row("h_s_level", tenths), relu=True)
        x = depth_to_space(x, 2)
        x = depth_to_space(self._up_16(self._block(x)), 2)
        return x[:height, :width].contiguous()

    def run(self, psi: Tensor, tenths: int, code: CodeStep) -> np.ndarray:
        """Walk the coding steps; returns v_hat, int32 [h, w, M] in 1/16 steps."""
        height, width, _ = psi.shape
        group_width = self.head[0].weight.shape[0] // 2
        v_hat = np.zeros((height, width, GROUPS * group_width), dtype=np.int32)
        to_unit = self.row("to_unit", tenths).split(group_width)
        u = psi
        for step in range(self.steps):
            features = self.context_block((u + self.step_bias[step]).clamp_(0, LIMIT))
            mean, table = self._parameters(features, step, tenths)
            values = (code(step, mean, table) << MEAN_BITS) + mean
            added = torch.zeros_like(u)
            for phase, group in coded_in_step(step, self.steps):
                rows, columns = slice(phase // 2, None, 2), slice(phase % 2, None, 2)
                channels = slice(group * group_width, (group + 1) * group_width)
                place = v_hat[rows, columns, channels]
                place[:] = values[: place.size].reshape(place.shape)
                values = values[place.size :]
                if step + 1 == self.steps:
                    continue  # nothing is left to predict from it
                unit = torch.from_numpy(place).double() * to_unit[group]
                unit = rescale(unit, TO_UNIT_BITS + MEAN_BITS - FRACTION_BITS)
                added[rows, columns] += self.coded[group](unit.clamp_(-LIMIT, LIMIT))
            u = (u + added).clamp_(-LIMIT, LIMIT)
        return v_hat

    def _parameters(
        self, features: Tensor, step: int, tenths: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Means (int32, 1/16 steps) and tables (uint8) of what `step` codes, in coding order."""
        to_step = self.row("to_step", tenths).chunk(GROUPS)
        offset = self.row("table_offset", tenths).chunk(GROUPS)
        means, tables = [], []
        for phase, group in coded_in_step(step, self.steps):
            out = self.head[group](features[phase // 2 :: 2, phase % 2 :: 2])
            mean, log_scale = out.chunk(2, dim=-1)
            mean = rescale(mean * to_step[group], FRACTION_BITS + TO_STEP_BITS - MEAN_BITS)
            table = rescale(log_scale + offset[group], _TABLE_SHIFT)
            means.append(mean.clamp_(-MEAN_LIMIT, MEAN_LIMIT).to(torch.int32).flatten())
            tables.append(table.clamp_(0, SCALE_COUNT - 1).to(torch.uint8).flatten())
        return torch.cat(means).numpy(), torch.cat(tables).numpy()


def _split_columns(layer: IntegerLinear) -> list[IntegerLinear]:
    """One layer per channel group of the inputs."""
    parts = layer.weight.chunk(GROUPS, dim=1)
    return [IntegerLinear(p.contiguous(), layer.bias, layer.shift) for p in parts]


def _split_rows(layer: IntegerLinear) -> list[IntegerLinear]:
    """One layer per channel group of the outputs."""
    parts = zip(layer.weight.chunk(GROUPS), layer.bias.chunk(GROUPS), strict=True)
    return [IntegerLinear(w.contiguous(), b.contiguous(), layer.shift) for w, b in parts]
