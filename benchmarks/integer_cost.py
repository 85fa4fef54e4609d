"""What the integer-exact prior costs: real payloads against the float networks' information.

The float figure is -log2 of the Gaussians of the checkpoint's own float32 networks at the same
latents, rounded plainly: what an ideal coder would need if float networks could be trusted. The
integer figure is the size of the payloads that are written, also with plain rounding and plain
Gaussian tables, so that nothing but the integers, the tables and the coder differs.
"""

from __future__ import annotations

import math
import tempfile
from pathlib import Path
from unittest import mock

import click
import numpy as np
import torch
from PIL import Image

from latentcodec.entropy.rdoq import Quantiser
from latentcodec.entropy.tables import SCALE_LOW
from latentcodec.models import hyper
from latentcodec.models.config import HyperConfig
from latentcodec.models.hyper import HyperModel
from latentcodec.models.layers import gaussian_bits
from latentcodec.runtime.hyper import HyperFamily
from latentcodec.runtime.registry import load
from latentcodec.training import checkpoint
from latentcodec.training.export import export

_QUALITIES = (5, 20, 35, 50, 65, 80, 95)


class Both:
    """The same checkpoint as float networks and as an exported integer model."""

    def __init__(self, path: Path) -> None:
        tensors, meta = checkpoint.load(path)
        self.float = HyperModel(HyperConfig(**meta["config"])).eval()
        self.float.load_state_dict(checkpoint.under(tensors, "average/"))
        with tempfile.TemporaryDirectory() as folder:
            export(path, Path(folder) / "weights")
            integer = load((Path(folder) / "weights").read_bytes())
        assert isinstance(integer, HyperFamily)
        self.integer = integer
        self.integer.quantiser = Quantiser(self.integer.tables, math.inf)

    @torch.inference_mode()
    def bits(self, pixels: np.ndarray, quality: float) -> tuple[float, float]:
        """Float and integer bits of an image, uint8 [H, W, 3] with sides that 64 divides."""
        tenths = round(10 * quality)
        y = self.integer.analyse(pixels, tenths)
        level = self.integer.level(tenths)
        batch = torch.from_numpy(y)[None]
        z = self.float.h_a(batch / self.float.y_std, level)
        mean, scale = self.float.z_mean(level), self.float.z_log_scale(level).exp()
        z_hat = mean + torch.round(z - mean)
        total = gaussian_bits(z_hat, mean, scale.clamp_min(SCALE_LOW)).sum()
        v = batch * self.float.gain(level).exp()
        plain = mock.patch.object(hyper, "round_for_rate", lambda offset, scale: offset.round())
        with plain:  # the model's own rounding would be the encoder's, by rate and error
            mean, scale, v_hat = self.float.predict(v, self.float.h_s(z_hat, level), level)
        total += gaussian_bits(v_hat, mean, scale).sum()
        return float(total), 8.0 * len(self.integer.encode_latents(y, tenths)[0])


@click.command()
@click.argument("path", metavar="CHECKPOINT", type=click.Path(path_type=Path))
@click.option("--images", type=click.Path(path_type=Path), default=Path("benchmarks/data/kodak"))
def main(path: Path, images: Path) -> None:
    """Compare the two for every image in a folder, at seven qualities."""
    both = Both(path)
    pictures = [np.asarray(Image.open(p).convert("RGB")) for p in sorted(images.glob("*.png"))]
    pictures = [p[: p.shape[0] // 64 * 64, : p.shape[1] // 64 * 64] for p in pictures]
    for quality in _QUALITIES:
        pairs = np.array([both.bits(p, quality) for p in pictures])
        cost = pairs[:, 1] / pairs[:, 0] - 1
        print(
            f"quality {quality:>3}: float {pairs[:, 0].sum() / 8:>10.0f} bytes, "
            f"integer {pairs[:, 1].sum() / 8:>10.0f}, cost {100 * cost.mean():+.3f} % mean, "
            f"{100 * cost.max():+.3f} % worst"
        )


if __name__ == "__main__":
    main()
