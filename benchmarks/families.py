"""What autoencoder, variational autoencoder and hierarchical VAE do differently, in numbers.

    python benchmarks/families.py [--images FOLDER] [--out benchmarks/results/families]

Writes one CSV per question and the figures of docs/ae-vs-vae.md. Rates are those of real files.
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Callable, Iterable
from pathlib import Path

import click
import numpy as np
import torch
from PIL import Image

import latentcodec
from latentcodec.bench.metrics import mean_squared_error, psnr_db
from latentcodec.entropy.coding_order import latents_of_step
from latentcodec.entropy.tables import ZERO_TABLE
from latentcodec.format.container import Colour
from latentcodec.images.picture import Picture
from latentcodec.models.vae import kl_bits
from latentcodec.options import EncodeOptions
from latentcodec.pipeline import encoder
from latentcodec.pipeline.generate import lerp, slerp
from latentcodec.pipeline.rate_control import for_psnr, for_size
from latentcodec.runtime import model_store
from latentcodec.runtime.base import Family
from latentcodec.runtime.factorized import FactorizedFamily
from latentcodec.runtime.hyper import HyperFamily
from latentcodec.runtime.torch_networks import posterior
from latentcodec.runtime.vae import VaeFamily

HERE = Path(__file__).resolve().parent
FAMILIES = ("ae", "vae", "hyper")
Rows = list[dict[str, object]]

_TENTHS = 500  # the quality at which latents are looked at
_CROP_PX = 256
_STEPS = 17


def _families() -> dict[str, Family]:
    return {name: model_store.load_codec(model_store.by_name(name)) for name in FAMILIES}


def _coder(pixels: np.ndarray, model: str) -> Callable[[float], bytes]:
    picture = Picture(pixels, Colour.RGB, {})
    return lambda quality: encoder.encode(picture, EncodeOptions(quality=quality), model=model)


def _psnr(first: np.ndarray, second: np.ndarray) -> float:
    return psnr_db(mean_squared_error(first, second))


def _gradient_energy(pixels: np.ndarray) -> float:
    """Mean squared difference of neighbouring luma values."""
    luma = pixels.astype(np.float64) @ (0.299, 0.587, 0.114)
    return float(np.square(np.diff(luma, axis=0)).mean() + np.square(np.diff(luma, axis=1)).mean())


def sharpness(pictures: list[np.ndarray]) -> Rows:
    """Gradient energy of the reconstruction over the original's, at equal PSNR and equal rate."""
    rows: Rows = []
    for model in FAMILIES:
        for goal, value in (("PSNR", 30.0), ("PSNR", 34.0), ("bpp", 0.3), ("bpp", 0.8)):
            found = [_sharpness_of(pixels, model, goal, value) for pixels in pictures]
            reached = [row for row in found if row is not None]
            rate, psnr, share = np.mean(reached, axis=0) if reached else [float("nan")] * 3
            rows.append(
                {
                    "family": model,
                    "at": f"{value:g} {'dB' if goal == 'PSNR' else 'bpp'}",
                    "images": len(reached),
                    "bpp": round(float(rate), 4),
                    "psnr_db": round(float(psnr), 3),
                    "gradient_energy": round(float(share), 4),
                }
            )
    return rows


def _sharpness_of(
    pixels: np.ndarray, model: str, goal: str, value: float
) -> tuple[float, float, float] | None:
    encode, area = _coder(pixels, model), pixels.shape[0] * pixels.shape[1]
    if goal == "PSNR":
        found = for_psnr(encode, lambda d: _psnr(latentcodec.decode_array(d), pixels), value)
    else:
        found = for_size(encode, value * area / 8)
    if not found.reached:
        return None
    decoded = latentcodec.decode_array(found.data)
    share = _gradient_energy(decoded) / _gradient_energy(pixels)
    return 8 * len(found.data) / area, _psnr(decoded, pixels), share


def smoothness(pictures: list[np.ndarray], families: dict[str, Family]) -> Rows:
    """Straight lines and great circles between the latents of two pictures.

    length: of the way in pixels, over the distance of its ends (1 is a cross-fade). return error:
    how far the latents of a picture on the way are from where it was drawn, over their length.
    """
    rows: Rows = []
    for model, family in families.items():
        for path, mix in (("linear", lerp), ("spherical", slerp)):
            lengths, errors = [], []
            for first, second in zip(pictures[::2], pictures[1::2], strict=False):
                a, b = (family.embed(_crop(p), _TENTHS) for p in (first, second))
                points = [mix(a, b, share) for share in np.linspace(0, 1, _STEPS)]
                way = [family.render(point, _TENTHS).astype(float) for point in points]
                steps = sum(np.linalg.norm(q - p) for p, q in itertools.pairwise(way))
                lengths.append(steps / np.linalg.norm(way[-1] - way[0]))
                for point, picture in list(zip(points, way, strict=True))[1:-1:4]:
                    again = family.embed(picture.astype(np.uint8), _TENTHS)
                    errors.append(np.linalg.norm(again - point) / np.linalg.norm(point))
            rows.append(
                {
                    "family": model,
                    "path": path,
                    "length": round(float(np.mean(lengths)), 4),
                    "return_error": round(float(np.mean(errors)), 4),
                }
            )
    return rows


def noise(pictures: list[np.ndarray], families: dict[str, Family]) -> Rows:
    """PSNR after N(0, sigma) is added to the latents; sigma in quantisation steps."""
    rows: Rows = []
    for model, family in families.items():
        random = np.random.default_rng(1)
        for sigma in (0.0, 0.1, 0.2887, 0.5, 1.0, 2.0):
            values = []
            for picture in pictures:
                pixels = _crop(picture)
                unit = family.unit_steps(_TENTHS)
                latents = family.embed(pixels, _TENTHS)
                latents = latents + sigma * unit * random.standard_normal(latents.shape)
                values.append(_psnr(family.render(latents.astype(np.float32), _TENTHS), pixels))
            rows.append(
                {"family": model, "sigma_steps": sigma, "psnr_db": round(float(np.mean(values)), 3)}
            )
    return rows


def units(pictures: list[np.ndarray], families: dict[str, Family]) -> Rows:
    """Which channels carry anything: the share of symbols that are not zero, and for `vae` the KL.

    coded: 1 for channels that have symbols in the file at all.
    """
    rows: Rows = []
    for model, family in families.items():
        crops = [_crop(picture) for picture in pictures]
        shares = np.mean([(_symbols(family, c) != 0).mean(axis=(0, 1)) for c in crops], axis=0)
        divergence = [""] * len(shares)
        if isinstance(family, VaeFamily):
            bits = np.mean([_kl_bits(family, c, _TENTHS).mean(axis=(0, 1)) for c in crops], axis=0)
            divergence = [f"{value:.5f}" for value in bits]
        for channel, coded in enumerate(_coded(family)):
            rows.append(
                {
                    "family": model,
                    "channel": channel,
                    "coded": int(coded),
                    "nonzero": round(float(shares[channel]), 5),
                    "kl_bits": divergence[channel],
                }
            )
    return rows


def _coded(family: Family) -> np.ndarray:
    """Which channels the files of a family have symbols for: bool [M]."""
    if isinstance(family, FactorizedFamily):
        return family.tables_of(_TENTHS) != ZERO_TABLE
    return np.ones(family.config.latents, dtype=bool)


def _symbols(family: Family, pixels: np.ndarray) -> np.ndarray:
    """What a file of `pixels` holds for each latent: int32 [h, w, M]."""
    y = family.analyse(pixels, _TENTHS)
    if isinstance(family, FactorizedFamily):
        return family.symbols(y, _TENTHS)
    assert isinstance(family, HyperFamily)
    (_, *steps), _ = family.symbols(y, _TENTHS)
    found = np.zeros(y.size, dtype=np.int32)
    places = np.arange(y.size).reshape(y.shape)
    for step, (symbols, _) in enumerate(steps):
        found[latents_of_step(places, step)] = symbols
    return found.reshape(y.shape)


def _kl_bits(family: VaeFamily, pixels: np.ndarray, tenths: int) -> np.ndarray:
    mean, log_sigma = posterior(family, pixels, tenths)
    return kl_bits(torch.from_numpy(mean), torch.from_numpy(log_sigma)).numpy()


def rate_against_kl(pictures: list[np.ndarray], family: Family) -> Rows:
    """Bits of real payloads at the neutral step against the divergence, for `vae`."""
    assert isinstance(family, VaeFamily)
    rows: Rows = []
    for tenths in (50, 200, 350, 500, 650, 800, 950):
        found = []
        for picture in pictures:
            pixels = _multiple_of_16(picture)
            payload, _ = family.encode_latents(family.analyse(pixels, tenths), tenths)
            kl = float(_kl_bits(family, pixels, tenths).sum())
            found.append((8 * len(payload), kl, pixels.shape[0] * pixels.shape[1]))
        real, divergence, area = np.sum(found, axis=0)
        shares = [bits / kl for bits, kl, _ in found]
        rows.append(
            {
                "quality": tenths / 10,
                "real_bpp": round(real / area, 4),
                "kl_bpp": round(divergence / area, 4),
                "real_over_kl": round(real / divergence, 4),
                "least_of_an_image": round(min(shares), 4),
                "most_of_an_image": round(max(shares), 4),
            }
        )
    return rows


def determinism(pictures: list[np.ndarray], families: dict[str, Family]) -> Rows:
    """Whether a picture gives the same file again; what sampling the posterior would change."""
    rows: Rows = []
    for model, family in families.items():
        same = all(_coder(p, model)(50) == _coder(p, model)(50) for p in pictures)
        row: dict[str, object] = {"family": model, "files_equal": same, "symbols_changed": ""}
        if isinstance(family, VaeFamily):
            random = np.random.default_rng(1)
            unit, coded, changed = family.unit_steps(_TENTHS), _coded(family), []
            for picture in pictures:
                mean, log_sigma = posterior(family, _crop(picture), _TENTHS)
                z = mean + np.exp(log_sigma) * random.standard_normal(mean.shape)
                differs = np.rint(z / unit) != np.rint(mean / unit)
                changed.append(differs[:, :, coded].mean())
            row["symbols_changed"] = round(float(np.mean(changed)), 4)
        rows.append(row)
    return rows


def _crop(pixels: np.ndarray) -> np.ndarray:
    top, left = ((side - _CROP_PX) // 2 for side in pixels.shape[:2])
    return np.ascontiguousarray(pixels[top : top + _CROP_PX, left : left + _CROP_PX])


def _multiple_of_16(pixels: np.ndarray) -> np.ndarray:
    height, width = (side // 16 * 16 for side in pixels.shape[:2])
    return np.ascontiguousarray(pixels[:height, :width])


def _write(path: Path, rows: Iterable[dict[str, object]]) -> None:
    rows = list(rows)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    click.echo(path)


@click.command()
@click.option(
    "--images",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=HERE / "data" / "kodak",
)
@click.option("--out", type=click.Path(path_type=Path), default=HERE / "results" / "families")
def main(images: Path, out: Path) -> None:
    """Answer every question on a folder of PNG photographs of 256 px or more."""
    pictures = [np.asarray(Image.open(p).convert("RGB")) for p in sorted(images.glob("*.png"))]
    families = _families()
    out.mkdir(parents=True, exist_ok=True)
    _write(out / "rate-against-kl.csv", rate_against_kl(pictures, families["vae"]))
    _write(out / "noise.csv", noise(pictures, families))
    _write(out / "units.csv", units(pictures, families))
    _write(out / "smoothness.csv", smoothness(pictures, families))
    _write(out / "determinism.csv", determinism(pictures, families))
    # The search for a rate or a PSNR encodes often: a third of the photographs.
    _write(out / "sharpness.csv", sharpness(pictures[::3]))


if __name__ == "__main__":
    main()
