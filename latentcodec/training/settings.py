"""What a training was asked for, and how far it is."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from latentcodec.models.config import Config
from latentcodec.models.families import FAMILIES
from latentcodec.options import Flag


def _parse_size(text: str) -> int:
    """`16MiB` as bytes."""
    units = {"": 1, "KiB": 1 << 10, "MiB": 1 << 20}
    digits = text.rstrip("KMiB")
    unit = text[len(digits) :]
    if not digits.isdigit() or not int(digits) or unit not in units:
        raise ValueError(f"{text!r} is not a size such as 16MiB")
    return int(digits) * units[unit]


@dataclasses.dataclass
class Settings:
    """What one `latentcodec train` was asked for; a field with a `Flag` is an option of it.

    One of `updates` and `minutes` is given: of training in all, earlier runs included.
    """

    data: Annotated[Sequence[Path], Flag("A folder of images, or tars.")]
    out: Annotated[Path, Flag("The checkpoint to write.")]
    config: Config
    family: Annotated[
        str, Flag("Family of the model.", long="--model", choices=tuple(FAMILIES))
    ] = "hyper"
    resume: Annotated[
        Path | None, Flag("A checkpoint, whole or in parts, or packaged weights to go on from.")
    ] = None
    prune: Annotated[bool, Flag("Cut its hidden units to the sizes of --config.")] = False
    transforms: Annotated[
        Path | None,
        Flag("Start from the transforms of this model, of any family, instead of the DCT's."),
    ] = None
    minutes: Annotated[float | None, Flag("Of training, in all.", above=0)] = None
    updates: Annotated[int | None, Flag("Instead of --minutes: steps in all.", least=1)] = None
    batch: Annotated[int, Flag("Crops of an update, per process.", least=1)] = 8
    crop_px: Annotated[int, Flag("Side of the crops, in pixels.", long="--crop", least=64)] = 256
    device: Annotated[str, Flag("Where to train, as torch names it.")] = "cpu"
    bfloat16: bool = False
    averages: Annotated[
        tuple[float, ...],
        Flag(
            "Decay of an average of the weights; several are kept side by side.",
            long="--average",
            least=0,
            most=1,
        ),
    ] = (0.999,)  # the first is exported unless another is named
    graphics: Annotated[
        Sequence[Path], Flag("Screens, plots and text, as --data: 12 % of the crops.")
    ] = ()
    validation: Annotated[
        Sequence[Path],
        Flag("Photographs, as --data, whose loss is told with every checkpoint."),
    ] = ()
    log: Annotated[
        Path | None, Flag("A file to append JSON lines to, of what is told.", metavar="FILE")
    ] = None
    grain: Annotated[bool, Flag("Add noise to some crops of the upper qualities.")] = False
    compile: Annotated[bool, Flag("Use torch.compile.")] = False
    seed: Annotated[int, Flag("Of the crops, of noise and of new weights.")] = 1
    decay_share: Annotated[
        float,
        Flag("Share of the training in which rates descend.", long="--decay", least=0, most=1),
    ] = 0.3
    distortion: Annotated[
        Literal["mse", "ms-ssim"],
        Flag("What is minimised: squared error, or mostly structural dissimilarity."),
    ] = "mse"
    loss_exponent: float = 0.5  # each sample's loss is weighted by lambda ** -this
    save_minutes: Annotated[float, Flag("From one checkpoint to the next.", least=0.1)] = 5.0
    part_bytes: Annotated[
        int,
        Flag(
            "Split checkpoints, such as 16MiB.",
            long="--part-size",
            metavar="SIZE",
            parse=_parse_size,
        ),
    ] = 0


@dataclasses.dataclass
class Progress:
    """Counters over the whole life of a model; `runs` lists every spell of training."""

    step: int = 0
    crops: int = 0
    seconds: float = 0.0
    runs: list[dict[str, Any]] = dataclasses.field(default_factory=list)
