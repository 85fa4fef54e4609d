"""MS-SSIM of each channel (Wang, Simoncelli and Bovik 2003), quick to differentiate.

All that is blurred goes through one depthwise convolution, of which oneDNN's kernels take 16
channels at once; what is looked at again and again is blurred once.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # of the scales, finest first
_SIGMA, _TAPS = 1.5, 11  # of the Gaussian window, in pixels
_C1, _C2 = 0.01**2, 0.03**2


class MsSsim:
    """Similarity to some pictures."""

    def __init__(self, x: Tensor) -> None:
        """x: float32 [B, C, H, W] in 0..1, with sides of 161 px and more."""
        self._scales = []
        with torch.no_grad():
            for scale in range(len(_WEIGHTS)):
                x = _halved(x) if scale else x
                mean, square = _blurred(x, x.square())
                self._scales.append((x, mean, square))

    def __call__(self, x_hat: Tensor) -> Tensor:
        """[B, C], of as many pictures of the same size."""
        similar = []
        for scale, (weight, other) in enumerate(zip(_WEIGHTS, self._scales, strict=True)):
            x_hat = _halved(x_hat) if scale else x_hat
            structure, luminance = _maps(x_hat, *other)
            if scale == len(_WEIGHTS) - 1:
                structure = structure * luminance
            similar.append(structure.mean((2, 3)).relu() ** weight)
        return torch.stack(similar).prod(0)


def _halved(x: Tensor) -> Tensor:
    """Means of squares of four pixels; an odd side gets a row of zeros first."""
    return F.avg_pool2d(x, 2, padding=(x.shape[2] % 2, x.shape[3] % 2))


def _maps(x_hat: Tensor, x: Tensor, other: Tensor, other_square: Tensor) -> tuple[Tensor, Tensor]:
    """Similarity of contrast and structure, and of luminance, at each place of the window."""
    mean, square, product = _blurred(x_hat, x_hat.square(), x_hat * x)
    of_means = mean * other
    squares = mean.square() + other.square()
    structure = (2 * (product - of_means) + _C2) / (square + other_square - squares + _C2)
    return structure, (2 * of_means + _C1) / (squares + _C1)


def _blurred(*parts: Tensor) -> tuple[Tensor, ...]:
    """Each [B, C, H, W] without what the window has no place at."""
    x = torch.cat(parts, 1)
    offsets = torch.arange(_TAPS, device=x.device) - _TAPS // 2
    window = torch.exp(-0.5 * (offsets / _SIGMA) ** 2)
    taps = (window / window.sum()).expand(x.shape[1], 1, 1, _TAPS)
    across = F.conv2d(x.contiguous(memory_format=torch.channels_last), taps, groups=x.shape[1])
    return F.conv2d(across, taps.transpose(2, 3), groups=x.shape[1]).chunk(len(parts), 1)
