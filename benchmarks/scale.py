"""Decoding to a smaller size: how near three ways come to the means of the original's pixels.

The means of a full decode, `scale=`, and `scale=` with the linear shortcut of the synthesis alone.
"""

from __future__ import annotations

import copy
import math
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
import torch
from PIL import Image

import latentcodec
from latentcodec.format import container
from latentcodec.pipeline.latent_tiles import decode_latents
from latentcodec.runtime import model_store
from latentcodec.runtime.base import Family
from latentcodec.runtime.torch_networks import TorchNetworks

KODAK = Path(__file__).parent / "data" / "kodak"
_SCALES = (2, 4, 8, 16)


def means(pixels: np.ndarray, scale: int) -> np.ndarray:
    """Over scale x scale of [H, W, 3], whose sides are multiples of it: float [h, w, 3]."""
    height, width = pixels.shape[0] // scale, pixels.shape[1] // scale
    return pixels.reshape(height, scale, width, scale, 3).mean((1, 3))


def psnr_db(pixels: np.ndarray, original: np.ndarray) -> float:
    """PSNR of [H, W, 3] in grey levels."""
    return 10 * math.log10(255**2 / float(np.square(pixels - original).mean()))


def without_network(family: Family) -> Family:
    """The model with a synthesis that is its linear shortcut."""
    only = copy.copy(family)
    assert isinstance(family.networks, TorchNetworks)
    only.networks = networks = copy.copy(family.networks)
    networks.g_s = copy.deepcopy(networks.g_s)
    for rows in (networks.g_s.head.weight, networks.g_s.head.bias):
        rows.zero_()
    return only


def rows(
    original: np.ndarray, quality: float, family: Family, shortcut: Family
) -> Iterator[tuple[int, str, float]]:
    """Scale, way and PSNR in dB."""
    file = container.read(latentcodec.encode(original, quality=quality, tune="psnr"))
    tenths, v_hat = file.header.quality_tenths, decode_latents(file, family)
    full = family.synthesise(v_hat, tenths)
    for scale in _SCALES:
        wanted = means(original, scale)
        yield scale, "means of a full decode", psnr_db(np.rint(means(full, scale)), wanted)
        for way, model in (("scale", family), ("shortcut alone", shortcut)):
            yield scale, way, psnr_db(model.synthesise(v_hat, tenths, scale), wanted)


@click.command()
@click.argument(
    "images", type=click.Path(exists=True, file_okay=False, path_type=Path), default=KODAK
)
@click.option("--count", type=click.IntRange(min=1), help="The first N pictures [default: all].")
@click.option("--qualities", multiple=True, type=float, default=(10, 50, 90), show_default=True)
def main(images: Path, count: int | None, qualities: tuple[float, ...]) -> None:
    """Pictures are the PNG files of the folder IMAGES; their sides are multiples of 16."""
    family = model_store.load_codec(model_store.by_name(model_store.chosen(tune="psnr")))
    with torch.no_grad():
        shortcut = without_network(family)
    pictures = [np.asarray(Image.open(p).convert("RGB")) for p in sorted(images.glob("*.png"))]
    for quality in qualities:
        found = defaultdict(list)
        for original in pictures[:count]:
            for scale, way, db in rows(original, quality, family, shortcut):
                found[scale, way].append(db)
        for (scale, way), values in found.items():
            click.echo(f"quality {quality:g}, 1/{scale}, {way}: {np.mean(values):.2f} dB")


if __name__ == "__main__":
    main()
