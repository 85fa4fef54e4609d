"""`latentcodec info`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from latentcodec.errors import LatError


def _facts(source: Path) -> dict[str, Any]:
    """What is printed, with the keys of the JSON object."""
    from latentcodec.info import read_info

    try:
        info = read_info(source)
    except LatError as error:
        raise LatError(f"{source}: {error}") from error
    return {
        "version": info.version,
        "width_px": info.width_px,
        "height_px": info.height_px,
        "colour": info.colour,
        "quality": info.quality,
        "model": info.model,
        "model_code": info.model_code,
        "weights_hash": info.weights_hash,
        "tiles": info.tiles,
        "file_bytes": info.file_bytes,
        "bits_per_pixel": round(info.bits_per_pixel, 4),
        "chunk_bytes": dict(info.chunk_bytes),
    }


@click.command()
@click.argument("source", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(source: Path, as_json: bool) -> None:
    """Describe a .lat file: size, model, quality, bits per pixel, bytes per chunk."""
    facts = _facts(source)
    if as_json:
        click.echo(json.dumps(facts))
        return
    model = facts["model"] or "not installed"
    click.echo(f"{source}: .lat version {facts['version']}")
    click.echo(f"  picture   {facts['width_px']} x {facts['height_px']} px, {facts['colour']}")
    click.echo(f"  model     {model} ({facts['model_code']}, {facts['weights_hash']})")
    click.echo(f"  quality   {facts['quality']:g}")
    click.echo(f"  size      {facts['file_bytes']} bytes, {facts['bits_per_pixel']} bits per pixel")
    click.echo(f"  tiles     {facts['tiles']}")
    for name, count in facts["chunk_bytes"].items():
        click.echo(f"  {name:<9} {count} bytes")
