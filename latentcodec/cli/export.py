"""`latentcodec export`."""

from __future__ import annotations

from pathlib import Path

import click

from latentcodec.cli.declared import Number
from latentcodec.cli.paths import check_apart

_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("checkpoint", type=_PATH)
@click.argument("weights", type=_PATH)
@click.option("--register", nargs=2, metavar="NAME CODE", help="Enter into WEIGHTS' manifest.json.")
@click.option("--average", type=Number(0, 1), help="Decay of the average [the first].")
@click.option(
    "--calibrate",
    multiple=True,
    type=_PATH,
    metavar="DATA",
    help="Photographs (a folder or tar) to measure the probability tables or steps on.",
)
def command(
    checkpoint: Path,
    weights: Path,
    register: tuple[str, str] | None,
    average: float | None,
    calibrate: tuple[Path, ...],
) -> None:
    """Make packaged WEIGHTS (safetensors) from a CHECKPOINT of `latentcodec train`.

    The prior becomes integer networks and tables; the exactness bound is checked. A vae needs
    --calibrate, hyper gains by it, and an ae has no use for it. --register
    gives the model its permanent name and four-character code.
    """
    check_apart(weights, checkpoint, *calibrate)
    if register:
        _check_code(register[1])
    from latentcodec.training import export

    try:
        export.export(checkpoint, weights, list(calibrate), average)
        if register:
            export.register(weights, *register)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{weights}: {weights.stat().st_size} bytes")


def _check_code(code: str) -> None:
    """Raises BadParameter for what no header holds."""
    if len(code) != 4 or not all("!" <= letter <= "~" for letter in code):
        raise click.BadParameter("a model code has four printable ASCII characters, and no blank")
