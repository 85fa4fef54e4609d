"""A folder of mixed files, encoded and decoded with one command each, and every result checked.

What the files are is in `mixed_files.py`.
"""

from __future__ import annotations

import dataclasses
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
from mixed_files import CAMERA, GPS, ICC, LATITUDE, ORIENTATION, XMP, Kind, Made, make
from PIL import Image

KODAK = Path(__file__).parent / "data" / "kodak"
_QUALITY = "60"


@dataclasses.dataclass
class Command:
    """A call of the program that has ended."""

    code: int
    out: str
    err: str
    seconds: float


def run(*arguments: object) -> Command:
    """`latentcodec` with arguments, in a process of its own."""
    start = time.perf_counter()
    ended = subprocess.run(
        [sys.executable, "-m", "latentcodec", *map(str, arguments)], capture_output=True
    )
    out, err = (text.decode(errors="surrogateescape") for text in (ended.stdout, ended.stderr))
    return Command(ended.returncode, out, err, time.perf_counter() - start)


def check_reports(made: Sequence[Made], encode: Command, decode: Command) -> list[str]:
    """What is wrong with exit codes, summaries and lists of failures."""
    good, broken = [m for m in made if m.kind], [m for m in made if not m.kind]
    wrong = [] if encode.code == 1 else [f"encode ended with {encode.code}, not 1"]
    wrong += [] if decode.code == 0 else [f"decode ended with {decode.code}: {decode.err}"]
    summary = f"{len(made)} files: {len(good)} written, {len(broken)} failed"
    if summary not in encode.out:
        wrong.append(f"encode's summary is not {summary!r}: {encode.out.splitlines()[-1:]}")
    if f"{len(good)} files: {len(good)} written;" not in decode.out:
        wrong.append(f"decode's summary is wrong: {decode.out.splitlines()[-1:]}")
    _, _, listed = encode.err.partition(f"Error: {len(broken)} of {len(made)} files failed:\n")
    lines = listed.splitlines()
    if len(lines) != len(broken):
        wrong.append(f"{len(lines)} failures are listed, not {len(broken)}: {listed}")
    wrong += [
        f"{m.path} is not listed" for m in broken if sum(m.path.name in x for x in lines) != 1
    ]
    warnings = [line for line in encode.err.splitlines() if line.startswith("Warning: ")]
    for one in good:
        said, kind = sum(_shown(one.path) in line for line in warnings), one.kind
        if kind and said != kind.warns:
            wrong.append(f"{one.path} ({kind.name}) has {said} warnings, not {int(kind.warns)}")
    return wrong + (["there is a traceback"] if "Traceback" in encode.err + decode.err else [])


def _shown(path: Path) -> str:
    return click.format_filename(path.name)


def check_files(made: Sequence[Made], lat: Path, back: Path) -> list[str]:
    """Which files are missing or should not be there."""
    wrong = []
    for folder, suffix in ((lat, ".lat"), (back, ".png")):
        wanted = {m.path.with_suffix(suffix) for m in made if m.kind}
        found = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
        wrong += [f"{folder.name}/{path} is missing" for path in wanted - found]
        wrong += [f"{folder.name}/{path} should not be there" for path in found - wanted]
    return wrong


def check_picture(kind: Kind, source: Path, back: Path) -> tuple[float, list[str]]:
    """PSNR in dB of a decoded picture (of colours that can be seen), and what is wrong with it."""
    with Image.open(source) as opened, Image.open(back) as image:
        opened.load()
        wanted = kind.shown(opened) if kind.shown else opened.convert(kind.mode)
        image.load()
        if (image.mode, image.size) != (kind.mode, wanted.size):
            return 0, [f"{image.mode} {image.size} instead of {kind.mode} {wanted.size}"]
        wrong = _check_metadata(kind, opened, image)
    found, original = np.asarray(image, float), np.asarray(wanted, float)
    if kind.mode in ("RGBA", "LA"):
        if not np.array_equal(found[..., -1], original[..., -1]):
            wrong.append("its alpha has changed")
        seen = original[..., -1] > 0
        found, original = found[seen][:, :-1], original[seen][:, :-1]
    mse = float(np.square(found - original).mean())
    db = 10 * math.log10(255**2 / mse) if mse else math.inf
    return db, wrong + ([f"PSNR is {db:.1f} dB"] if db < kind.least_db else [])


def _check_metadata(kind: Kind, source: Image.Image, back: Image.Image) -> list[str]:
    wrong = []
    exif = back.getexif()
    if "exif" in kind.keeps:
        if exif.get(CAMERA) != "a camera":
            wrong.append("the camera is lost")
        # Of a TIFF, Pillow turns the pixels, and drops the tag.
        if exif.get(ORIENTATION) != source.getexif().get(ORIENTATION):
            wrong.append(f"the orientation is {exif.get(ORIENTATION)}")
        if tuple(map(float, exif.get_ifd(GPS).get(2, ()))) != LATITUDE:
            wrong.append("the place is lost")
    elif CAMERA in exif:
        wrong.append("EXIF came from nowhere")
    if back.info.get("icc_profile") != (ICC if "icc" in kind.keeps else None):
        wrong.append("the ICC profile is not that of the source")
    text = back.info.get("xmp") or back.info.get("XML:com.adobe.xmp", b"")
    if (text.encode() if isinstance(text, str) else text) != (XMP if "xmp" in kind.keeps else b""):
        wrong.append("XMP is not that of the source")
    return wrong


def check_pictures(
    made: Sequence[Made], source: Path, back: Path
) -> tuple[dict[str, list[float]], list[str]]:
    """PSNR in dB of all pictures by kind, and what is wrong with them."""
    levels: dict[str, list[float]] = {}
    wrong = []
    for one in made:
        decoded = back / one.path.with_suffix(".png")
        if one.kind and decoded.is_file():
            db, problems = check_picture(one.kind, source / one.path, decoded)
            levels.setdefault(one.kind.name, []).append(db)
            wrong += [f"{one.path} ({one.kind.name}): {problem}" for problem in problems]
    return levels, wrong


def convert_and_check(folder: Path, made: Sequence[Made]) -> list[str]:
    """Encode `folder`/mixed to `folder`/lat, decode that to `folder`/back, check all, print a
    summary. Returns what is wrong."""
    source, lat, back = (folder / name for name in ("mixed", "lat", "back"))
    encode = run("encode", "-r", source, "-o", lat, "-q", _QUALITY)
    decode = run("decode", "-r", lat, "-o", back)
    levels, wrong = check_pictures(made, source, back)
    wrong = check_reports(made, encode, decode) + check_files(made, lat, back) + wrong
    width = max(map(len, levels))
    for kind, found in sorted(levels.items()):
        click.echo(f"{kind:<{width}} {len(found):3} files, {min(found):.1f} dB or more")
    for name, command in (("encode", encode), ("decode", decode)):
        last = command.out.splitlines()[-1:]
        click.echo(f"{name}: exit code {command.code}, {command.seconds:.1f} s: {''.join(last)}")
    broken = sum(m.kind is None for m in made)
    click.echo(f"{len(made)} files, {broken} of them broken: {len(wrong)} things wrong")
    return wrong


@click.command()
@click.option(
    "--photos",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=KODAK,
    help="Folder of PNG or JPEG photographs to cut pieces from.",
)
@click.option("--count", default=188, show_default=True, help="Files beside the 12 broken ones.")
@click.option("--out", type=click.Path(path_type=Path), help="Keep the files in this new folder.")
def main(photos: Path, count: int, out: Path | None) -> None:
    """Make a folder of mixed files, convert it there and back, and check every result."""
    paths = sorted(path for path in photos.iterdir() if path.suffix in (".png", ".jpg"))
    with tempfile.TemporaryDirectory() as temporary:
        folder = out or Path(temporary)
        made = make(folder / "mixed", paths, count, (100, 500))
        wrong = convert_and_check(folder, made)
    for line in wrong:
        click.echo(f"wrong: {line}", err=True)
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
