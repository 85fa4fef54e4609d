"""Where the time of a single command goes: medians over runs of new processes.

python benchmarks/startup.py [--runs 7]
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
from PIL import Image

PHOTO = Path(__file__).parent / "data" / "kodak" / "kodim23.png"
_SIZE = (64, 48)

# In a process of its own, since each of these is done once in a process.
_STAGES = """
import json, sys, time
started = time.perf_counter()
import torch
imported = time.perf_counter()
from PIL import Image
import latentcodec
from latentcodec.runtime import model_store
image = Image.open(sys.argv[1])
image.load()
ready = time.perf_counter()
model_store.load_codec(model_store.by_name(model_store.chosen()))
loaded = time.perf_counter()
latentcodec.encode(image)
coded = time.perf_counter()
print(json.dumps({"import torch": imported - started, "load the model": loaded - ready,
                  "encode": coded - loaded}))
"""


@click.command()
@click.option("--runs", default=7, show_default=True)
def main(runs: int) -> None:
    """Time commands on a picture of 64 x 48 px, and the stages of an encode."""
    with tempfile.TemporaryDirectory() as folder:
        small, lat = Path(folder) / "small.png", Path(folder) / "small.lat"
        with Image.open(PHOTO) as photo:
            photo.resize(_SIZE).save(small)
        commands = {
            "encode": ["encode", str(small), str(lat)],  # the others read what it writes
            "decode": ["decode", str(lat), str(Path(folder) / "back.png")],
            "info": ["info", str(lat)],
            "--help": ["--help"],
            "wrong usage": ["encode", str(small), "--quality", "101"],
        }
        for name, arguments in commands.items():
            click.echo(f"{name:<16} {1000 * _command_s(arguments, runs):6.0f} ms")
        stages = [_stages_s(small) for _ in range(runs)]
    for name in stages[0]:
        median = statistics.median(found[name] for found in stages)
        click.echo(f"  {name:<14} {1000 * median:6.0f} ms")


def _command_s(arguments: list[str], runs: int) -> float:
    """Median wall time of a command in seconds."""
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-m", "latentcodec", *arguments], capture_output=True)
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def _stages_s(photo: Path) -> dict[str, float]:
    command = [sys.executable, "-c", _STAGES, str(photo)]
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(run.stdout)
    return found


if __name__ == "__main__":
    main()
