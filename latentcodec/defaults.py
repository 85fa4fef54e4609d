"""What is done where nothing is said."""

from __future__ import annotations

MODEL = "hyper"  # the first packaged one of that family
QUALITY: float = 50  # 1 to 100
