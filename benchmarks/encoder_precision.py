"""What bfloat16 in the encoder costs: the same photographs encoded in float32 and in it.

    python benchmarks/encoder_precision.py [FOLDER]

Both are decoded in float32. A latent that lies between two symbols may become either one, so a
single picture gains or loses a little; what counts is the mean, which stands with its standard
error.
"""

from __future__ import annotations

import os
from pathlib import Path

import click
import numpy as np
from PIL import Image

from latentcodec.bench.images import list_images
from latentcodec.runtime import model_store, precision, registry
from latentcodec.runtime.base import Family

_KODAK = Path(__file__).parent / "data" / "kodak"
_QUALITIES = (10, 35, 50, 85)
_SIDE_PX = 512


@click.command()
@click.argument(
    "folder", type=click.Path(exists=True, file_okay=False, path_type=Path), default=_KODAK
)
def main(folder: Path) -> None:
    """Compare on the first 512 x 512 px of each photograph."""
    crops = []
    for path in list_images(folder):
        with Image.open(path) as image:
            pixels = np.asarray(image.convert("RGB"))[:_SIDE_PX, :_SIDE_PX]
        crops.append(np.ascontiguousarray(pixels))
    for tune in model_store.TUNES:
        models = [_model(tune, name) for name in ("float32", "bfloat16")]
        for quality in _QUALITIES:
            rows = np.array([_differences(models, crop, quality) for crop in crops])
            error = rows.std(0, ddof=1) / len(rows) ** 0.5
            means = zip(("PSNR, dB", "size, %", "cost, %"), rows.mean(0), error, strict=True)
            told = ", ".join(f"{name} {mean:+.3f} +- {by:.3f}" for name, mean, by in means)
            click.echo(f"tune {tune}, quality {quality}: {told}")


def _model(tune: model_store.Tune, name: str) -> Family:
    os.environ[precision.VARIABLE] = name
    entry = model_store.by_name(model_store.chosen(tune=tune))
    return registry.load(model_store.checked_bytes(entry), "torch")


def _differences(models: list[Family], pixels: np.ndarray, quality: int) -> tuple[float, ...]:
    """Of PSNR in dB, of size and of lambda * squared error + bits per pixel in percent."""
    exact, tenths, rows = models[0], 10 * quality, []
    for model in models:
        payload, v_hat = model.encode_latents(model.analyse(pixels, tenths), tenths)
        error = ((exact.synthesise(v_hat, tenths).astype(float) - pixels) ** 2).mean()
        bits = 8 * len(payload) / pixels[..., 0].size
        rows.append((error, bits, exact.config.lambda_of(exact.level(tenths)) * error + bits))
    by_error, by_size, by_cost = (b / a for a, b in zip(*rows, strict=True))
    return -10 * np.log10(by_error), 100 * (by_size - 1), 100 * (by_cost - 1)


if __name__ == "__main__":
    main()
