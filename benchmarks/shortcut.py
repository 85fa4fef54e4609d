"""What the DCT shortcut keeps of a photograph, by the number of its rows, before any training.

    python benchmarks/shortcut.py [--images FOLDER]

PSNR of the photographs after the truncated DCT and its inverse, nothing quantised: the most that a
model of so many latents starts from.
"""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np
from PIL import Image

from latentcodec.bench.metrics import mean_squared_error, psnr_db
from latentcodec.models.dct import BLOCK_PX, shortcut_matrices

KODAK = Path(__file__).parent / "data" / "kodak"


@click.command()
@click.option("--images", type=click.Path(exists=True, path_type=Path), default=KODAK)
def main(images: Path) -> None:
    """Print the mean PSNR over the PNG files of a folder."""
    pictures = [np.asarray(Image.open(p).convert("RGB")) for p in sorted(images.glob("*.png"))]
    for rows in (384, 320, 256):
        analysis, synthesis = shortcut_matrices(rows)
        kept = synthesis @ analysis
        values = [psnr_db(mean_squared_error(p, _through(p, kept))) for p in pictures]
        click.echo(f"{rows} rows: {np.mean(values):.1f} dB")


def _through(picture: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """uint8 [H, W, 3] after the projection `kept` of its cells, [768, 768]."""
    height, width = (side // BLOCK_PX for side in picture.shape[:2])
    whole = picture[: height * BLOCK_PX, : width * BLOCK_PX]
    cells = whole.reshape(height, BLOCK_PX, width, BLOCK_PX, 3).swapaxes(1, 2)
    out = cells.reshape(height, width, -1).astype(np.float64) @ kept.T
    back = out.reshape(height, width, BLOCK_PX, BLOCK_PX, 3).swapaxes(1, 2).reshape(whole.shape)
    return np.rint(back).clip(0, 255).astype(np.uint8)


if __name__ == "__main__":
    main()
