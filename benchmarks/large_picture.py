"""A very large picture through the command line, and whether the borders of its tiles show.

Times are of whole commands, peak memory is what the system noted for each process. The seams are
measured against the same content: each picture is coded twice, the second time without its first
512 rows and columns, so that what lies at a border of tiles once lies in the middle of one then.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import click
import numpy as np
from PIL import Image

PHOTOS = Path(__file__).parent / "data" / "kodak"
TILE_PX, SHIFT_PX = 1024, 512
# Photographs change a quarter of a tile away from where borders are, in either coding.
PATCH_START_PX = 256 - TILE_PX
BAND_PX = 8
MARGIN_PX = 128  # at the edges of the picture, which the second coding has elsewhere
SEAM_SIDE_PX = 2560
REGION_PX = 512


def patches(width: int, height: int, seed: int) -> Iterator[tuple[int, int, np.ndarray]]:
    """Left, top and pixels of what covers a picture: photographs at several scales, each repeated
    in mirror images, so that within a patch of 1024 x 1024 px there are no edges of pictures."""
    random = np.random.default_rng(seed)
    photos = sorted(PHOTOS.glob("*.png"))
    for top in range(PATCH_START_PX, height, TILE_PX):
        for left in range(PATCH_START_PX, width, TILE_PX):
            with Image.open(photos[random.integers(len(photos))]) as photo:
                scale = random.choice([0.75, 1, 1.5, 2])
                size = round(photo.width * scale), round(photo.height * scale)
                pixels = np.asarray(photo.convert("RGB").resize(size, Image.Resampling.LANCZOS))
            y, x = (mirrored(length, int(random.integers(length))) for length in pixels.shape[:2])
            yield left, top, pixels[y][:, x]


def mirrored(length: int, start: int) -> np.ndarray:
    """Positions of a patch's rows in a photograph that goes back and forth."""
    places = (np.arange(TILE_PX) + start) % (2 * length)
    return np.minimum(places, 2 * length - 1 - places)


def picture(width: int, height: int, seed: int = 0) -> Image.Image:
    """The photographs of `patches` as one picture."""
    image = Image.new("RGB", (width, height))
    for left, top, pixels in patches(width, height, seed):
        image.paste(Image.fromarray(pixels), (left, top))
    return image


def write_pictures(width: int, height: int, targets: list[Path]) -> None:
    """Write the large picture in several formats."""
    image = picture(width, height)
    for target in targets:
        image.save(target, compress_level=1)  # which is PNG's, to save time


def region_difference(whole: Path, region: Path, left: int, top: int) -> int:
    """The largest difference in grey levels between a decoded region and the decoded whole."""
    Image.MAX_IMAGE_PIXELS = None
    with Image.open(region) as part, Image.open(whole) as image:
        box = left, top, left + part.width, top + part.height
        return int(np.abs(np.asarray(image.crop(box)).astype(int) - np.asarray(part)).max())


@dataclasses.dataclass
class Sums:
    """Squared errors and their number, at borders of tiles and elsewhere; the same for the step
    of the error from one pixel to the next, across borders and in the same places without."""

    border: np.ndarray
    same_content: np.ndarray
    elsewhere: np.ndarray
    step: np.ndarray
    step_same_content: np.ndarray


def seam_figures(quality: float, seeds: range) -> dict[str, float]:
    """PSNR in dB at borders, of the same content without borders, and elsewhere; and the mean step
    of the error across borders as a share of that in the same places without one."""
    total = Sums(*np.zeros((5, 2)))
    for seed in seeds:
        pixels = np.asarray(picture(SEAM_SIDE_PX, SEAM_SIDE_PX, seed))
        inner = slice(MARGIN_PX, SEAM_SIDE_PX - SHIFT_PX - MARGIN_PX)
        first = coding_error(pixels, quality)[SHIFT_PX:, SHIFT_PX:][inner, inner]
        second = coding_error(pixels[SHIFT_PX:, SHIFT_PX:], quality)[inner, inner]
        places = np.arange(inner.start, inner.stop)  # in the second
        add(total, first, second, places + SHIFT_PX)
        add(total, second, first, places)
    means = {name: float(s / n) for name, (s, n) in dataclasses.asdict(total).items()}
    return {
        name: 10 * math.log10(255**2 / means[name])
        for name in ("border", "same_content", "elsewhere")
    } | {"step": means["step"] / means["step_same_content"]}


def coding_error(pixels: np.ndarray, quality: float) -> np.ndarray:
    """Decoded minus original, float32 [H, W, 3]."""
    import latentcodec

    data = latentcodec.encode(pixels, quality=quality, tune="psnr")
    decoded = latentcodec.decode_array(data)
    return decoded.astype(np.float32) - pixels


def add(total: Sums, error: np.ndarray, other: np.ndarray, places: np.ndarray) -> None:
    """Add two codings of the same square, of which the first has borders where `places`, the
    positions of its rows and of its columns, are multiples of 1024."""
    near = (places + BAND_PX // 2) % TILE_PX < BAND_PX
    band = near[:, None] | near[None, :]
    for sums, values in (
        (total.border, error[band]),
        (total.same_content, other[band]),
        (total.elsewhere, error[~band]),
    ):
        sums += np.square(values, dtype=np.float64).sum(), values.size
    at = np.flatnonzero(places % TILE_PX == 0)
    for sums, values in ((total.step, error), (total.step_same_content, other)):
        for plane in (values, values.transpose(1, 0, 2)):
            step = np.abs(plane[at] - plane[at - 1])
            sums += step.sum(dtype=np.float64), step.size


@dataclasses.dataclass(frozen=True)
class Usage:
    """What a command took."""

    seconds: float
    peak_bytes: int


def run(*words: object) -> Usage:
    """Run the command line in a process of its own. Exits if it fails."""
    started = time.perf_counter()
    # This process stays small: a child counts its parent's memory as its own until it begins.
    command = [sys.executable, "-m", "latentcodec", *map(str, words)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise click.ClickException(f"latentcodec {words[0]} failed")
    unit = 1 if sys.platform == "darwin" else 1024
    return Usage(time.perf_counter() - started, unit * used.ru_maxrss)


def say(what: str, used: Usage, file: Path) -> None:
    megabytes = used.peak_bytes / 1e6
    size = file.stat().st_size
    click.echo(f"| {what} | {used.seconds:.1f} | {megabytes:,.0f} | {size:,} |")


def code_large(width: int, height: int, formats: list[str], folder: Path, quality: float) -> None:
    """Make the picture, send it through the commands and print a row for each."""
    originals = [folder / f"original.{form}" for form in formats]
    click.echo(f"{width} x {height} px, quality {quality:g}\n")
    in_child(write_pictures, width, height, originals)
    click.echo("| command | seconds | peak memory, MB | file written, bytes |\n|---|---|---|---|")
    files = set()
    for original in originals:
        lat = original.with_suffix(".lat")
        chosen = "-q", quality, "--tune", "psnr"
        say(f"encode {original.suffix}", run("encode", original, lat, *chosen), lat)
        files.add(lat.read_bytes())
        back = folder / f"back{original.suffix}"
        say(f"decode {original.suffix}", run("decode", lat, back), back)
    side = min(REGION_PX, width, height)
    left, top = (width - side) // 2, (height - side) // 2
    part = folder / "region.png"
    used = run("decode", lat, part, "--region", f"{left},{top},{side},{side}")
    say(f"decode --region of {side} x {side} px", used, part)
    difference = in_child(region_difference, back, part, left, top)
    click.echo(f"\nthe files of all formats are the same: {'yes' if len(files) == 1 else 'NO'}")
    click.echo(f"the region differs from the whole by {difference} grey levels at most\n")


def in_child(function, *arguments):  # type: ignore[no-untyped-def]
    """Call a function in a new process."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(function, *arguments).result()


def parse_size(ctx: click.Context, param: click.Parameter, value: str) -> tuple[int, int]:
    """`20000x10000` as width and height."""
    width, cross, height = value.partition("x")
    if not (cross and width.isdigit() and height.isdigit()):
        raise click.BadParameter(f"{value!r} is not a size such as 20000x10000")
    return int(width), int(height)


@click.command()
@click.option("--size", default="20000x10000", show_default=True, callback=parse_size)
@click.option("--format", "formats", multiple=True, default=("png", "tiff"), show_default=True)
@click.option("--quality", default=50.0, show_default=True, help="Of the large picture.")
@click.option("--seams", default=3, show_default=True, help="Pictures to look for seams in.")
@click.option("--keep", type=click.Path(path_type=Path), help="A folder to leave the files in.")
def main(
    size: tuple[int, int], formats: tuple[str, ...], quality: float, seams: int, keep: Path | None
) -> None:
    """Code a large picture of Kodak photographs, and measure the seams of smaller ones."""
    if keep:
        keep.mkdir(parents=True, exist_ok=True)
    with contextlib.nullcontext(str(keep)) if keep else tempfile.TemporaryDirectory() as folder:
        code_large(*size, list(formats), Path(folder), quality)
    if not seams:
        return
    click.echo("| quality | border, dB | same content, dB | elsewhere, dB | step across |")
    click.echo("|---|---|---|---|---|")
    for level in (20, 50, 90):
        found = in_child(seam_figures, level, range(1, 1 + seams))
        click.echo(
            f"| {level} | {found['border']:.3f} | {found['same_content']:.3f} | "
            f"{found['elsewhere']:.3f} | {found['step']:.3f} |"
        )


if __name__ == "__main__":
    main()
