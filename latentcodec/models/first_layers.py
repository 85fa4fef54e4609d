"""The layers of the synthesis that see latents, on whole numbers of 1/16 steps.

The length of a step and the spread of a channel are factors of the weights here, not of the
latents: whole numbers up to 256 are exact in bfloat16, so that products which round their factors
lose nothing of nearly all latents, and no pass over these is needed before them.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from latentcodec.models.lapped import with_ends
from latentcodec.models.layers import depth_to_space
from latentcodec.models.precise import rounds_factors
from latentcodec.models.transforms import Synthesis, averaged_rows

_EXACT = 256  # whole numbers up to this are exact in bfloat16


class FirstLayers:
    """Of a synthesis at a level, for pixels that are means over scale x scale."""

    def __init__(
        self, g_s: Synthesis, units: Tensor, y_std: Tensor, level: Tensor, scale: int
    ) -> None:
        """units: 1/16 steps of y_hat, float32 [M]; y_std: float32 [M]; level: float32 [1]."""
        stem, row = g_s.stem_16, g_s.level_16(level).view(-1)
        self._dtype = stem.weight.dtype
        self._stem = (stem.weight.float() * (units / y_std)).to(self._dtype)
        self._bias = (stem.bias + row).to(self._dtype)
        weight = averaged_rows(g_s.shortcut.weight, scale) * units
        self._weight = weight
        self._rest: Tensor | None = None
        if rounds_factors():
            # The factors are the sums of two that bfloat16 holds, as in `precise.precise_product`.
            self._weight = weight.bfloat16().float()
            self._rest = weight - self._weight

    def __call__(self, v: Tensor, out: Tensor) -> Tensor:
        """Write what the first blocks see to out, [1, h, w, D], of v_hat, int [1, h, w, M],
        or of latents in steps that are not quantised, float.

        Returns the shortcut's part of the pixels, float32 [1, side h, side w, 3], before filters
        across borders of blocks.
        """
        _, h, w, _ = v.shape
        v = v.flatten(0, -2)
        rough = v.to(self._dtype)
        torch.addmm(self._bias, rough, self._stem.T, out=out.flatten(0, -2))
        blocks = self._shortcut(v, rough).view(1, h, w, -1)
        side = math.isqrt(blocks.shape[-1] // 3)
        return depth_to_space(blocks, side, with_ends(1, side * h, side * w, 3, like=blocks))

    def _shortcut(self, v: Tensor, rough: Tensor) -> Tensor:
        """Float32 [n, 3 side^2] of v, [n, M], and of the same in the precision of features."""
        if self._rest is None:
            return functional.linear(v.float(), self._weight)
        coarse = rough.bfloat16().float()
        out = functional.linear(coarse, self._weight).addmm_(coarse, self._rest.T)
        if v.is_floating_point():  # of a picture that is drawn: no value need be a whole one
            out.addmm_(v.float() - coarse, self._weight.T)
        elif len(v):
            large = ((v.amax(0) > _EXACT) | (v.amin(0) < -_EXACT)).nonzero().view(-1)
            rest = v[:, large] - coarse[:, large]
            out.addmm_(rest, self._weight[:, large].T)
        return out
