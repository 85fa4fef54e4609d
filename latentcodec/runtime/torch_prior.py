"""The exact networks of the `hyper` family's prior on torch. Tensors are float32, [H, W, C]."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from latentcodec.entropy.coding_order import GROUPS, PHASES, coded_in_step
from latentcodec.entropy.context_prior import (
    CODED_SCALE,
    LATENT_LIMIT,
    LATENT_SCALE,
    MAGNITUDE_SCALE,
    MEAN_LIMIT,
    MEAN_SCALE,
    OFFSET_SCALE,
    STREAM_LIMIT,
    TABLE_SCALE,
    ContextPrior,
    ContextStep,
    StepRows,
    magnitudes,
)
from latentcodec.entropy.exact_net import LIMIT, STREAM_SHIFT, ExactBlock, ExactLinear
from latentcodec.entropy.tables import SCALE_COUNT
from latentcodec.models.fused import clamped_depthwise, clamped_linear
from latentcodec.models.layers import depth_to_space

_STREAM_UNIT = 2.0**-STREAM_SHIFT


def _quantised(x: Tensor, low: float = -LIMIT) -> Tensor:
    """x rounded to integers (half to even) in low..LIMIT; in new memory."""
    return x.clamp(low, LIMIT).round_()


class _Linear:
    """[n, in] -> [n, out], or stacks of them."""

    def __init__(self, layer: ExactLinear, scale: float = 1.0) -> None:
        factor = layer.scale * np.float32(scale)
        weight = torch.from_numpy(layer.weight * factor[..., None]).float()
        self.weight = weight.mT.contiguous()
        self.bias = None if layer.bias is None else torch.from_numpy(layer.bias * factor).float()

    def __call__(self, x: Tensor) -> Tensor:
        if x.ndim == 2:
            out = x @ self.weight
            return out if self.bias is None else out.add_(self.bias)  # `addmm` takes longer
        if self.bias is None:
            return torch.bmm(x, self.weight)
        return torch.baddbmm(self.bias.unsqueeze(-2), x, self.weight)


class _Block:
    """[H, W, C] -> [H, W, C], in place."""

    def __init__(self, block: ExactBlock) -> None:
        taps = block.depthwise.weight * block.depthwise.scale[:, None]
        self._taps = torch.from_numpy(taps).float().view(-1, 1, 3, 3)
        expand = _Linear(block.expand)
        assert expand.bias is not None
        self._expand, self._bias = expand.weight.mT, expand.bias
        self._project = _Linear(block.project).weight

    def __call__(self, x: Tensor) -> Tensor:
        # As [1, H, W, C] from the start: convolutions do not see channels last in other views.
        planes = _quantised(x).unsqueeze(0).permute(0, 3, 1, 2)
        h = clamped_depthwise(planes, self._taps, -LIMIT, LIMIT).round_()
        rows = h.permute(0, 2, 3, 1).reshape(-1, len(self._taps))
        wide = clamped_linear(rows, self._expand, self._bias, 0, LIMIT).round_()
        x.view(rows.shape).addmm_(wide, self._project)
        return x


class _Step:
    """The networks of one coding step."""

    def __init__(self, step: ContextStep) -> None:
        self.bias = torch.from_numpy(step.bias * np.float32(_STREAM_UNIT)).float()
        self.blocks = [_Block(block) for block in step.blocks]
        self.head = _Linear(step.head)
        if step.coded is not None:
            self.high = _Linear(step.coded, CODED_SCALE * LIMIT)
            self.low = _Linear(step.coded, CODED_SCALE)
            self.magnitude = _Linear(step.magnitude, MAGNITUDE_SCALE)

    def parameters(self, u: Tensor) -> Tensor:
        """u [h, w, C] -> mean and log scale [PHASES, h/2 * w/2, 2 * M/4], units of 2 ** -6."""
        h = torch.add(self.bias, u, alpha=_STREAM_UNIT).clamp_(0, LIMIT)
        for block in self.blocks:
            h = block(h)
        return self.head(_split_phases(h).clamp_(-LIMIT, LIMIT).round_())

    def contribution(self, latents: Tensor, magnitude: Tensor) -> Tensor:
        """What is added to u, [PHASES, h/2 * w/2, C], of the latents [..., M/4] coded here, and of
        their magnitudes."""
        high = latents.mul(1 / LIMIT).floor_()
        low = torch.sub(latents, high, alpha=LIMIT)
        out = self.high(high).round_().add_(self.low(low).round_())
        return out.add_(self.magnitude(magnitude).round_())


def _split_phases(x: Tensor) -> Tensor:
    """[h, w, C] -> [PHASES, h/2 * w/2, C]."""
    h, w, c = x.shape
    return x.view(h // 2, 2, w // 2, 2, c).permute(1, 3, 0, 2, 4).reshape(PHASES, -1, c)


def _add_phases(x: Tensor, phases: Tensor) -> None:
    """Add [PHASES, h/2 * w/2, C] to x, [h, w, C]."""
    h, w, c = x.shape
    cells = x.view(h // 2, 2, w // 2, 2, c).permute(1, 3, 0, 2, 4)
    cells += phases.view(2, 2, h // 2, w // 2, c)


def _row(row: np.ndarray, step: int, scale: float) -> Tensor:
    """The parts of a row that a step's phases need: float64 [PHASES, 1, M/4]."""
    groups = [group for _, group in coded_in_step(step)]
    return torch.from_numpy(row * scale).view(GROUPS, 1, -1)[groups]


class TorchPrior:
    """`PriorNetworks` whose features are tensors [h, w, C]."""

    def __init__(self, prior: ContextPrior) -> None:
        self._up_32, self._up_16 = _Linear(prior.up_32), _Linear(prior.up_16)
        self._block = _Block(prior.block)
        self._steps = [_Step(step) for step in prior.steps]
        self._magnitudes = torch.from_numpy(magnitudes()).float()

    @torch.inference_mode()
    def psi(self, z_hat: np.ndarray, h_s_level: np.ndarray, height: int, width: int) -> Tensor:
        h, w, _ = z_hat.shape
        z = torch.from_numpy(z_hat.astype(np.float32)).clamp_(-LIMIT, LIMIT).flatten(0, 1)
        level = torch.from_numpy(h_s_level).float() * _STREAM_UNIT
        x = _quantised(self._up_32(z).add_(level), 0)
        x = self._block(depth_to_space(x.view(1, h, w, -1), 2)[0])
        x = self._up_16(_quantised(x).flatten(0, 1)).mul_(1 / _STREAM_UNIT).round_()
        x.clamp_(-STREAM_LIMIT, STREAM_LIMIT)
        psi = depth_to_space(x.view(1, 2 * h, 2 * w, -1), 2)[0]
        return psi[:height, :width].contiguous()

    @torch.inference_mode()
    def step(
        self, step: int, u: Tensor, values: np.ndarray | None, rows: StepRows
    ) -> tuple[Tensor, np.ndarray, np.ndarray]:
        if values is not None:
            coded = torch.from_numpy(values)
            places = coded.abs().clamp_(max=len(self._magnitudes) - 1)
            magnitude = self._magnitudes.index_select(0, places.view(-1)).view(places.shape)
            latents = coded.double()
            latents.mul_(_row(rows.to_latent, step - 1, LATENT_SCALE)).round_()
            latents = latents.clamp_(-LATENT_LIMIT, LATENT_LIMIT - 1).float()
            _add_phases(u, self._steps[step - 1].contribution(latents, magnitude))
            u.clamp_(-STREAM_LIMIT, STREAM_LIMIT)
        means, tables = _in_steps(self._steps[step].parameters(u), step, rows)
        return u, means.numpy(), tables.numpy()


def _in_steps(parameters: Tensor, step: int, rows: StepRows) -> tuple[Tensor, Tensor]:
    """Means (int32, 1/16 steps) and tables (uint8) [PHASES, n, M/4] of mean and log scale."""
    to_step = _row(rows.to_step, step, MEAN_SCALE)
    # The sum of table and offset has 17 fractional bits: where it is less than 128, and no larger
    # one is a table, float32 has all of it.
    offset = _row(rows.table_offset, step, OFFSET_SCALE).float()
    phases, count, width = parameters.shape
    means = parameters.new_empty(phases, count, width // 2, dtype=torch.int32)
    tables = parameters.new_empty(phases, count, width // 2, dtype=torch.uint8)
    for phase, part in enumerate(parameters):  # one at a time, which the cache holds
        mean, table = part.chunk(2, dim=-1)
        mean = mean * to_step[phase]  # float64
        means[phase] = mean.round_().clamp_(-MEAN_LIMIT, MEAN_LIMIT)
        table = torch.add(offset[phase], table, alpha=TABLE_SCALE)
        tables[phase] = table.round_().clamp_(0, SCALE_COUNT - 1)
    return means, tables
