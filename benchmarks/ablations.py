"""What each choice in the recipe of `hyper` is worth: trainings of equal cost, one change each.

    python benchmarks/ablations.py --data PHOTOS --validation PHOTOS --minutes 4 --out FOLDER

Every row trains a model of half the width of `base` from the start on the same crops, for the same
minutes of one core's processor time (which other work on the machine hardly changes), exports it
with measured tables, and measures real payloads on validation photographs. Finished rows are kept:
a run that was interrupted goes on. SOAP comes from the package pytorch-optimizer.
"""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import click
import numpy as np
import torch
from PIL import Image

from latentcodec.bench.bdrate import Curve, bd_rate
from latentcodec.bench.codecs import ANCHOR, find
from latentcodec.bench.metrics import mean_squared_error, psnr_db
from latentcodec.entropy.tables import SCALE_LOW
from latentcodec.models import dct, hyper, rate, transforms
from latentcodec.models.families import config_of, sized
from latentcodec.models.hyper import HyperModel
from latentcodec.models.layers import lower_bound, round_through
from latentcodec.models.rate import gaussian_bits
from latentcodec.runtime import tensor_file
from latentcodec.runtime.base import Family
from latentcodec.runtime.precision import prefers_bfloat16
from latentcodec.runtime.registry import load
from latentcodec.training import loop, optimiser
from latentcodec.training.export import export
from latentcodec.training.loop import train
from latentcodec.training.settings import Settings

# Half of `base`, so that minutes are enough for differences to show.
_CONFIG = config_of(
    "hyper",
    dataclasses.asdict(sized("hyper", "base"))
    | {
        "channels_8": 64,
        "channels_16": 160,
        "hyper_latents": 48,
        "hyper_channels": 96,
        "context_channels": 96,
    },
)
_QUALITIES = (50, 250, 450, 650, 850, 980)  # in tenths
_FIELDS = ("change", "crops", "minutes", "device", "bd_rate_percent")

# A change: how it alters the settings, and what it replaces while it trains.
Change = tuple[
    Callable[[Settings], Settings], Callable[[], contextlib.AbstractContextManager[object]]
]


def _same(settings: Settings) -> Settings:
    return settings


def _sized(**sizes: int | float | str) -> Change:
    def altered(settings: Settings) -> Settings:
        config = config_of(settings.family, {**dataclasses.asdict(settings.config), **sizes})
        return dataclasses.replace(settings, config=config)

    return altered, contextlib.nullcontext


def _set(**values: int | float) -> Change:
    return lambda s: dataclasses.replace(s, **values), contextlib.nullcontext


def _patched(owner: object, name: str, value: object) -> Change:
    return _same, lambda: mock.patch.object(owner, name, value)


class _AdamEverywhere(optimiser.Optimisers):
    """AdamW in Muon's place."""

    matrix_optimiser = staticmethod(
        lambda matrices: torch.optim.AdamW(
            matrices, lr=optimiser.ADAM_RATE, betas=(0.9, 0.98), weight_decay=0.0
        )
    )


def _soap(matrices: list[torch.nn.Parameter]) -> torch.optim.Optimizer:
    import pytorch_optimizer

    return pytorch_optimizer.SOAP(
        matrices, lr=optimiser.MUON_RATE, betas=(0.95, 0.95), weight_decay=0.0
    )


class _Soap(optimiser.Optimisers):
    """SOAP in Muon's place (Vyas et al. 2024)."""

    matrix_optimiser = staticmethod(_soap)

    def tensors(self) -> dict[str, torch.Tensor]:
        """None: SOAP keeps lists, which checkpoints do not hold, and nothing resumes here."""
        return {}


class _NoiseOnly:
    """The rate under additive noise alone, with plain rounding, as the families without z have.

    In the place of `CodedLatents`.
    """

    @staticmethod
    def apply(
        v: torch.Tensor, mean: torch.Tensor, log_scale: torch.Tensor, noise: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        bits = gaussian_bits(v + noise, mean, lower_bound(log_scale.exp(), SCALE_LOW))
        return mean + round_through(v - mean), bits.sum(dim=(0, 2, 3))


@contextlib.contextmanager
def _smallest_scale(scale: float) -> Iterator[None]:
    """In training: the tables stay as they are."""
    of_z = mock.patch.object(hyper, "SCALE_LOW", scale)
    with of_z, mock.patch.object(rate, "SCALE_LOW", scale):
        yield


_CHANGES: dict[str, Change] = {
    "none (baseline)": (_same, contextlib.nullcontext),
    "none, another seed": _set(seed=2),
    "AdamW instead of Muon": _patched(loop, "Optimisers", _AdamEverywhere),
    "SOAP instead of Muon": _patched(loop, "Optimisers", _Soap),
    "shortcut trained in pixels": _patched(loop.Trainer, "_whitening", lambda self: None),
    "ReLU instead of Hardswish": _sized(activation="relu"),
    "biases everywhere in a block": _sized(block_biases=True),
    "1 context block": _sized(context_blocks=1),
    "depthwise 5x5": _sized(kernel=5),
    "depthwise 7x7": _sized(kernel=7),
    "DCT rank 384": _sized(latents=384),
    "DCT rank 256": _sized(latents=256),
    "chroma ranked 1.6 times as high": _patched(dct, "CHROMA_RANK", 1.6),
    "chroma ranked 3 times as high": _patched(dct, "CHROMA_RANK", 3.0),
    "loss weight lambda^-0.35": _set(loss_exponent=0.35),
    "loss weight lambda^-0.65": _set(loss_exponent=0.65),
    "prior not started from data": _patched(HyperModel, "start_prior", lambda self, y: None),
    "rate from noise alone, plain rounding": _patched(hyper, "CodedLatents", _NoiseOnly),
    "price of an error 16 bits": _patched(rate, "ERROR_BITS", 16.0),
    "smallest scale 0.05": (_same, lambda: _smallest_scale(0.05)),
    "4 crops of 384 px": _set(batch=4, crop_px=384),
    "16 crops of 192 px": _set(batch=16, crop_px=192),
    "learning rate descends over 60 %": _set(decay_share=0.6),
    "5 anchors": _sized(anchors=5),
    "correction of pixels not scaled down": _patched(transforms, "HEAD_GAIN", 1.0),
}


def _family_curve(family: Family, pictures: list[np.ndarray]) -> Curve:
    def coded(picture: np.ndarray, tenths: float) -> tuple[int, np.ndarray]:
        payload, v_hat = family.encode_latents(family.analyse(picture, int(tenths)), int(tenths))
        return len(payload), family.synthesise(v_hat, int(tenths))

    return _curve(coded, _QUALITIES, pictures)


def _jpeg_curve(pictures: list[np.ndarray]) -> Curve:
    codec = find(ANCHOR)

    def coded(picture: np.ndarray, setting: float) -> tuple[int, np.ndarray]:
        data = codec.encode(Image.fromarray(picture), setting)
        return len(data), np.asarray(codec.decode(data))

    return _curve(coded, codec.settings, pictures)


def _curve(
    coded: Callable[[np.ndarray, float], tuple[int, np.ndarray]],
    settings: Sequence[float],
    pictures: list[np.ndarray],
) -> Curve:
    """Mean bits per pixel and mean PSNR over `pictures` (uint8 [H, W, 3]) at each setting."""
    points = []
    for setting in settings:
        rows = []
        for picture in pictures:
            size_bytes, decoded = coded(picture, setting)
            rate = 8 * size_bytes / (picture.shape[0] * picture.shape[1])
            rows.append((rate, psnr_db(mean_squared_error(picture, decoded))))
        points.append(np.mean(rows, axis=0))
    return Curve.from_points(*np.transpose(points).tolist())


def _pictures(folder: Path, count: int) -> list[np.ndarray]:
    """Every n-th photograph, cut to sides that 64 divides: uint8 [H, W, 3]."""
    files = sorted(folder.glob("*.png"))
    found = []
    for path in files[:: max(1, len(files) // count)][:count]:
        pixels = np.asarray(Image.open(path).convert("RGB"))
        height, width = (side // 64 * 64 for side in pixels.shape[:2])
        found.append(pixels[:height, :width])
    return found


def _measure(row: tuple[str, Settings, Path, int]) -> dict[str, object]:
    """Train and measure one change, in a process of its own; minutes are of its processor time.

    row: the change, its settings, the folder of validation photographs, how many of them.
    """
    name, settings, validation, count = row
    torch.set_num_threads(1)
    alter, change = _CHANGES[name]
    settings = alter(settings)
    clock = mock.patch.object(loop, "time", SimpleNamespace(monotonic=time.process_time))
    pictures = _pictures(validation, count)
    with change():  # until the end: a synthesis that was changed decodes so as well
        with clock:
            train(settings, lambda line: None)
        export(settings.out, settings.out, settings.data)
        family = load(settings.out.read_bytes())
        assert isinstance(family, Family)
        curve = _family_curve(family, pictures)
    run = tensor_file.unpack(settings.out.read_bytes())[1]["trained"]["runs"][-1]
    difference = bd_rate(_jpeg_curve(pictures), curve)
    return {
        "change": name,
        "crops": run["crops"],
        "minutes": round(run["seconds"] / 60, 2),
        "device": f"{run['device']}, one core",
        "bd_rate_percent": round(difference.percent, 2),
    }


def _write(table: Path, rows: list[dict[str, object]]) -> None:
    """The rows in the order of the changes."""
    order = list(_CHANGES)
    with table.open("w", newline="") as file:
        writer = csv.DictWriter(file, _FIELDS)
        writer.writeheader()
        writer.writerows(sorted(rows, key=lambda row: order.index(str(row["change"]))))


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--validation", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--minutes", type=float, default=4, show_default=True, help="Of processor time.")
@click.option("--count", default=8, show_default=True, help="Validation photographs.")
@click.option("--only", help="Rows whose name contains this.")
@click.option("--jobs", default=2, show_default=True, help="Rows at a time, a core each.")
@click.option("--out", type=click.Path(path_type=Path), required=True)
def main(
    data: Path,
    validation: Path,
    minutes: float,
    count: int,
    only: str | None,
    jobs: int,
    out: Path,
) -> None:
    """Train and measure every change; write OUT/ablations.csv."""
    out.mkdir(parents=True, exist_ok=True)
    table = out / "ablations.csv"
    rows: list[dict[str, object]] = []
    if table.exists():
        rows = [dict(row) for row in csv.DictReader(table.open())]
    done = {row["change"] for row in rows}
    waiting = []
    for index, name in enumerate(_CHANGES):
        if name in done or (only and only not in name):
            continue
        settings = Settings(
            data=[data],
            out=out / f"{index:02d}.safetensors",
            config=_CONFIG,
            minutes=minutes,
            bfloat16=prefers_bfloat16("cpu"),
        )
        waiting.append((name, settings, validation, count))
    with multiprocessing.get_context("spawn").Pool(jobs, maxtasksperchild=1) as pool:
        started = [pool.apply_async(_measure, (row,)) for row in waiting]
        for name, result in zip((row[0] for row in waiting), started, strict=True):
            try:
                rows.append(result.get())
            except Exception as error:  # one change that fails does not cost the others
                click.echo(f"{name} failed: {error}", err=True)
                continue
            click.echo("  ".join(str(value) for value in rows[-1].values()))
            _write(table, rows)


if __name__ == "__main__":
    main()
