"""`latentcodec interpolate`."""

from __future__ import annotations

from pathlib import Path

import click

from latentcodec.cli import options
from latentcodec.cli.paths import check_apart


@click.command()
@click.argument("first", metavar="A", type=click.Path(path_type=Path))
@click.argument("second", metavar="B", type=click.Path(path_type=Path))
@click.argument("target", metavar="OUT", type=click.Path(path_type=Path))
@click.option("--model", default="vae", show_default=True, help="A packaged model, by name.")
@options.weights
@click.option("--steps", type=click.IntRange(2, 200), default=9, show_default=True)
@click.option(
    "--path",
    type=click.Choice(["spherical", "linear"]),
    default="spherical",
    show_default=True,
    help="The way through the latent space.",
)
@options.quality
def command(
    first: Path,
    second: Path,
    target: Path,
    model: str,
    weights: str | None,
    steps: int,
    path: str,
    quality: float,
) -> None:
    """Go from image A to image B through the latents of a model.

    OUT.gif is an animation there and back, any other OUT a strip of the steps. B is scaled and
    cropped to the size of A. An existing OUT is overwritten.
    """
    check_apart(target, first, second)
    from latentcodec.images.files import frames_bytes, open_image
    from latentcodec.pipeline.generate import interpolate, montage
    from latentcodec.system.atomic_write import write_file

    form = options.written_format(str(target))
    model = options.chosen_model(model, weights)
    start = open_image(first)
    try:
        pictures = interpolate(start, open_image(second), steps, model, quality, path)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    animated = form == "GIF"
    frames = pictures + pictures[-2:0:-1] if animated else [montage(pictures, columns=steps)]
    data = frames_bytes(frames, form)
    write_file(target, data)
    click.echo(f"{target}: {steps} steps")
