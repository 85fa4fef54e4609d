"""`latentcodec web`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from latentcodec.cli import options
from latentcodec.cli.paths import check_apart
from latentcodec.storage.names import spelled

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command()
@click.argument("target", metavar="FOLDER", type=click.Path(path_type=Path))
@click.argument("files", nargs=-1, type=_FILE)
@click.option(
    "--single",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="PAGE",
    help="Write one HTML file that has everything in itself. All arguments are .lat files then.",
)
@options.weights
@click.option(
    "--runtime-web",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="FOLDER",
    help="Where npm installed onnxruntime-web: for WebGPU, or if this installation comes without.",
)
def command(
    target: Path,
    files: tuple[Path, ...],
    single: Path | None,
    weights: str | None,
    runtime_web: Path | None,
) -> None:
    """Lay out in FOLDER what a web server needs to show .lat files in browsers.

    latentcodec.js, ONNX Runtime Web, the models, and index.html, an example page with a gallery of
    FILES and a place to drop others. Nothing is fetched from elsewhere. docs/web.md says how to use
    the module in a page of your own. Files of the same names are overwritten.

    With --single: latentcodec web photo.lat --single photo.html.
    """
    if single:
        _single(single, (target, *files), runtime_web)
    else:
        _folder(target, files, weights, runtime_web)


def _pictures(paths: tuple[Path, ...]) -> dict[str, bytes]:
    """The files by their names. Raises UsageError for two of one name."""
    found: dict[str, bytes] = {}
    for path in paths:
        name = spelled(path.name)
        if name in found:
            raise click.UsageError(f"there are two files called {name}")
        found[name] = path.read_bytes()
    return found


def _single(page: Path, paths: tuple[Path, ...], runtime_web: Path | None) -> None:
    from latentcodec.system.atomic_write import write_file
    from latentcodec.web import layout

    check_apart(page, *paths)
    pictures = _pictures(paths)
    files = layout.runtime_files(runtime_web, gpu=False)
    models = dict.fromkeys(layout.model_of(data, name) for name, data in pictures.items())
    for entry in models:
        files |= layout.model_files(entry)
    files |= layout.model_index(models)
    size = write_file(page, layout.single_page(files, pictures, ", ".join(pictures)))
    click.echo(f"{page}: {size} bytes")


def _folder(
    folder: Path, paths: tuple[Path, ...], weights: str | None, runtime_web: Path | None
) -> None:
    from latentcodec.errors import LatError
    from latentcodec.runtime import model_store
    from latentcodec.web import layout

    if folder.is_file():
        raise click.UsageError(f"{folder} is a file; with --single no folder is given")
    pictures = _pictures(paths)
    files = layout.site_files(pictures) | layout.runtime_files(runtime_web)
    named = [layout.model_of(data, name) for name, data in pictures.items()]
    if weights:
        named.append(model_store.by_name(weights))
    models = []
    for entry in dict.fromkeys([*named, *model_store.entries()]):
        try:
            files |= layout.model_files(entry)
            models.append(entry)
        except LatError:  # browsers cannot run all of them
            if entry in named:
                raise
    _write(folder, files | layout.model_index(models))


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    from latentcodec.system.atomic_write import write_file

    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, data)
    total = sum(map(len, files.values()))
    click.echo(f"{folder}: {len(files)} files, {total} bytes; serve it, and open index.html")
