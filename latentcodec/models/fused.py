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
    x = torch.ones(1, 1, 1, 1, dtype=dtype, device="cpu")  # whatever else is torch's default
    taps = 9 * x
    rows, weight = x.view(1, 1), taps.view(1, 1)
    try:
        found = _linear(rows, weight, rows.view(1), "hardtanh", [-2.0, 2.0])
        filtered = _depthwise(x, taps, -2, 2)
    except (AttributeError, RuntimeError):
        return False
    return found.item() == filtered.item() == 2


def _fuses(x: Tensor, weight: Tensor) -> bool:
    one_type = x.dtype == weight.dtype  # autocast would see to others
    return one_type and x.device.type == "cpu" and _is_there(x.dtype)


def _linear(x: Tensor, weight: Tensor, bias: Tensor, function: str, bounds: list[float]) -> Tensor:
    return torch.ops.mkldnn._linear_pointwise(x, weight, bias, function, bounds, "")


def _depthwise(x: Tensor, taps: Tensor, low: float, high: float) -> Tensor:
    ones, padding, groups = [1, 1], [taps.shape[-1] // 2] * 2, len(taps)
    return torch.ops.mkldnn._convolution_pointwise(
        x, taps, None, padding, ones, ones, groups, "hardtanh", [low, high], ""
    )


def hardswish_linear(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """hardswish(x W^T + b), [n, out] of x [n, in]; weight: [out, in]."""
    if _fuses(x, weight):
        return _linear(x, weight, bias, "hardswish", [])
    return functional.hardswish(functional.linear(x, weight, bias), inplace=True)


def clamped_linear(x: Tensor, weight: Tensor, bias: Tensor, low: float, high: float) -> Tensor:
    """x W^T + b within low..high, [n, out] of x [n, in]; weight: [out, in]."""
    if _fuses(x, weight):
        return _linear(x, weight, bias, "hardtanh", [low, high])
    return (x @ weight.mT).add_(bias).clamp_(low, high)  # `addmm` takes longer


def clamped_depthwise(x: Tensor, taps: Tensor, low: float, high: float) -> Tensor:
    """x [B, C, H, W], channels last, filtered with taps [C, 1, k, k] and within low..high."""
    if _fuses(x, taps):
        return _depthwise(x, taps, low, high)
    h = functional.conv2d(x, taps, padding=taps.shape[-1] // 2, groups=len(taps))
    return h.clamp_(low, high)
