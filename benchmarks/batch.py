"""A batch against a loop: eight pieces of photographs, 256 x 256 px, with `latentcodec.Codec`."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np
from PIL import Image

from latentcodec import Codec

_SIDE_PX, _COUNT, _RUNS = 256, 8, 15


def pieces(images: Path) -> list[np.ndarray]:
    """The middles of the first pictures of a folder, uint8 [256, 256, 3]."""
    crops = []
    for path in sorted(images.glob("*.png"))[:_COUNT]:
        pixels = np.asarray(Image.open(path).convert("RGB"))
        top, left = (pixels.shape[0] - _SIDE_PX) // 2, (pixels.shape[1] - _SIDE_PX) // 2
        crops.append(pixels[top : top + _SIDE_PX, left : left + _SIDE_PX])
    return crops


def milliseconds(work: Callable[[], object]) -> float:
    """The shortest of several runs, after one that does not count."""
    times = []
    for _ in range(_RUNS + 1):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return 1000 * min(times[1:])


def measure(codec: Codec, crops: list[np.ndarray]) -> dict[str, float]:
    """Milliseconds for all crops, by what is done."""
    files = codec.encode_batch(crops)
    return {
        "encode, loop": milliseconds(lambda: [codec.encode(crop) for crop in crops]),
        "encode, batch": milliseconds(lambda: codec.encode_batch(crops)),
        "decode, loop": milliseconds(lambda: [codec.decode(data) for data in files]),
        "decode, batch": milliseconds(lambda: codec.decode_batch(files)),
    }


@click.command()
@click.argument("images", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--threads", type=int, multiple=True, default=(1, 2), show_default=True)
def main(images: Path, threads: tuple[int, ...]) -> None:
    """Pictures are taken from the folder IMAGES."""
    crops = pieces(images)
    for count in threads:
        for what, time_ms in measure(Codec(threads=count), crops).items():
            click.echo(f"{count} threads, {what}: {time_ms:.0f} ms")


if __name__ == "__main__":
    main()
