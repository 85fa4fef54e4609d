"""`latentcodec info`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import click

from latentcodec.cli.paths import STREAM, files_below, is_folder, standard_input
from latentcodec.cli.shown import one_line
from latentcodec.errors import LatError
from latentcodec.files.errors import describe_error
from latentcodec.images.plugins import listed
from latentcodec.storage.folders import is_taken
from latentcodec.storage.names import join


def _facts(source: str) -> dict[str, Any]:
    """What is printed, with the keys of the JSON object."""
    from latentcodec.info import read_info

    try:
        info = read_info(standard_input().read() if source == STREAM else source)
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
@click.argument("sources", metavar="FILE...", nargs=-1, required=True, type=click.Path())
@click.option("-r", "--recursive", is_flag=True, help="Describe the .lat files in folders.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object a file.")
def command(sources: tuple[str, ...], recursive: bool, as_json: bool) -> None:
    """Describe .lat files: size, model, quality, bits per pixel, bytes per chunk.

    Of several, a table with totals. - is standard input.
    """
    left_out: Counter[str] = Counter()
    names = list(_named(sources, recursive, left_out))
    many = len(names) > 1 or recursive
    described, failed = [], []
    for name in names:
        try:
            facts = _facts(name)
        except (LatError, OSError) as error:
            if not many:
                raise
            failed.append(describe_error(error))
            continue
        described.append(facts)
        if as_json:
            click.echo(json.dumps({"file": name} | facts if many else facts))
        elif many:
            click.echo(_row(name, facts))
        else:
            _describe(name, facts)
    if many and not as_json:
        click.echo(_totals(described))
    if left_out:
        click.echo(f"left out: {listed(left_out)}", err=as_json)
    for sentence in failed:
        click.echo(one_line(f"Error: {sentence}"), err=True)
    if failed:
        raise click.exceptions.Exit(1)


def _named(sources: tuple[str, ...], recursive: bool, left_out: Counter[str]) -> Iterator[str]:
    """The files, and those in folders, of which others are counted. Raises LatError for a folder
    where that is not wanted."""
    for source in sources:
        if not source:
            raise click.UsageError("a name is empty")
        if not is_folder(source, recursive):
            yield source
        elif not recursive:
            raise LatError(f"{source} is a folder; --recursive describes what is in it")
        else:
            found = (join(source, below) for below in files_below(source, left_out))
            yield from (name for name in found if is_taken(name, _is_lat, left_out))


def _is_lat(suffix: str) -> bool:
    return suffix == ".lat"


def _row(name: str, facts: dict[str, Any]) -> str:
    size = f"{facts['width_px']} x {facts['height_px']}"
    return (
        f"{size:>13}  {facts['quality']:>5g}  {facts['bits_per_pixel']:>7.3f} bpp  "
        f"{facts['file_bytes']:>10} bytes  {facts['model'] or 'not installed':<12}  "
        f"{one_line(name)}"
    )


def _totals(described: list[dict[str, Any]]) -> str:
    count = sum(facts["file_bytes"] for facts in described)
    pixels = sum(facts["width_px"] * facts["height_px"] for facts in described)
    per_pixel = f", {8 * count / pixels:.3f} bpp" if pixels else ""
    files = "1 file" if len(described) == 1 else f"{len(described)} files"
    return f"{files}: {count} bytes{per_pixel}"


def _describe(name: str, facts: dict[str, Any]) -> None:
    model = facts["model"] or "not installed"
    click.echo(f"{one_line(name)}: .lat version {facts['version']}")
    click.echo(f"  picture   {facts['width_px']} x {facts['height_px']} px, {facts['colour']}")
    click.echo(f"  model     {model} ({facts['model_code']}, {facts['weights_hash']})")
    click.echo(f"  quality   {facts['quality']:g}")
    click.echo(f"  size      {facts['file_bytes']} bytes, {facts['bits_per_pixel']} bits per pixel")
    for kind, count in facts["chunk_bytes"].items():
        number = f"{facts['tiles']}, " if kind == "tiles" else ""
        click.echo(f"  {kind:<9} {number}{count} bytes")
