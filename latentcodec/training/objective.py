"""What training minimises, of one batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from latentcodec.models.distortion import squared_error, structural

if TYPE_CHECKING:
    from latentcodec.models.config import Config
    from latentcodec.models.transforms import Output
    from latentcodec.training.settings import Settings


class Losses(NamedTuple):
    """Of each crop, [B]: the weighted loss, bits per pixel, and squared error on a scale of 255."""

    loss: Tensor
    bpp: Tensor
    squared_error: Tensor

    def means(self) -> dict[str, Tensor]:
        """Detached scalars: the mean loss and bits per pixel, and the mean PSNR in dB."""
        psnr = 10 * torch.log10(255**2 / self.squared_error)
        named = {"loss": self.loss, "bpp": self.bpp, "psnr": psnr}
        return {name: values.detach().mean() for name, values in named.items()}


def losses(
    forward: Callable[..., Output],
    x: Tensor,
    level: Tensor,
    config: Config,
    settings: Settings,
) -> Losses:
    """lambda * distortion + bits per pixel, each crop's weighted by a power of its lambda.

    forward: a model. x: [B, H, W, 3] in -1..1; level: [B] in 0..anchors - 1.
    """
    with torch.autocast(x.device.type, torch.bfloat16, enabled=settings.bfloat16):
        out = forward(x, level)
    lambda_ = config.lambda_of(level)
    squared = squared_error(out.x_hat, x)
    error = structural(out.x_hat, x) if settings.distortion == "ms-ssim" else squared
    bpp = out.bits / settings.crop_px**2
    return Losses((lambda_ * error + bpp) * lambda_**-settings.loss_exponent, bpp, squared)
