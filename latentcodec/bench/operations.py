"""The operations of matrix products and convolutions, counted while torch computes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch.utils.flop_counter import FlopCounterMode


def operation_counter() -> FlopCounterMode:
    """torch's counter, which counts those of this thread while it is entered, with those that it
    leaves out: of products added in place, and of layers with a function behind them in one pass.
    """
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    mapping: dict[Any, Callable[..., int]] = {torch.ops.aten.addmm_: _of_added_product}
    fused: dict[str, Callable[..., int]] = {
        "_linear_pointwise": _of_linear,
        "_convolution_pointwise": _of_depthwise,
    }
    for name, count in fused.items():
        if hasattr(torch.ops.mkldnn, name):  # not in every build
            mapping[getattr(torch.ops.mkldnn, name)] = count
    return FlopCounterMode(display=False, custom_mapping=mapping)


def _of_added_product(
    added: Sequence[int], a: Sequence[int], b: Sequence[int], **others: object
) -> int:
    """Of a @ b, given shapes."""
    return 2 * a[0] * a[1] * b[1]


def _of_linear(x: Sequence[int], weight: Sequence[int], *others: object, **more: object) -> int:
    """Of x W^T."""
    return 2 * x[0] * weight[0] * weight[1]


def _of_depthwise(x: Sequence[int], taps: Sequence[int], *others: object, **more: object) -> int:
    """Of a filter for each channel that keeps the size."""
    batch, channels, height, width = x
    return 2 * batch * channels * height * width * taps[2] * taps[3]
