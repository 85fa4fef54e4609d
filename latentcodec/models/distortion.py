"""What training minimises besides the rate, and the encoder when it refines latents."""

from __future__ import annotations

from torch import Tensor

# Photographs coded by models that were trained for squared error have about as much squared error
# as 1 - MS-SSIM times this, so that a mix of both keeps the quality scale.
_STRUCTURE = 1300
_SHARE = 0.7
_BLOCK_PX = 256  # of a picture, as large as the crops of training
_LEAST_PX = 161  # of a side, for five scales of a window of 11 px
SMALLEST_CROP_PX = 192  # five scales of a window of 11 px need more than 160, and crops are n * 64


def squared_error(x_hat: Tensor, x: Tensor) -> Tensor:
    """Mean squared error on the scale of 255: pixels in -1..1, [B, H, W, 3], twice -> [B]."""
    return (x_hat - x).square().mean(dim=(1, 2, 3)) * 127.5**2


def structural(x_hat: Tensor, x: Tensor) -> Tensor:
    """Mostly 1 - MS-SSIM (Wang et al. 2003), on the scale of `squared_error`, and some of that.

    Squared error alone holds colours and contrast in place, which MS-SSIM hardly sees.
    """
    from pytorch_msssim import ms_ssim

    shown = [((t.float() + 1) * 127.5).permute(0, 3, 1, 2).contiguous() for t in (x_hat, x)]
    similarity: Tensor = ms_ssim(*shown, data_range=255, size_average=False)
    return (1 - _SHARE) * squared_error(x_hat, x) + _SHARE * _STRUCTURE * (1 - similarity)


def total_squared_error(x_hat: Tensor, x: Tensor) -> Tensor:
    """`squared_error` of all pixels together: [1, H, W, 3] in -1..1, twice -> a sum."""
    return (x_hat - x).square().sum() * (127.5**2 / 3)


def total_structural(x_hat: Tensor, x: Tensor) -> Tensor:
    """`structural` of all pixels together, each of blocks that are as large as crops of training.

    Of pictures too small for five scales it is the squared error.
    """
    _, height, width, _ = x.shape
    if min(height, width) < _LEAST_PX:
        return total_squared_error(x_hat, x)
    total = x.new_zeros(())
    for rows in _block_spans(height):
        for columns in _block_spans(width):
            pair = (t[:, rows, columns] for t in (x_hat, x))
            count = (rows.stop - rows.start) * (columns.stop - columns.start)
            total = total + structural(*pair).sum() * count
    return total


def _block_spans(side: int) -> list[slice]:
    """Blocks of _BLOCK_PX along a side, the last of which takes what is left."""
    count = max(side // _BLOCK_PX, 1)
    ends = [*range(_BLOCK_PX, count * _BLOCK_PX, _BLOCK_PX), side]
    return [slice(start, stop) for start, stop in zip([0, *ends[:-1]], ends, strict=True)]
