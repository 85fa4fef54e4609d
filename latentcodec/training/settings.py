"""What a training was asked for, and how far it is."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from latentcodec.models.config import Config


@dataclasses.dataclass
class Settings:
    """What one `latentcodec train` was asked for."""

    data: list[Path]
    out: Path
    config: Config
    family: str = "hyper"
    resume: Path | None = None
    prune: bool = False  # cut hidden units of what is resumed that `config` has no room for
    transforms: Path | None = None  # a model of any family, whose transforms a new one starts from
    minutes: float | None = None  # of training in all, earlier runs included
    updates: int | None = None  # in all; one of the two is given
    batch: int = 8  # per process
    crop_px: int = 256
    device: str = "cpu"
    bfloat16: bool = False
    averages: tuple[float, ...] = (0.999,)  # decays; the first is exported unless another is named
    graphics: list[Path] = dataclasses.field(default_factory=list)  # screens, plots, text
    grain: bool = False  # noise on some crops of the upper qualities
    compile: bool = False
    seed: int = 1
    decay_share: float = 0.3
    distortion: str = "mse"  # or "ms-ssim"
    loss_exponent: float = 0.5  # each sample's loss is weighted by lambda ** -this
    save_minutes: float = 5.0
    part_bytes: int = 0


@dataclasses.dataclass
class Progress:
    """Counters over the whole life of a model; `runs` lists every spell of training."""

    step: int = 0
    crops: int = 0
    seconds: float = 0.0
    runs: list[dict[str, Any]] = dataclasses.field(default_factory=list)
