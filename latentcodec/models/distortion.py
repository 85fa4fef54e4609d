"""What training minimises besides the rate, and the encoder when it refines latents."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from latentcodec.models.ms_ssim import MsSsim

# The error of the model for the eye: how much 1 - MS-SSIM counts, of R, G and B and of luma, and
# squared error. Luma counts most, as eyes see it best (docs/training.md). These factors keep the
# quality scale: a quality costs about as many bits as it does with the model for squared error.
_COLOUR_STRUCTURE, _LUMA_STRUCTURE, _SQUARED = 193.0, 967.0, 0.34
LUMA = (0.299, 0.587, 0.114)  # of R, G and B: ITU-R BT.601
_BLOCK_PX = 256  # of a picture, as large as the crops of training
_LEAST_PX = 161  # of a side, for five scales of a window of 11 px
SMALLEST_CROP_PX = 192  # five scales of a window of 11 px need more than 160, and crops are n * 64


def squared_error(x_hat: Tensor, x: Tensor) -> Tensor:
    """Mean squared error on the scale of 255: pixels in -1..1, [B, H, W, 3], twice -> [B]."""
    return (x_hat - x).square().mean(dim=(1, 2, 3)) * 127.5**2


def structural(x_hat: Tensor, x: Tensor) -> Tensor:
    """Mostly 1 - MS-SSIM, of luma more than of R, G and B, and some `squared_error`, on its scale.

    Squared error alone holds colours and contrast in place, which MS-SSIM hardly sees.
    """
    return _Structural(x)(x_hat)


class _Structural:
    """`structural` to pictures that are compared again and again."""

    def __init__(self, x: Tensor) -> None:
        self._x, self._similarity = x, MsSsim(_planes(x))

    def __call__(self, x_hat: Tensor) -> Tensor:
        lost = 1 - self._similarity(_planes(x_hat))
        structure = _COLOUR_STRUCTURE * lost[:, :3].mean(1) + _LUMA_STRUCTURE * lost[:, 3]
        return _SQUARED * squared_error(x_hat, self._x) + structure


def _planes(x: Tensor) -> Tensor:
    """R, G, B and luma in 0..1, float32 [B, 4, H, W], of pixels in -1..1."""
    rgb = (x.float() + 1) / 2
    luma = rgb @ torch.tensor(LUMA, device=x.device)[:, None]
    return torch.cat([rgb, luma], -1).permute(0, 3, 1, 2)


class TotalSquaredError:
    """`squared_error` of all pixels together, to a picture: [1, H, W, 3] in -1..1, in parts."""

    def __init__(self, x: Tensor) -> None:
        self._x = x

    def __call__(self, x_hat: Tensor) -> Iterator[Tensor]:
        """Sums, here one of all pixels."""
        yield (x_hat - self._x).square().sum() * (127.5**2 / 3)


class TotalStructural:
    """`structural` of all pixels together, to a picture: [1, H, W, 3] in -1..1, in parts.

    It is measured in blocks that are as large as crops of training. Of pictures too small for five
    scales it is the squared error.
    """

    def __init__(self, x: Tensor) -> None:
        _, height, width, _ = x.shape
        self._squared = TotalSquaredError(x) if min(height, width) < _LEAST_PX else None
        self._blocks = []
        if self._squared is None:
            for rows in _block_spans(height):
                for columns in _block_spans(width):
                    error = _Structural(x[:, rows, columns])
                    self._blocks.append((rows, columns, error))

    def __call__(self, x_hat: Tensor) -> Iterator[Tensor]:
        """Sums over the pixels of each block."""
        if self._squared is not None:
            yield from self._squared(x_hat)
        for rows, columns, error in self._blocks:
            count = (rows.stop - rows.start) * (columns.stop - columns.start)
            yield error(x_hat[:, rows, columns]).sum() * count


def _block_spans(side: int) -> list[slice]:
    """Blocks of _BLOCK_PX along a side, the last of which takes what is left."""
    count = max(side // _BLOCK_PX, 1)
    ends = [*range(_BLOCK_PX, count * _BLOCK_PX, _BLOCK_PX), side]
    return [slice(start, stop) for start, stop in zip([0, *ends[:-1]], ends, strict=True)]
