"""A folder of somebody's test images through `encode -r` and `decode -r`, held against Pillow.

python benchmarks/image_sets.py FOLDER

Whatever Pillow reads is to be written, and its size and mode are to come back; the rest is to be
refused with a reason, or counted as left out. The sets that docs/reliability.md tells of are the
folder tests/pngsuite of github.com/image-rs/image-png (PngSuite by Willem van Schaik) and tests of
github.com/image-rs/image.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import click
from PIL import Image

from latentcodec.images import plugins
from latentcodec.images.files import is_readable

Row = dict[str, Any]


def _converted(command: str, folder: Path, out: Path, *more: str) -> tuple[list[Row], Row]:
    """A row for each file, and the summary."""
    words = [sys.executable, "-m", "latentcodec", command, "-r", folder, "-o", out, "--json", *more]
    run = subprocess.run(list(map(str, words)), capture_output=True, text=True)
    if run.returncode not in (0, 1) or run.stderr:
        raise click.ClickException(f"{command} ended with {run.returncode}: {run.stderr[-2000:]}")
    *rows, last = map(json.loads, run.stdout.splitlines())
    return rows, last["summary"]


def _pillows(path: Path) -> tuple[int, int] | str:
    """The size of what Pillow reads, or why it does not."""
    try:
        with warnings.catch_warnings(), Image.open(path) as image:
            warnings.simplefilter("ignore")
            image.load()
            return image.size
    except Exception as error:  # its plugins raise nearly anything
        return f"{type(error).__name__}: {error}"


def _wrong(row: Row, read: tuple[int, int] | str, back: dict[str, Row]) -> str | None:
    """What is not as it should be with a file."""
    source = row["source"]
    if isinstance(read, str):
        silent = row["status"] == "failed" and not row["error"]
        return f"{source}: refused without a reason" if silent else None
    if row["status"] != "written":
        return f"{source}: Pillow reads it, and it is refused: {row['error']}"
    decoded = back.get(row["target"], {})
    if decoded.get("status") != "written":
        return f"{source}: does not come back: {decoded.get('error')}"
    sizes = {tuple(read), (row["width_px"], row["height_px"])}
    turned = (decoded["width_px"], decoded["height_px"])
    return None if {*sizes, turned} == {turned} else f"{source}: {sizes} becomes {turned}"


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def main(folder: Path) -> None:
    """Exits with 1 where something is wrong."""
    plugins.register()
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch, "lat")
        rows, summary = _converted("encode", folder, out, "--keep-suffix")
        decoded, _ = _converted("decode", out, Path(scratch, "png"))
    back = {row["source"]: row for row in decoded}
    read = {row["source"]: _pillows(Path(row["source"])) for row in rows}
    wrong = [said for row in rows if (said := _wrong(row, read[row["source"]], back))]
    files = [path for path in folder.rglob("*") if path.is_file() and path.name[0] != "."]
    taken = {row["source"] for row in rows}
    wrong += [f"{p}: not taken" for p in files if is_readable(p.suffix) and str(p) not in taken]
    if len(files) != len(rows) + sum(summary["left_out"].values()):
        wrong.append(f"of {len(files)} files, {len(rows)} are told of")
    readable = sum(not isinstance(one, str) for one in read.values())
    written = sum(row["status"] == "written" for row in rows)
    click.echo(f"{len(files)} files, {len(rows)} taken, {readable} of them read by Pillow alone")
    click.echo(f"{written} written, {len(rows) - written} refused, left out: {summary['left_out']}")
    reasons = Counter(row["error"].removeprefix(row["source"]) for row in rows if row["error"])
    warned = Counter(text for row in rows for text in row["warnings"])
    for title, counts in (("refused", reasons), ("warned of", warned)):
        for reason, count in counts.most_common():
            click.echo(f"  {title} {count} x{reason if reason[0] == ' ' else f' {reason}'}")
    for line in wrong:
        click.echo(f"wrong: {line}")
    raise SystemExit(bool(wrong))


if __name__ == "__main__":
    main()
