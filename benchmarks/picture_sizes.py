"""Memory of a process that meets pictures of ever new sizes.

    python benchmarks/picture_sizes.py [--sizes 60] [--smallest-px 300] [--largest-px 900]

Encodes and decodes parts of a picture, each of another size, by one thread, and prints what the
process has in memory (Linux, from /proc/self/statm) after each sixth of them: with the capacities
of torch's caches as the package sets them, and as torch has them.
"""

from __future__ import annotations

import os
import random
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
from large_picture import picture

AS_TORCH_HAS_THEM = {"ONEDNN_PRIMITIVE_CACHE_CAPACITY": "1024", "LRU_CACHE_CAPACITY": "1024"}
_STEPS = 6
_MIB = 1 << 20


def resident_mib() -> float:
    """Of this process, once what is free has been given back."""
    from latentcodec.system.allocator import give_back

    give_back()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / _MIB


def grows(sizes: int, smallest_px: int, largest_px: int) -> Iterator[tuple[int, float]]:
    """How many sizes there have been, and MiB in memory, six times."""
    import latentcodec

    codec = latentcodec.Codec(threads=1)
    drawn = random.Random(0)
    whole = picture(largest_px, largest_px)
    for number in range(1, sizes + 1):
        height, width = (drawn.randint(smallest_px, largest_px) for _ in "hw")
        codec.decode(codec.encode(whole.crop((0, 0, width, height))))
        if number * _STEPS % sizes < _STEPS:
            yield number, resident_mib()


@click.command()
@click.option("--sizes", default=60, show_default=True)
@click.option("--smallest-px", default=300, show_default=True)
@click.option("--largest-px", default=900, show_default=True)
@click.option("--here", is_flag=True, hidden=True)
def main(sizes: int, smallest_px: int, largest_px: int, here: bool) -> None:
    """Print the rows of both settings."""
    if here:
        for number, mib in grows(sizes, smallest_px, largest_px):
            click.echo(f"{number} sizes: {mib:.0f} MiB")
        return
    for name, setting in ("the package's", {}), ("torch's", AS_TORCH_HAS_THEM):
        click.echo(f"{name} capacities", nl=True)
        environment = {k: v for k, v in os.environ.items() if k not in AS_TORCH_HAS_THEM}
        subprocess.run(
            [sys.executable, *sys.argv, "--here"], env={**environment, **setting}, check=True
        )


if __name__ == "__main__":
    main()
