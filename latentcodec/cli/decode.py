"""`latentcodec decode`."""

from __future__ import annotations

import dataclasses
import functools
from typing import TYPE_CHECKING, Any

import click

from latentcodec.cli import options, paths
from latentcodec.cli.batch import convert_all, opened_manifest
from latentcodec.cli.declared import declared
from latentcodec.files.options import DecodeFileOptions

if TYPE_CHECKING:
    from latentcodec.files.manifest import Manifest

_EXIT_SALVAGED = 3


@click.command()
@click.argument("arguments", metavar="IN.lat... [OUT]", nargs=-1, required=True, type=click.Path())
@declared(DecodeFileOptions)
@options.weights
@options.batch
def command(arguments: tuple[str, ...], **chosen: Any) -> None:
    """Decode .lat files, in the format of OUT's extension (any that Pillow writes).

    \b
    latentcodec decode photo.lat photo.png
    latentcodec decode a.lat b.lat folder             writes into a folder that exists
    latentcodec decode *.lat -o folder --format jpg   which is made if it is missing
    latentcodec decode -r photos -o folder            mirrors what is below photos
    latentcodec decode - - --format png < photo.lat > photo.png
    latentcodec decode photo.lat small.jpg --scale 1/8

    An existing output is overwritten, as dwebp, avifdec and djxl do, when the new file is
    complete; an input never is, nor a picture beside IN.lat that was not named, which may be the
    original. Metadata are passed on to formats that hold them, with a warning
    where they do not; where there is no place for the orientation, pixels are turned.
    """
    shared = options.BatchOptions.taken_from(chosen)
    del chosen["weights"]  # whose files can be read by now
    inputs, output = paths.split(arguments, shared.output)
    if output is None:
        raise click.UsageError("name an OUT, or a file or folder by --output")
    form = chosen["format"]
    naming = paths.Naming(f".{form or 'png'}", lambda suffix: suffix == ".lat")
    tasks = paths.plan(inputs, output, shared.recursive, naming)
    _check_formats(tasks, form)
    from latentcodec.files.decode import decode_file

    wanted = DecodeFileOptions(
        runtime=shared.runtime,
        make_parents=paths.makes_parents(tasks),
        sha256=shared.manifest is not None,
        **chosen,
    )
    convert = functools.partial(decode_file, options=wanted)
    manifest = opened_manifest(shared, wanted, tasks)
    if not shared.skip_existing:
        tasks = _without_originals(tasks, manifest)
    report = convert_all(tasks, convert, shared, naming.left_out, manifest=manifest)
    if report.is_damaged:
        raise click.exceptions.Exit(_EXIT_SALVAGED)


def _without_originals(tasks: list[paths.Task], manifest: Manifest | None) -> list[paths.Task]:
    """The tasks, those refused whose target, named by us, is there beside the file: that may be the
    original, unless the manifest knows better. Raises OSError, and LatError for URLs."""
    beside = (
        task.target
        for task in tasks
        if task.makes_folders
        and paths.folder_of(task.source) == paths.folder_of(task.target)
        and not (manifest and manifest.has(task.source, task.target))
    )
    there = paths.existing(beside)
    words = "{0.target} stands beside {0.source} and may be its original: name another output"
    return [
        dataclasses.replace(task, refused=words.format(task))
        if task.target in there and not task.refused
        else task
        for task in tasks
    ]


def _check_formats(tasks: list[paths.Task], form: str | None) -> None:
    """Raises BadParameter, before any work, where Pillow does not write what a task asks for."""
    for task in tasks:
        if form is None and not task.refused and task.target != paths.STREAM:
            options.written_format(task.target)
