"""`latentcodec encode` of a folder against the bare model and coder on the same pixels.

The bare model is `family.analyse` and `family.encode_latents` over pixels in memory, cut into tiles
of 1024 x 1024 px that know nothing of each other: one picture at a time on all cores, or one on
each core, whichever is faster. The command does the same, and it starts, reads the pictures, and
builds and writes files. All of that counts, once with the start of the program and once without:
the start is the same command on one picture of 16 x 16 px.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
import numpy as np
import torch
from large_picture import picture
from PIL import Image

from latentcodec.pipeline.tiling import TILE_CELLS, grid, pixels_of
from latentcodec.runtime import model_store
from latentcodec.runtime.base import Family
from latentcodec.system.cpu import cores

KODAK = Path(__file__).parent / "data" / "kodak"
CAMERA = 4032, 3024
_TENTHS = 500
_ALL, _EACH = "bare model, all cores on a picture", "bare model, a picture on each core"


def seconds(work: Callable[[], object]) -> float:
    """Wall-clock time of a call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def bare(family: Family, pictures: Sequence[np.ndarray], at_once: int) -> None:
    """Model and coder over pictures, uint8 [H, W, 3], sides multiples of 16.

    at_once: pictures at a time, each with its share of the cores.
    """

    def one(pixels: np.ndarray) -> None:
        height, width, _ = pixels.shape
        for down, right in grid(height // 16, width // 16, TILE_CELLS):
            tile = pixels[pixels_of(down.own), pixels_of(right.own)]
            family.encode_latents(family.analyse(tile, _TENTHS), _TENTHS)

    start = torch.set_num_threads, (cores() // at_once,)
    with ThreadPoolExecutor(at_once, "bare", *start) as pool:
        list(pool.map(one, pictures))


def encode(folder: Path, out: Path, jobs: int | None) -> None:
    """The command, on a new folder of outputs. It must succeed."""
    shutil.rmtree(out, ignore_errors=True)
    more = [] if jobs is None else ["--jobs", str(jobs)]
    command = [sys.executable, "-m", "latentcodec", "encode", "--quiet", *more]
    subprocess.run([*command, "-r", str(folder), "-o", str(out)], check=True)


def cropped(source: Path, folder: Path, times: int) -> np.ndarray:
    """Pixels of a picture, its sides cut to multiples of 16; it is saved to `folder` as PNG,
    several times."""
    with Image.open(source) as image:
        size = image.width // 16 * 16, image.height // 16 * 16
        image = image.convert("RGB").crop((0, 0, *size))
    for number in range(times):
        image.save(folder / f"{source.stem}-{number}.png")
    return np.array(image)


def photographed(number: int, folder: Path) -> np.ndarray:
    """Pixels of a picture of the size that cameras make, saved to `folder` as they save it."""
    path = folder / f"{number}.jpg"
    picture(*CAMERA, seed=number).save(path, quality=95)
    with Image.open(path) as image:
        return np.array(image)


def rounds(
    folder: Path, out: Path, pictures: Sequence[np.ndarray], runs: int, jobs: int | None
) -> dict[str, list[float]]:
    """Seconds of each part, by turns, so that a slow minute of the machine meets all of them.

    Every other round goes backwards: many processors are faster after a lighter load.
    """
    tiny = out.with_name("tiny")
    tiny.mkdir()
    Image.new("RGB", (16, 16)).save(tiny / "tiny.png")
    family = model_store.load_codec(model_store.by_name(model_store.chosen()))
    bare(family, pictures[:1], 1)
    parts: dict[str, Callable[[], None]] = {
        _ALL: lambda: bare(family, pictures, 1),
        _EACH: lambda: bare(family, pictures, cores()),
        "command": lambda: encode(folder, out, jobs),
        "start": lambda: encode(tiny, out.with_name("tiny-lat"), jobs),
    }
    taken: dict[str, list[float]] = {name: [] for name in parts}
    for number in range(runs):
        for name in list(parts)[:: -1 if number % 2 else 1]:
            taken[name].append(seconds(parts[name]))
    return taken


@click.command()
@click.argument(
    "images", type=click.Path(exists=True, file_okay=False, path_type=Path), default=KODAK
)
@click.option("--count", type=click.IntRange(min=1), help="The first N pictures [default: all].")
@click.option("--times", default=1, show_default=True, help="How often the folder has each.")
@click.option(
    "--camera",
    type=click.IntRange(min=1),
    help="Instead of IMAGES: so many JPEG files of 4032 x 3024 px, made of mirrored photographs.",
)
@click.option("--runs", default=6, show_default=True, help="Of which times are medians.")
@click.option("--jobs", type=click.IntRange(min=1), help="As for the command.")
def main(
    images: Path, count: int | None, times: int, camera: int | None, runs: int, jobs: int | None
) -> None:
    """Measure with the PNG files of the folder IMAGES. The machine should be idle."""
    with tempfile.TemporaryDirectory() as temporary:
        folder, out = Path(temporary, "in"), Path(temporary, "lat")
        folder.mkdir()
        if camera:
            pictures = [photographed(number, folder) for number in range(camera)]
        else:
            paths = sorted(images.glob("*.png"))[:count]
            pictures = [cropped(path, folder, times) for path in paths] * times
        taken = rounds(folder, out, pictures, runs, jobs)
        written = len(list(out.glob("*.lat")))
    if written != len(pictures):
        raise click.ClickException(f"{written} files were written of {len(pictures)}")
    report(taken, sum(pixels.shape[0] * pixels.shape[1] for pixels in pictures) / 1e6)


def report(taken: dict[str, list[float]], megapixels: float) -> None:
    """Print the medians, and what share of the bare model's speed each is."""
    times = {what: statistics.median(values) for what, values in taken.items()}
    times["command without its start"] = statistics.median(
        whole - start for whole, start in zip(taken["command"], taken["start"], strict=True)
    )
    click.echo(f"{megapixels:.1f} MP, {cores()} cores")
    model = min(times[_ALL], times[_EACH])
    for what in (_ALL, _EACH, "command", "command without its start"):
        rate, share = megapixels / times[what], 100 * model / times[what]
        click.echo(f"{what}: {times[what]:.2f} s, {rate:.2f} MP/s, {share:.0f} %")
    click.echo(f"start: {times['start']:.2f} s")


if __name__ == "__main__":
    main()
