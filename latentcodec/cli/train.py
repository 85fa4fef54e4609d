"""`latentcodec train`."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import click

from latentcodec.models.families import FAMILIES, SIZES, sized

_PATH = click.Path(path_type=Path)


def _part_bytes(ctx: click.Context, param: click.Parameter, value: str | None) -> int:
    """`16MiB` as bytes."""
    units = {"": 1, "KiB": 1 << 10, "MiB": 1 << 20}
    if value is None:
        return 0
    digits = value.rstrip("KMiB")
    unit = value[len(digits) :]
    if not digits.isdigit() or not int(digits) or unit not in units:
        raise click.BadParameter(f"{value!r} is not a size such as 16MiB")
    return int(digits) * units[unit]


@click.command()
@click.option(
    "--data", "data", multiple=True, required=True, type=_PATH, help="A folder of images, or tars."
)
@click.option(
    "--graphics",
    multiple=True,
    type=_PATH,
    help="Screens, plots and text, as --data: 12 % of the crops.",
)
@click.option("--grain", is_flag=True, help="Add noise to some crops of the upper qualities.")
@click.option(
    "--average",
    "averages",
    multiple=True,
    type=click.FloatRange(0, 1),
    default=[0.999],
    show_default=True,
    help="Decay of an average of the weights; several are kept side by side.",
)
@click.option("--model", type=click.Choice(list(FAMILIES)), default="hyper", show_default=True)
@click.option("--config", type=click.Choice(SIZES), default="base", show_default=True)
@click.option("--out", required=True, type=_PATH, help="The checkpoint to write.")
@click.option(
    "--resume",
    type=_PATH,
    help="A checkpoint, whole or in parts, or packaged weights to go on from.",
)
@click.option("--prune", is_flag=True, help="Cut its hidden units to the sizes of --config.")
@click.option(
    "--transforms",
    type=_PATH,
    help="Start from the transforms of this model, of any family, instead of the DCT's.",
)
@click.option("--minutes", type=click.FloatRange(min=0, min_open=True), help="Of training, in all.")
@click.option("--updates", type=click.IntRange(min=1), help="Instead of --minutes: steps in all.")
@click.option("--batch", type=click.IntRange(min=1), default=8, show_default=True)
@click.option("--crop", type=click.IntRange(min=64), default=256, show_default=True, help="Pixels.")
@click.option(
    "--distortion",
    type=click.Choice(["mse", "ms-ssim"]),
    default="mse",
    show_default=True,
    help="What is minimised: squared error, or mostly structural dissimilarity.",
)
@click.option("--device", default="cpu", show_default=True)
@click.option("--precision", type=click.Choice(["auto", "float32", "bfloat16"]), default="auto")
@click.option("--compile", "compiled", is_flag=True, help="Use torch.compile.")
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--decay", type=click.FloatRange(0, 1), default=0.3, show_default=True)
@click.option("--save-minutes", type=click.FloatRange(min=0.1), default=5, show_default=True)
@click.option("--part-size", callback=_part_bytes, help="Split checkpoints, such as 16MiB.")
def command(
    data: tuple[Path, ...],
    graphics: tuple[Path, ...],
    grain: bool,
    averages: tuple[float, ...],
    model: str,
    config: str,
    out: Path,
    resume: Path | None,
    prune: bool,
    transforms: Path | None,
    minutes: float | None,
    updates: int | None,
    batch: int,
    crop: int,
    distortion: str,
    device: str,
    precision: str,
    compiled: bool,
    seed: int,
    decay: float,
    save_minutes: float,
    part_size: int,
) -> None:
    """Train a model; a checkpoint is written every few minutes and on SIGTERM or Ctrl-C.

    The learning rate is constant and descends over the last --decay share of the budget. The
    state before the descent is kept as OUT.stable: resume that with more --minutes.
    """
    if (minutes is None) == (updates is None):
        raise click.UsageError("give either --minutes or --updates")
    if crop % 64 or (model == "vae64" and crop != 64):
        raise click.BadParameter("--crop must be a multiple of 64, and for vae64 it is 64")
    if distortion == "ms-ssim":
        _check_structural(crop)
    if transforms and (resume or model == "vae64"):
        raise click.UsageError("--transforms goes with neither --resume nor vae64")
    if prune and not resume:
        raise click.UsageError("--prune goes with --resume")
    from latentcodec.training.loop import prefers_bfloat16, train
    from latentcodec.training.settings import Settings

    chosen = sized(model, config)
    settings = Settings(
        data=list(data),
        graphics=list(graphics),
        grain=grain,
        averages=averages,
        out=out,
        family=model,
        config=chosen,
        resume=resume,
        prune=prune,
        transforms=transforms,
        minutes=minutes,
        updates=updates,
        batch=batch,
        crop_px=crop,
        distortion=distortion,
        device=device,
        bfloat16=prefers_bfloat16(device) if precision == "auto" else precision == "bfloat16",
        compile=compiled,
        seed=seed,
        decay_share=decay,
        save_minutes=save_minutes,
        part_bytes=part_size,
    )
    try:
        train(settings, click.echo)
    except ValueError as error:
        raise click.ClickException(str(error)) from error


def _check_structural(crop: int) -> None:
    """Raises BadParameter for crops without five scales, ClickException without the library."""
    from latentcodec.training.distortion import SMALLEST_CROP_PX

    if crop < SMALLEST_CROP_PX:
        raise click.BadParameter(f"--distortion ms-ssim needs a --crop of {SMALLEST_CROP_PX} px")
    if importlib.util.find_spec("pytorch_msssim") is None:
        raise click.ClickException("pytorch-msssim is missing: pip install 'latentcodec[bench]'")
