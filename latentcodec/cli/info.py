"""`latentcodec info`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click


def _describe(data: bytes) -> dict[str, Any]:
    from latentcodec import container, model_store
    from latentcodec.errors import UnknownModel

    file = container.read(data)
    header = file.header
    try:
        name: str | None = model_store.by_code(header.model_code, header.weights_hash).name
    except UnknownModel:
        name = None
    chunks = {"tiles": sum(map(len, file.tiles))}
    if file.alphas:
        chunks["alpha"] = sum(map(len, file.alphas))
    chunks |= {kind.name.lower(): len(payload) for kind, payload in file.metadata.items()}
    return {
        "version": container.VERSION,
        "width_px": header.width_px,
        "height_px": header.height_px,
        "colour": header.colour.name.lower(),
        "quality": header.quality_tenths / 10,
        "model": name,
        "model_code": header.model_code,
        "weights_hash": header.weights_hash.hex(),
        "tiles": len(file.tiles),
        "file_bytes": len(data),
        "bits_per_pixel": round(8 * len(data) / (header.width_px * header.height_px), 4),
        "chunk_bytes": chunks | {"container": len(data) - sum(chunks.values())},
    }


@click.command()
@click.argument("source", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(source: Path, as_json: bool) -> None:
    """Describe a .lat file: size, model, quality, bits per pixel, bytes per chunk."""
    facts = _describe(source.read_bytes())
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
