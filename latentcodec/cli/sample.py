"""`latentcodec sample`."""

from __future__ import annotations

import math
from pathlib import Path

import click

from latentcodec.cli import options


@click.command()
@click.argument("target", metavar="OUT", type=click.Path(path_type=Path))
@click.option("--model", default="vae", show_default=True, help="A packaged model, by name.")
@options.weights
@click.option("-n", "--count", type=click.IntRange(1, 400), default=16, show_default=True)
@click.option(
    "--size",
    callback=options.parse_size,
    help="Of each picture, WIDTHxHEIGHT in pixels [256x256, or what the model has].",
)
@options.quality
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
def command(
    target: Path,
    model: str,
    weights: str | None,
    count: int,
    size: tuple[int, int] | None,
    quality: float,
    seed: int,
) -> None:
    """Draw pictures from a model and write them as a grid to the image OUT.

    The same seed gives the same latents. --quality chooses the level whose model is drawn from.
    An existing OUT is overwritten.
    """
    from latentcodec.images.files import frames_bytes
    from latentcodec.pipeline.generate import montage, sample
    from latentcodec.system.atomic_write import write_file

    form = options.written_format(str(target))
    model = options.chosen_model(model, weights)
    try:
        pictures = sample(model, count, size, quality, seed)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
    grid = montage(pictures, columns=math.ceil(math.sqrt(count)))
    write_file(target, frames_bytes([grid], form))
    height, width, _ = pictures[0].shape
    click.echo(f"{target}: {count} of {width} x {height}, seed {seed}")
