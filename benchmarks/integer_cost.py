"""What the integer-exact prior costs: real payloads against the float networks' information.

The float figure is -log2 of the Gaussians of the checkpoint's own float32 networks at the same
latents, rounded plainly: what an ideal coder would need if float networks could be trusted. The
integer figure is the size of the payloads that are written, also with plain rounding and plain
Gaussian tables, so that nothing but the integers, the tables and the coder differs. Means and
tables are compared where both priors have seen the same symbols.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import click
import numpy as np
import torch
from PIL import Image
from torch import Tensor

from latentcodec.entropy import tables
from latentcodec.entropy.context_prior import Z_BITS, ContextPrior
from latentcodec.entropy.rdoq import Quantiser
from latentcodec.models import rate
from latentcodec.models.config import HyperConfig
from latentcodec.models.hyper import HyperModel, magnitude_of, rows_to_steps, to_steps
from latentcodec.runtime import tensor_file
from latentcodec.runtime.hyper import HyperFamily
from latentcodec.runtime.registry import load
from latentcodec.runtime.torch_prior import TorchPrior
from latentcodec.training import checkpoint
from latentcodec.training.data import CALIBRATION_PX, Photographs
from latentcodec.training.equalisation import equalise, ranges_on
from latentcodec.training.export import export

_QUALITIES = (5, 20, 35, 50, 65, 80, 95)


class Difference(NamedTuple):
    """Between float and integer prior on one picture."""

    float_bits: float
    integer_bits: float
    mean_square: float  # of the means' difference, in quantisation steps
    other_tables: float  # share of the latents whose sigma rounds to another table


class _Predicted(NamedTuple):
    """What the float networks predict in each coding step, in quantisation steps."""

    means: list[Tensor]  # [PHASES, 1, n, M/4]
    log_scales: list[Tensor]


def _exported(model: HyperModel, meta: dict[str, Any]) -> bytes:
    """The weights file of a model, with Gaussian tables."""
    with tempfile.TemporaryDirectory() as folder:
        path, weights = Path(folder) / "checkpoint", Path(folder) / "weights"
        tensors = {f"average/{key}": value for key, value in model.state_dict().items()}
        checkpoint.save(path, tensors, meta)
        export(path, weights)
        return weights.read_bytes()


class Both:
    """The same checkpoint as float networks and as an exported integer model."""

    def __init__(self, path: Path, data: Sequence[Path] = ()) -> None:
        """data: photographs to equalise the prior's activations on, as export does."""
        tensors, meta = checkpoint.load(path)
        self.float = HyperModel(HyperConfig(**meta["config"])).eval()
        self.float.load_state_dict(checkpoint.under(tensors, "average/"))
        if data:
            photographs = Photographs.load(data, CALIBRATION_PX, torch.device("cpu"))
            equalise(self.float, ranges_on(photographs, self.float))
        weights = _exported(self.float, meta)
        integer = load(weights)
        assert isinstance(integer, HyperFamily)
        self.integer, self.prior = integer, ContextPrior(tensor_file.unpack(weights)[0])
        self.networks = TorchPrior(self.prior)
        self.integer.quantiser = Quantiser(self.integer.tables, math.inf)

    @torch.inference_mode()
    def difference(self, pixels: np.ndarray, quality: float) -> Difference:
        """For an image, uint8 [H, W, 3] with sides that 64 divides."""
        tenths = round(10 * quality)
        y = self.integer.analyse(pixels, tenths)
        level = torch.tensor([self.integer.level(tenths)])
        batch = torch.from_numpy(y)[None]
        v = batch * self.float.gain(level).exp()
        z = self.float.h_a(batch / self.float.y_std, magnitude_of(v), level)
        z_mean, z_scale = self.float.z_mean(level), self.float.z_log_scale(level).exp()
        z_symbols = torch.round(z - z_mean)
        z_bits = rate.gaussian_bits(z_symbols, torch.zeros(()), z_scale.clamp_min(tables.SCALE_LOW))
        psi = self.float.h_s(z_mean + z_symbols, level)
        with mock.patch.object(rate, "ERROR_BITS", math.inf):  # plain rounding
            predicted, (v_hat, bits) = self._predicted(v, psi, level)
        payload, _ = self.integer.encode_latents(y, tenths)
        return Difference(
            float(z_bits.sum() + bits.sum()),
            8.0 * len(payload),
            *self._compared(predicted, to_steps(v_hat), z_symbols[0].numpy(), tenths),
        )

    def _predicted(
        self, v: Tensor, psi: Tensor, level: Tensor
    ) -> tuple[_Predicted, tuple[Tensor, Tensor]]:
        """Code v; also returns what was predicted on the way."""
        outputs: list[tuple[Tensor, Tensor]] = []
        hooks = [
            network.register_forward_hook(lambda _, inputs, output: outputs.append(output))
            for network in self.float.steps()
        ]
        coded = self.float.code(v, psi, level)
        for hook in hooks:
            hook.remove()
        scaling = self.float.y_std * self.float.gain(level).exp()
        steps = rows_to_steps(scaling)
        offset = rows_to_steps(scaling.log() + self.float.scale_offset(level))
        predicted = _Predicted(
            [mean * steps[number] for number, (mean, _) in enumerate(outputs)],
            [log_scale + offset[number] for number, (_, log_scale) in enumerate(outputs)],
        )
        return predicted, (coded.v_hat, coded.bits)

    def _compared(
        self, predicted: _Predicted, v_hat: Tensor, z_symbols: np.ndarray, tenths: int
    ) -> tuple[float, float]:
        """Mean square of the means' difference, and the share of other tables."""
        h, w, _ = z_symbols.shape
        z_mean = self.prior.row("z_mean", tenths)
        z_hat = (z_symbols.astype(np.int64) << Z_BITS) + z_mean
        walk = self.prior.walk(self.networks, z_hat, tenths, 4 * h, 4 * w)
        errors, others = [], []
        for step, (mean, log_scale) in enumerate(zip(*predicted, strict=True)):
            means, chosen = walk.parameters(step)
            wanted = mean.flatten().numpy()
            errors.append(np.square(means / (1 << tables.MEAN_BITS) - wanted).mean())
            above = log_scale.flatten().numpy() - math.log(tables.SCALE_LOW)
            table = np.rint(above * tables.SCALE_STEPS_PER_E).clip(0, tables.SCALE_COUNT - 1)
            others.append((table != chosen).mean())
            symbols = (v_hat[step] - mean).round().flatten().numpy().astype(np.int32)
            walk.put(step, symbols)
        return float(np.mean(errors)), float(np.mean(others))


@click.command()
@click.argument("path", metavar="CHECKPOINT", type=click.Path(path_type=Path))
@click.option("--images", type=click.Path(path_type=Path), default=Path("benchmarks/data/kodak"))
@click.option("--calibrate", type=click.Path(path_type=Path, exists=True), help="As of `export`.")
def main(path: Path, images: Path, calibrate: Path | None) -> None:
    """Compare the two for every image in a folder, at seven qualities."""
    both = Both(path, [calibrate] if calibrate else ())
    pictures = [np.asarray(Image.open(p).convert("RGB")) for p in sorted(images.glob("*.png"))]
    pictures = [p[: p.shape[0] // 64 * 64, : p.shape[1] // 64 * 64] for p in pictures]
    for quality in _QUALITIES:
        rows = np.array([both.difference(p, quality) for p in pictures])
        cost = rows[:, 1] / rows[:, 0] - 1
        print(
            f"quality {quality:>3}: float {rows[:, 0].sum() / 8:>10.0f} bytes, "
            f"integer {rows[:, 1].sum() / 8:>10.0f}, cost {100 * cost.mean():+.3f} % mean, "
            f"{100 * cost.max():+.3f} % worst, means {rows[:, 2].mean() ** 0.5:.4f} steps apart, "
            f"{100 * rows[:, 3].mean():.2f} % other tables"
        )


if __name__ == "__main__":
    main()
