"""The prior of the `hyper` family on exact integers: means and tables, step by step.

The integer twin of `h_s`, the context networks and the quality tables of `models/hyper.py`, on
the layers of `exact_net.py`. Activations are in units of 2 ** -6; psi and what is added to it in
2 ** -14; normalised latents in 2 ** -11; means and v_hat in 1/16 of a quantisation step. Between
the networks, float64 holds products of two integers exactly.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from latentcodec.entropy.coding_order import GROUPS, PHASES, coded_in_step
from latentcodec.entropy.exact_net import (
    LIMIT,
    STREAM_SHIFT,
    UNIT_BITS,
    ExactBlock,
    ExactLinear,
    ExactReader,
    check_exact,
    quantised,
)
from latentcodec.entropy.integer_net import depth_to_space
from latentcodec.entropy.tables import MEAN_BITS, SCALE_COUNT, SCALE_STEPS_PER_E, SYMBOL_LIMIT
from latentcodec.errors import CorruptWeights

STEPS = 4
STREAM_BITS = UNIT_BITS + STREAM_SHIFT  # fraction of psi and of what is added to it
LATENT_BITS = 11  # fraction of the latents over y_std that the context networks see
FACTOR_BITS = 20  # fraction of the factors between quantisation steps and latents over y_std
OFFSET_BITS = 12  # fraction of the offsets to ln sigma
Z_BITS = 4  # fraction of z
QUALITY_ROWS = 100  # rows for quality 1, 2, ..., 100; tenths between them are interpolated
MEAN_LIMIT = SYMBOL_LIMIT << MEAN_BITS
# Of psi and of what it becomes. A contribution below 2 ** 24 is exact, and so is the sum of both as
# long as it counts; a larger one may be rounded, and ends at the limit all the same.
_STREAM_LIMIT = float(1 << 21)
_LATENT_LIMIT = LIMIT * LIMIT  # high and low part have eight bits each
_ROWS = ("to_latent", "to_step", "table_offset", "z_mean", "z_table", "h_s_level")


class _Step:
    """The networks of one coding step."""

    def __init__(self, reader: ExactReader, step: int) -> None:
        name = f"context.{step}"
        scale = 2.0**STREAM_SHIFT
        self.bias = (reader.integers(f"{name}.bias") / scale).float()
        bound = torch.full_like(self.bias, LIMIT, dtype=torch.float64)
        self.blocks: list[ExactBlock] = []
        while reader.has(f"{name}.blocks.{len(self.blocks)}.expand.weight"):
            block, bound = reader.block(f"{name}.blocks.{len(self.blocks)}", bound)
            self.blocks.append(block)
        self.head = reader.linear(f"{name}.head")
        last = step + 1 == STEPS
        self.coded = None if last else _split_input(reader.linear(f"{name}.coded", bias=False))

    def parameters(self, u: Tensor) -> Tensor:
        """u [h, w, C] -> mean and log scale [PHASES, h/2 * w/2, 2 * M/4], units of 2 ** -6."""
        h = torch.add(self.bias, u, alpha=2.0**-STREAM_SHIFT).clamp_(0, LIMIT)
        for block in self.blocks:
            h = block(h)
        return self.head(split_phases(h).clamp_(-LIMIT, LIMIT).round_())

    def contribution(self, latents: Tensor) -> Tensor:
        """What is added to u, [PHASES, h/2 * w/2, C], of the latents [..., M/4] coded here."""
        assert self.coded is not None
        high = latents.mul(1 / LIMIT).floor_()
        low = torch.sub(latents, high, alpha=LIMIT)
        first, second = self.coded
        return first(high).round_().add_(second(low).round_())


def _split_input(layer: ExactLinear) -> tuple[ExactLinear, ExactLinear]:
    """The layer for the high and for the low part of its inputs, with outputs of u's units."""
    scale = 2.0 ** (STREAM_BITS - LATENT_BITS)
    return (
        ExactLinear(layer.weight * (scale * LIMIT), None, layer.shift),
        ExactLinear(layer.weight * scale, None, layer.shift),
    )


def split_phases(x: Tensor) -> Tensor:
    """[h, w, C] -> [PHASES, h/2 * w/2, C]."""
    h, w, c = x.shape
    return x.view(h // 2, 2, w // 2, 2, c).permute(1, 3, 0, 2, 4).reshape(PHASES, -1, c)


def add_phases(x: Tensor, phases: Tensor) -> None:
    """Add [PHASES, h/2 * w/2, C] to x, [h, w, C]."""
    h, w, c = x.shape
    cells = x.view(h // 2, 2, w // 2, 2, c).permute(1, 3, 0, 2, 4)
    cells += phases.view(2, 2, h // 2, w // 2, c)


class ContextPrior:
    """Loads the integer networks of one model; safe to share between threads."""

    def __init__(self, tensors: dict[str, Tensor]) -> None:
        """`tensors`: the integer tensors of a weights file.

        Raises CorruptWeights for missing or ill-typed tensors and broken exactness bounds.
        """
        reader = ExactReader(tensors)
        self._rows = {name: reader.integers(f"quality.{name}") for name in _ROWS}
        self._up_32 = reader.linear("h_s.up_32")
        hyper_latents, features = self._up_32.weight.shape
        self._check_rows(features, "h_s_level")
        self._check_rows(hyper_latents, "z_mean", "z_table")
        level = self._rows["h_s_level"].abs().amax(0) * 2.0**-STREAM_SHIFT
        check_exact(
            self._up_32.largest() + level,
            self._up_32.shift.double().clamp_min(STREAM_SHIFT),
            "h_s.up_32",
        )
        bound = torch.full((features // 4,), LIMIT, dtype=torch.float64)
        self._block, _ = reader.block("h_s.block", bound)
        self._up_16 = reader.linear("h_s.up_16")
        self._steps = [_Step(reader, step) for step in range(STEPS)]
        self.group = self._steps[0].head.weight.shape[-1] // 2  # channels
        latents = GROUPS * self.group
        self._check_rows(latents, "to_latent", "to_step", "table_offset")
        reader.finish(("h_s.", "context.", "quality."))
        _check_factors(self._rows)

    def _check_rows(self, columns: int, *names: str) -> None:
        for name in names:
            if self._rows[name].shape != (QUALITY_ROWS, columns):
                raise CorruptWeights(f"the quality table {name} of the weights is misshapen")

    def row(self, name: str, tenths: int) -> Tensor:
        """The row for a quality in tenths (10..1000), interpolated on integers: float64."""
        low, part = divmod(tenths - 10, 10)
        rows = self._rows[name]
        high = rows[min(low + 1, QUALITY_ROWS - 1)]
        return torch.floor((rows[low] * (10 - part) + high * part + 5) / 10)

    def z_parameters(self, tenths: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Mean (int32, 1/16) and table (uint8) of `count` positions of z, each [count * Z]."""
        mean = self.row("z_mean", tenths).numpy().astype(np.int32)
        table = self.row("z_table", tenths).clamp(0, SCALE_COUNT - 1).numpy().astype(np.uint8)
        return np.tile(mean, count), np.tile(table, count)

    def psi(self, z_hat: np.ndarray, tenths: int) -> Tensor:
        """Features, float32 [4 h, 4 w, C] in 2 ** -14, from z_hat, int [h, w, Z] in 1/16."""
        h, w, _ = z_hat.shape
        z = torch.from_numpy(z_hat.astype(np.float32)).clamp_(-LIMIT, LIMIT).flatten(0, 1)
        level = self.row("h_s_level", tenths) * 2.0**-STREAM_SHIFT
        x = quantised(self._up_32(z).add_(level.float()), 0)
        x = self._block(depth_to_space(x.view(h, w, -1), 2))
        x = self._up_16(quantised(x).flatten(0, 1)).mul_(2.0**STREAM_SHIFT).round_()
        x.clamp_(-_STREAM_LIMIT, _STREAM_LIMIT)
        return depth_to_space(x.view(2 * h, 2 * w, -1), 2)

    def walk(self, psi: Tensor, tenths: int, height: int, width: int) -> Walk:
        """Begin to code a grid of latents, [height, width]; psi may be overwritten."""
        even = psi[: height + height % 2, : width + width % 2]
        return Walk(self, self._steps, even, tenths, (height, width))


def _check_factors(rows: dict[str, Tensor]) -> None:
    """Raise CorruptWeights unless products with the factors are exact in float64."""
    largest = 2.0**24
    for name, inputs in (("to_latent", 2.0 * MEAN_LIMIT), ("to_step", largest)):
        if not float(rows[name].abs().max()) * inputs < 2.0**53:
            raise CorruptWeights(f"products with the quality table {name} would not be exact")


class Walk:
    """Through the coding steps of one grid of latents: `parameters`, then `put`, for each step."""

    def __init__(
        self,
        prior: ContextPrior,
        steps: list[_Step],
        psi: Tensor,
        tenths: int,
        size: tuple[int, int],
    ) -> None:
        self._steps, self._u = steps, psi.contiguous()
        self._group, self._size = prior.group, size

        def row(name: str, fraction_bits: int) -> Tensor:
            return (prior.row(name, tenths) * 2.0**-fraction_bits).view(GROUPS, 1, -1)

        self._to_step = row("to_step", FACTOR_BITS + UNIT_BITS - MEAN_BITS)
        self._to_latent = row("to_latent", FACTOR_BITS + MEAN_BITS - LATENT_BITS)
        self._offset = row("table_offset", OFFSET_BITS) * SCALE_STEPS_PER_E
        self.v_hat = np.zeros((*size, GROUPS * prior.group), dtype=np.int32)  # 1/16 steps
        self._mean: Tensor | None = None

    def parameters(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        """Means (int32, 1/16 steps) and tables (uint8) of what `step` codes, in coding order."""
        groups = [group for _, group in coded_in_step(step, STEPS)]
        out = self._steps[step].parameters(self._u).double()
        mean, log_scale = out.chunk(2, dim=-1)
        mean = mean.mul_(self._to_step[groups]).round_().clamp_(-MEAN_LIMIT, MEAN_LIMIT)
        self._mean = mean.to(torch.int32)
        table = log_scale.mul_(SCALE_STEPS_PER_E * 2.0**-UNIT_BITS).add_(self._offset[groups])
        table = table.round_().clamp_(0, SCALE_COUNT - 1).to(torch.uint8)
        return self._real(self._mean), self._real(table)

    def put(self, step: int, symbols: np.ndarray) -> None:
        """What was coded there, int32 [n] in coding order."""
        assert self._mean is not None
        height, width = self._u.shape[:2]
        values = self._mean.clone()
        for phase, (_, group) in enumerate(coded_in_step(step, STEPS)):
            rows, columns = slice(phase // 2, None, 2), slice(phase % 2, None, 2)
            channels = slice(group * self._group, (group + 1) * self._group)
            place = self.v_hat[rows, columns, channels]
            cells = values[phase].view(height // 2, width // 2, -1)[: len(place), : place.shape[1]]
            own = torch.from_numpy(symbols[: place.size].reshape(place.shape))
            cells += own.to(torch.int32) << MEAN_BITS
            place[:] = cells.numpy()
            symbols = symbols[place.size :]
        network = self._steps[step]
        if network.coded is None:
            return
        groups = [group for _, group in coded_in_step(step, STEPS)]
        latents = values.double().mul_(self._to_latent[groups]).round_()
        latents = latents.clamp_(-_LATENT_LIMIT, _LATENT_LIMIT - 1).float()
        add_phases(self._u, network.contribution(latents))
        self._u.clamp_(-_STREAM_LIMIT, _STREAM_LIMIT)

    def _real(self, x: Tensor) -> np.ndarray:
        """The entries that are in the picture, [PHASES, h/2 * w/2, M/4] -> [n]."""
        height, width = self._u.shape[:2]
        if self._size == (height, width):
            return x.flatten().numpy()
        grid = x.view(PHASES, height // 2, width // 2, -1)
        parts = [
            grid[p, : (self._size[0] + 1 - p // 2) // 2, : (self._size[1] + 1 - p % 2) // 2]
            for p in range(PHASES)
        ]
        return torch.cat([part.flatten() for part in parts]).numpy()
