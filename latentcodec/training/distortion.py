"""What training minimises besides the rate."""

from __future__ import annotations

from torch import Tensor

# Photographs coded by models that were trained for squared error have about as much squared error
# as 1 - MS-SSIM times this, so that a mix of both keeps the quality scale.
_STRUCTURE = 1300
_SHARE = 0.7
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
