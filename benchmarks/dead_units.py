"""Hidden units of each residual block of a model that never fire on photographs, and what the less
used half of them does.

python benchmarks/dead_units.py checkpoints/hyper-base.safetensors PHOTOS
"""

from __future__ import annotations

from pathlib import Path

import click
import torch

from latentcodec.models.families import build
from latentcodec.training import checkpoint, hidden_units
from latentcodec.training.data import CropSampler, Photographs, augmentation_of
from latentcodec.training.restore import Saved

_BATCHES, _CROPS, _CROP_PX = 4, 8, 256


@click.command()
@click.argument("weights", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("photos", type=click.Path(exists=True, path_type=Path))
@click.option("--model", default="hyper", show_default=True, help="The family of the model.")
def main(weights: Path, photos: Path, model: str) -> None:
    """WEIGHTS: a checkpoint or packaged weights. PHOTOS: a folder of images, or tars."""
    try:
        saved = Saved.load(weights, model)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    net = build(model, saved.config)
    net.load_state_dict(checkpoint.under(saved.tensors, "average/"))
    augmentation = augmentation_of(model)
    photographs = Photographs.load(
        [photos], augmentation.smallest_px(_CROP_PX), torch.device("cpu")
    )
    sampler = CropSampler(photographs, _CROP_PX, 1, augmentation)
    torch.manual_seed(1)
    level = torch.linspace(0, saved.config.anchors - 1, _CROPS)
    seen = hidden_units.activity(net, (sampler.batch(i, _CROPS) for i in range(_BATCHES)), level)
    for name, units in seen.items():
        dead = int((units.fired == 0).sum())
        part, _ = hidden_units.part_in_output(
            units, net.get_parameter(f"{name}.project.weight").detach()
        )
        half = float(part[: len(part) // 2].sum() / part.sum().clamp_min(1e-30))
        click.echo(
            f"{name:<20} {dead:4} of {len(part):4} fire at none of {units.positions} positions; "
            f"half of them have {half:.2%} of the energy"
        )


if __name__ == "__main__":
    main()
