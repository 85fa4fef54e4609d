"""Rate and distortion of the three families on Kodak, and their rates at equal PSNR.

    python benchmarks/families_curves.py [--out benchmarks/results/families]

Runs `latentcodec bench`, whose rows, summary and plots come to OUT, and writes equal-psnr.csv.
"""

from __future__ import annotations

import csv
import math
import subprocess
import sys
from pathlib import Path

import click
import numpy as np
from scipy.interpolate import PchipInterpolator

from latentcodec.bench.bdrate import Curve
from latentcodec.bench.codecs import find
from latentcodec.bench.results import collect
from latentcodec.bench.rows import Row, read_rows

ROOT = Path(__file__).resolve().parent.parent
CODECS = "lat:hyper,lat:ae,lat:vae,jpeg"
_PSNR_DB = range(25, 42)


def rate_at(curve: Curve, psnr_db: float) -> float | None:
    """Bits per pixel at a PSNR, PCHIP over log rate; None where the curve does not go."""
    if not curve.quality[0] <= psnr_db <= curve.quality[-1]:
        return None
    return math.exp(PchipInterpolator(curve.quality, np.log(curve.bpp))(psnr_db))


@click.command()
@click.option("--images", default="benchmarks/data/kodak", show_default=True)
@click.option("--out", default="benchmarks/results/families", show_default=True)
def main(images: str, out: str) -> None:
    """Measure all families and JPEG; an interrupted run goes on."""
    command = [sys.executable, "-m", "latentcodec", "bench", images, "--codecs", CODECS]
    # Times are those of the main benchmark, and so are the pictures to look at.
    command += ["--out", out, "--timed-images", "0", "--sliders", "0"]
    subprocess.run(command, check=True, cwd=ROOT)
    rows = read_rows(Row, ROOT / out / "rd.csv")
    names = CODECS.split(",")
    found = collect([find(name) for name in names], rows, [])
    curves = {name: result.mean["psnr"] for name, result in found.items()}
    with (ROOT / out / "equal-psnr.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["psnr_db", *(f"{name}_bpp" for name in names)])
        for psnr_db in _PSNR_DB:
            rates = [rate_at(curves[name], psnr_db) for name in names]
            writer.writerow([psnr_db, *("" if r is None else f"{r:.4f}" for r in rates)])


if __name__ == "__main__":
    main()
