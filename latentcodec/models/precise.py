"""Products in float32 where torch is set to round their factors to bfloat16."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def rounds_factors() -> bool:
    """Whether torch is set so, by `set_float32_matmul_precision`: pixels have more bits."""
    return torch.get_float32_matmul_precision() != "highest"


def precise_product(a: Tensor, b: Tensor) -> Tensor:
    """a @ b in float32, whatever torch is set to.

    Each factor is the sum of two that bfloat16 holds, to 16 bits together.
    """
    if not rounds_factors():
        return a @ b
    coarse_a, coarse_b = a.bfloat16().float(), b.bfloat16().float()
    out = coarse_a @ coarse_b
    for left, right in ((a - coarse_a, coarse_b), (coarse_a, b - coarse_b)):
        if b.ndim == 2:
            out.flatten(0, -2).addmm_(left.flatten(0, -2), right)
        else:
            out += left @ right
    return out


class _Shortcut(torch.autograd.Function):
    """x W^T in float32, whose gradients are products in bfloat16 where training has that."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return precise_product(x, weight.T)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        rows = gradient.flatten(0, -2).bfloat16()
        by_x = (rows @ weight.bfloat16()).float().view_as(x) if ctx.needs_input_grad[0] else None
        if not ctx.needs_input_grad[1]:
            return by_x, None
        return by_x, (rows.T @ x.flatten(0, -2).bfloat16()).float()


def linear_shortcut(x: Tensor, weight: Tensor) -> Tensor:
    """x W^T, float32 [..., out]; the gradients need less precision than the pixels."""
    return _Shortcut.apply(x, weight)
