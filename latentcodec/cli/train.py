"""`latentcodec train`."""

from __future__ import annotations

from typing import Any

import click

from latentcodec.cli.declared import declared
from latentcodec.models.families import SIZES, sized
from latentcodec.training.settings import Settings


@click.command()
@declared(Settings)
@click.option(
    "--config", type=click.Choice(SIZES), default="base", show_default=True, help="Its size."
)
@click.option(
    "--precision",
    type=click.Choice(["auto", "float32", "bfloat16"]),
    default="auto",
    show_default=True,
    help="Of the products: auto takes bfloat16 where that is fast.",
)
def command(config: str, precision: str, **chosen: Any) -> None:
    """Train a model; a checkpoint is written every few minutes and on SIGTERM or Ctrl-C.

    After SIGTERM the exit code is 0, as the run can go on from there, and after Ctrl-C 130.

    The learning rate is constant and descends over the last --decay share of the budget. The
    state before the descent is kept as OUT.stable: resume that with more --minutes.
    """
    settings = Settings(config=sized(chosen["family"], config), **chosen)
    _check(settings)
    from latentcodec.runtime.compute import check_device
    from latentcodec.runtime.precision import prefers_bfloat16
    from latentcodec.training.loop import train

    try:
        check_device(settings.device, "torch")
        automatic = precision == "auto" and prefers_bfloat16(settings.device)
        settings.bfloat16 = automatic or precision == "bfloat16"
        train(settings, click.echo)
    except ValueError as error:
        raise click.ClickException(str(error)) from error


def _check(settings: Settings) -> None:
    """Raises UsageError for options that exclude each other, or need one another."""
    crop, out = settings.crop_px, settings.out
    if out.is_dir() or not out.name:
        raise click.BadParameter(f"{out} is a folder: --out is a file to write")
    if not out.absolute().parent.is_dir():
        raise click.BadParameter(f"the folder of --out {out} does not exist")
    if (settings.minutes is None) == (settings.updates is None):
        raise click.UsageError("give either --minutes or --updates")
    if crop % 64 or (settings.family == "vae64" and crop != 64):
        raise click.BadParameter("--crop must be a multiple of 64, and for vae64 it is 64")
    if settings.distortion == "ms-ssim":
        _check_structural(crop)
    if settings.transforms and (settings.resume or settings.family == "vae64"):
        raise click.UsageError("--transforms goes with neither --resume nor vae64")
    if settings.prune and not settings.resume:
        raise click.UsageError("--prune goes with --resume")


def _check_structural(crop: int) -> None:
    """Raises BadParameter for crops without five scales."""
    from latentcodec.models.distortion import SMALLEST_CROP_PX

    if crop < SMALLEST_CROP_PX:
        raise click.BadParameter(f"--distortion ms-ssim needs a --crop of {SMALLEST_CROP_PX} px")
