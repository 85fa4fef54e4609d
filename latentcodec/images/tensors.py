"""Pictures as tensors, channels first. torch is imported only where there is one, or is to be."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np

from latentcodec.errors import UnsupportedImage

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor
    from typing_extensions import TypeIs


def is_tensor(value: object) -> TypeIs[Tensor]:
    """Whether `value` is a tensor; until torch has been imported, nothing is."""
    # Another thread may be importing it right now.
    return isinstance(value, getattr(sys.modules.get("torch"), "Tensor", ()))


def pixels_of_tensor(tensor: Tensor) -> NDArray[np.uint8]:
    """uint8 [H, W, C] of a tensor [C, H, W], uint8 or floats in 0..1, on any device.

    Floats are rounded to the nearest of 256 levels. Raises UnsupportedImage for anything else.
    """
    import torch

    if tensor.ndim != 3 or tensor.shape[0] not in (1, 2, 3, 4) or not tensor.numel():
        shape = list(tensor.shape)
        raise UnsupportedImage(f"a tensor must have the shape [1 to 4, H, W], not {shape}")
    if tensor.is_floating_point():
        # Written so that NaN is outside, too.
        if not (tensor.min() >= 0 and tensor.max() <= 1):
            raise UnsupportedImage("a tensor of floats must lie in 0..1; clamp it first")
        tensor = tensor.detach().float().mul(255).round().to(torch.uint8)
    if tensor.dtype != torch.uint8:
        raise UnsupportedImage(f"a tensor must hold uint8 or floats in 0..1, not {tensor.dtype}")
    return np.ascontiguousarray(tensor.detach().cpu().permute(1, 2, 0).numpy())


def tensor_of(pixels: NDArray[np.uint8]) -> Tensor:
    """uint8 [C, H, W], on the CPU, of pixels [H, W] or [H, W, C]."""
    import torch

    channels = pixels[:, :, None] if pixels.ndim == 2 else pixels
    return torch.from_numpy(np.ascontiguousarray(channels.transpose(2, 0, 1)))
