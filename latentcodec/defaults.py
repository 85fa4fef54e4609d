"""What is done where nothing is said."""

from __future__ import annotations

from typing import Literal

QUALITY: float = 50  # 1 to 100
EFFORT = 2  # of the encoder, 1 to 9
TUNE: Literal["ssim", "psnr"] = "ssim"  # the manifest of the weights says which model this is
IMAGE_QUALITY = 95  # of what is written with losses, as JPEG
