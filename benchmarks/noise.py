"""How near pictures of pure grain and of single pixels come at each quality.

    python benchmarks/noise.py                                 # the default model
    python benchmarks/noise.py --effort 5                      # with refined latents
    python benchmarks/noise.py --model mine.safetensors        # weights of your own

Bytes and RGB PSNR of 384 x 288 px of kodim23 with normal noise added (in each channel by itself, or
the same in all three, as in luma), of a checkerboard of single pixels, and of stripes and a grid of
lines that are one pixel wide.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from latentcodec import Codec
from latentcodec.defaults import EFFORT

KODAK = Path(__file__).parent / "data" / "kodak"
QUALITIES = (50, 75, 90, 100)


def subjects() -> Iterator[tuple[str, np.ndarray]]:
    """Names and pictures, uint8 [288, 384, 3]."""
    with Image.open(KODAK / "kodim23.png") as image:
        clean = np.asarray(image.convert("RGB").crop((100, 100, 484, 388)), dtype=float)
    random = np.random.default_rng(0)
    noise = {
        "no noise": 0.0,
        "each channel, sigma 20": random.normal(0, 20, clean.shape),
        "each channel, sigma 30": random.normal(0, 30, clean.shape),
        "luma, sigma 25": random.normal(0, 25, clean.shape[:2])[..., None],
    }
    for name, added in noise.items():
        yield name, np.clip(np.rint(clean + added), 0, 255).astype(np.uint8)
    down, right = np.indices(clean.shape[:2])
    patterns = {
        "checkerboard of 1 px": (down + right) % 2,
        "stripes of 1 px": right % 2,
        "lines of 1 px, every 8th": (down % 8 > 0) & (right % 8 > 0),
    }
    for name, light in patterns.items():
        yield name, np.repeat((light * 255).astype(np.uint8)[..., None], 3, axis=2)


def psnr_db(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Over all samples."""
    return 10 * math.log10(255**2 / np.square(ours.astype(float) - theirs).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", help="a packaged model, or a weights file")
    parser.add_argument("--effort", type=int, default=EFFORT)
    arguments = parser.parse_args()
    codec = Codec(model=arguments.model)
    print("| picture | " + " | ".join(f"quality {quality}" for quality in QUALITIES) + " |")
    print("|---" * (1 + len(QUALITIES)) + "|")
    for name, pixels in subjects():
        files = [
            codec.encode(pixels, quality=quality, effort=arguments.effort) for quality in QUALITIES
        ]
        cells = [f"{len(f):,} B, {psnr_db(codec.decode_array(f), pixels):.2f} dB" for f in files]
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
