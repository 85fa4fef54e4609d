"""Products and filters that apply the function behind them to what they have just summed up.

torch writes a layer's result to memory and reads it again for the function behind it, which takes
as long as a small product. oneDNN does both in one pass. These operators of torch are those that
its compiler puts in; where a build has none, or a function is not among theirs, it is two passes.
"""

from __future__ import annotations

import functools

import torch
from torch import Tensor
from torch.nn import functional


@functools.cache
def _is_there(dtype: torch.dtype) -> bool:
    """Whether this build and this processor have them for a type."""
    operators = torch.ops.mkldnn
    if not all(hasattr(operators, name) for name in ("_linear_pointwise", "_convolution_pointwise")):
        return False
    if dtype == torch.bfloat16:
        return bool(operators._is_mkldnn_bf16_supported())
    return dtype == torch.float32


def _fuses(x: Tensor) -> bool:
    return x.device.type == "cpu" and _is_there(x.dtype)


def hardswish_linear(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """hardswish(x W^T + b), [n, out] of x [n, in]; weight: [out, in]."""
    if _fuses(x):
        return torch.ops.mkldnn._linear_pointwise(x, weight, bias, "hardswish", [], "")
    return functional.hardswish(functional.linear(x, weight, bias), inplace=True)


def clamped_linear(x: Tensor, weight: Tensor, bias: Tensor, low: float, high: float) -> Tensor:
    """x W^T + b within low..high, [n, out] of x [n, in]; weight: [out, in]."""
    if _fuses(x):
        return torch.ops.mkldnn._linear_pointwise(x, weight, bias, "hardtanh", [low, high], "")
    return (x @ weight.mT).add_(bias).clamp_(low, high)  # `addmm` takes longer


def clamped_depthwise(x: Tensor, taps: Tensor, low: float, high: float) -> Tensor:
    """x [B, C, H, W], channels last, filtered with taps [C, 1, k, k] and within low..high."""
    padding = taps.shape[-1] // 2
    if _fuses(x):
        return torch.ops.mkldnn._convolution_pointwise(
            x,
            taps,
            None,
            [padding, padding],
            [1, 1],
            [1, 1],
            len(taps),
            "hardtanh",
            [low, high],
            "",
        )
    h = functional.conv2d(x, taps, padding=padding, groups=len(taps))
    return h.clamp_(low, high)
