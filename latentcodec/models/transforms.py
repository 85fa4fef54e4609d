"""The transforms that all families share: pixels to latents and back, at 1/8 and 1/16 resolution.

Both have a linear shortcut that starts as a truncated DCT (`dct.py`): a model begins as a DCT
codec, and the networks beside the shortcut learn what to add.
"""

from __future__ import annotations

import abc
import dataclasses
import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from latentcodec.entropy.coding_order import GROUPS
from latentcodec.models.config import TransformConfig
from latentcodec.models.dct import BLOCK_PX, shortcut_matrices, sparse_basis
from latentcodec.models.lapped import filtered, no_filters
from latentcodec.models.layers import (
    LevelTable,
    depth_to_space,
    residual_blocks,
    space_to_depth,
)
from latentcodec.models.precise import linear_shortcut

_TRANSFORMS = ("g_a.", "g_s.", "gain.", "inverse_gain.", "y_std")
HEAD_GAIN = 0.1  # range of the pixel correction that g_s adds to the shortcut, of 2


def _blocks_of(
    c: TransformConfig, channels: int, count: int, expansion: float = 2
) -> nn.Sequential:
    return residual_blocks(channels, count, c.kernel, expansion, c.activation, c.block_biases)


class Analysis(nn.Module):
    """g_a: pixels [B, H, W, 3] in -1..1 -> y [B, H/16, W/16, M]; H and W multiples of 16."""

    def __init__(self, c: TransformConfig) -> None:
        super().__init__()
        # Across the borders of blocks, before the shortcut; the synthesis has its inverse.
        self.prefilter = nn.Parameter(no_filters()) if c.lapped else None
        self.shortcut = nn.Linear(3 * BLOCK_PX**2, c.latents, bias=False)
        self.stem_8 = nn.Linear(3 * 64, c.channels_8)
        self.level_8 = LevelTable(c.anchors, c.channels_8)
        self.blocks_8 = _blocks_of(c, c.channels_8, c.blocks_8)
        self.stem_16 = nn.Linear(4 * c.channels_8, c.channels_16)
        self.level_16 = LevelTable(c.anchors, c.channels_16)
        self.blocks_16 = _blocks_of(c, c.channels_16, c.blocks_16)
        self.head = nn.Linear(c.channels_16, c.latents)

    def postfilter(self) -> Tensor | None:
        """The inverse of `prefilter`."""
        return None if self.prefilter is None else torch.linalg.inv(self.prefilter.float())

    def linear(self, x: Tensor) -> Tensor:
        """The shortcut's part of y."""
        with torch.autocast(x.device.type, enabled=False):  # bfloat16 would blur the DC
            return self.of_blocks(x if self.prefilter is None else filtered(x, self.prefilter))

    def of_blocks(self, x: Tensor) -> Tensor:
        """The shortcut's part of y, of pixels that are filtered across the borders of blocks."""
        return linear_shortcut(space_to_depth(x, BLOCK_PX), self.shortcut.weight)

    def features(self, x: Tensor, level: Tensor) -> Tensor:
        """What the heads see: [B, H/16, W/16, D]."""
        return self.blocks_16(self.at_16(self.blocks_8(self.at_8(x, level)), level))

    def at_8(self, x: Tensor, level: Tensor, out: Tensor | None = None) -> Tensor:
        """What the first blocks see, [B, H/8, W/8, C]; out: where to write it, contiguous."""
        return levelled(self.stem_8, space_to_depth(x, 8), self.level_8(level), out)

    def at_16(self, h: Tensor, level: Tensor, out: Tensor | None = None) -> Tensor:
        """What the last blocks see, [B, H/16, W/16, D], of the first ones' result."""
        return levelled(self.stem_16, space_to_depth(h, 2), self.level_16(level), out)

    def latents(self, linear: Tensor, features: Tensor, y_std: Tensor) -> Tensor:
        """y from the shortcut's part, which is overwritten, and what the heads see."""
        return linear.addcmul_(self.head(features).float(), y_std)

    def forward(self, x: Tensor, level: Tensor, y_std: Tensor) -> Tensor:
        return self.latents(self.linear(x), self.features(x, level), y_std)


class Synthesis(nn.Module):
    """g_s: y_hat [B, h, w, M] -> pixels [B, 16 h, 16 w, 3] around -1..1 (not clamped)."""

    def __init__(self, c: TransformConfig) -> None:
        super().__init__()
        self.shortcut = nn.Linear(c.latents, 3 * BLOCK_PX**2, bias=False)
        self.stem_16 = nn.Linear(c.latents, c.channels_16)
        self.level_16 = LevelTable(c.anchors, c.channels_16)
        self.blocks_16 = _blocks_of(c, c.channels_16, c.synthesis_blocks_16, c.expansion_16)
        self.stem_8 = nn.Linear(c.channels_16, 4 * c.channels_8)
        self.level_8 = LevelTable(c.anchors, c.channels_8)
        self.blocks_8 = _blocks_of(c, c.channels_8, c.synthesis_blocks_8, c.expansion_8)
        self.head = nn.Linear(c.channels_8, 3 * 64)

    def forward(
        self,
        y_hat: Tensor,
        level: Tensor,
        y_std: Tensor,
        postfilter: Tensor | None = None,
        scale: int = 1,
    ) -> Tensor:
        """postfilter: that of the analysis, where it has one.

        scale: 1, 2, 4, 8 or 16; the pixels are means over scale x scale, [B, 16 h / scale, ...].

        Pixels are linear in the last layers, so that the mean of these is that of the pixels.
        """
        h = self.at_8(self.blocks_16(self.at_16(y_hat / y_std, level)), level)
        linear = self.linear(y_hat, scale, postfilter)
        return self.corrected(linear, self.correction(self.blocks_8(h), scale))

    def linear(self, y_hat: Tensor, scale: int, postfilter: Tensor | None) -> Tensor:
        """The shortcut's part of the pixels."""
        with torch.autocast(y_hat.device.type, enabled=False):
            if postfilter is None:
                return self.of_blocks(y_hat, scale)
            return averaged(filtered(self.of_blocks(y_hat), postfilter), scale)

    def of_blocks(self, y_hat: Tensor, scale: int = 1) -> Tensor:
        """The shortcut's part of the pixels, before they are filtered across borders of blocks."""
        weight = averaged_rows(self.shortcut.weight, scale)
        return depth_to_space(linear_shortcut(y_hat, weight), BLOCK_PX // scale)

    def at_16(self, u_hat: Tensor, level: Tensor) -> Tensor:
        """What the first blocks see, [B, h, w, D], of y_hat / y_std."""
        return levelled(self.stem_16, u_hat, self.level_16(level))

    def at_8(self, h: Tensor, level: Tensor, out: Tensor | None = None) -> Tensor:
        """What the last blocks see, [B, 2 h, 2 w, C], of the first ones' result; out: where to
        write it, contiguous."""
        row = self.level_8(level)
        return depth_to_space(levelled(self.stem_8, h, row.repeat(1, 1, 1, 4)), 2, out)

    def correction(self, h: Tensor, scale: int) -> Tensor:
        """What is added to the shortcut's part, of the last blocks' result."""
        if scale > 8:
            h = functional.avg_pool2d(h.permute(0, 3, 1, 2), scale // 8).permute(0, 2, 3, 1)
        within = min(scale, 8)
        weight, bias = (averaged_rows(rows, within) for rows in (self.head.weight, self.head.bias))
        return depth_to_space(functional.linear(h, weight, bias), 8 // within)

    def corrected(self, linear: Tensor, correction: Tensor) -> Tensor:
        """Pixels of both parts; the first is overwritten."""
        return linear.add_(correction, alpha=HEAD_GAIN)


def levelled(stem: nn.Linear, x: Tensor, row: Tensor, out: Tensor | None = None) -> Tensor:
    """stem(x) + row, in the precision of the layer's weights.

    out: where to write it, without gradients and for one picture.
    """
    x = x.to(stem.weight.dtype)
    if out is None and (torch.is_grad_enabled() or len(row) > 1):
        return (stem(x) + row).to(x.dtype)
    bias = (stem.bias + row.view(-1)).to(x.dtype)  # one pass less
    if out is None:
        return functional.linear(x, stem.weight, bias)
    rows = x.flatten(0, -2)
    torch.addmm(bias, rows, stem.weight.T, out=out.flatten(0, -2))
    return out


def averaged(x: Tensor, scale: int) -> Tensor:
    """Pixels [B, H, W, C], each the mean of scale x scale."""
    if scale == 1:
        return x
    b, h, w, c = x.shape
    return x.view(b, h // scale, scale, w // scale, scale, c).mean((2, 4))


def averaged_rows(rows: Tensor, scale: int) -> Tensor:
    """Rows [3 side^2, ...] of a layer to square blocks of pixels, for means over scale x scale."""
    if scale == 1:
        return rows
    side = math.isqrt(len(rows) // 3) // scale
    blocks = rows.view(side, scale, side, scale, 3, -1).mean((1, 3))
    return blocks.reshape(3 * side**2, *rows.shape[1:])


@dataclasses.dataclass
class Output:
    """What training looks at: `x_hat` [B, H, W, 3], and `bits` [B], the rate of each sample."""

    x_hat: Tensor
    bits: Tensor


class TransformModel(nn.Module, abc.ABC):
    """g_a and g_s with the gains between them: the part that every codec family has."""

    y_std: Tensor

    def __init__(self, config: TransformConfig) -> None:
        super().__init__()
        self.config = config
        self.g_a = Analysis(config)
        self.g_s = Synthesis(config)
        self.gain = LevelTable(config.anchors, config.latents)  # ln of steps per unit of y
        self.inverse_gain = LevelTable(config.anchors, config.latents)  # ln, added to -gain
        # Spread of each channel of y on photographs: every network sees y / y_std.
        self.register_buffer("y_std", torch.ones(config.latents))

    @torch.no_grad()
    def start(self, x: Tensor) -> None:
        """Start as a DCT codec, or as one of a lapped transform, with the statistics of photographs
        x [B, H, W, 3] in -1..1."""
        m, rows = self.config.latents, None
        if self.g_a.prefilter is not None:
            rows, prefilter = sparse_basis()
            self.g_a.prefilter.copy_(torch.from_numpy(prefilter).expand(2, -1, -1))
        analysis, synthesis = shortcut_matrices(m, rows)
        # Group g takes the frequencies of rank g, g + 4, ...: each group spans the spectrum.
        order = [4 * (i % (m // GROUPS)) + i // (m // GROUPS) for i in range(m)]
        self.g_a.shortcut.weight.copy_(torch.from_numpy(analysis[order]))
        self.g_s.shortcut.weight.copy_(torch.from_numpy(synthesis[:, order]))
        for head in (self.g_a.head, self.g_s.head):
            head.weight.zero_()
            head.bias.zero_()
        for row in range(self.config.anchors):
            # Minimum of lambda * step^2 / 12 plus the rate at high resolution: the step is
            # sqrt(26 / lambda) grey levels, and one unit of y is 127.5 of them.
            self.gain.rows[row] = math.log(127.5 * (self.config.lambda_of(row) / 26) ** 0.5)
        y = self.g_a.linear(x).flatten(0, 2)
        self.y_std.copy_(y.std(dim=0).clamp_min(1e-2))
        self.start_prior(y / self.y_std)

    @torch.no_grad()
    def start_from(self, x: Tensor, state: dict[str, Tensor]) -> None:
        """Start from the transforms and gains in the state of another family's model.

        x: photographs as for `start`. Raises ValueError if the sizes differ.
        """
        own = self.state_dict()
        taken = {k: v for k, v in state.items() if k.startswith(_TRANSFORMS)}
        wanted = {k: v.shape for k, v in own.items() if k.startswith(_TRANSFORMS)}
        if {k: v.shape for k, v in taken.items()} != wanted:
            raise ValueError("its transforms are of another size than this model's")
        self.load_state_dict(own | taken)
        middle = torch.full((len(x),), (self.config.anchors - 1) / 2, device=x.device)
        self.start_prior(self.analyse(x, middle).flatten(0, 2) / self.y_std)

    def quantise(self) -> None:
        """From now on, round as the exported prior will, where it is in integers."""

    @abc.abstractmethod
    def start_prior(self, y: Tensor) -> None:
        """Set the prior's biases from latents of photographs over y_std, float [n, M]."""

    def analyse(self, x: Tensor, level: Tensor) -> Tensor:
        """y, float [B, H/16, W/16, M]."""
        return self.g_a(x, level, self.y_std)

    def synthesise(self, v_hat: Tensor, level: Tensor) -> Tensor:
        """Pixels from the dequantised latents v_hat (in quantisation steps)."""
        y_hat = v_hat * torch.exp(self.inverse_gain(level) - self.gain(level))
        return self.g_s(y_hat, level, self.y_std, self.g_a.postfilter())
