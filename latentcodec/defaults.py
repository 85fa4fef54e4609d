"""What is done where nothing is said."""

from __future__ import annotations

from typing import Literal

QUALITY: float = 50  # 1 to 100
TUNE: Literal["ssim", "psnr"] = "ssim"  # the manifest of the weights says which model this is
