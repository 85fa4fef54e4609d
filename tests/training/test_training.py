"""The trainer: data, schedule, resuming bit for bit, interruption, and export."""

from __future__ import annotations

import dataclasses
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from latentcodec.models.config import TransformConfig
from latentcodec.models.families import FAMILIES, sized
from latentcodec.models.hyper import HyperModel
from latentcodec.runtime.base import Family
from latentcodec.runtime.registry import load
from latentcodec.training import checkpoint
from latentcodec.training.data import CALIBRATION_PX, Photographs
from latentcodec.training.equalisation import equalise, ranges_on
from latentcodec.training.export import export
from latentcodec.training.loop import Trainer, train
from latentcodec.training.optimiser import FINAL_SHARE, WARMUP_STEPS, rate_share
from latentcodec.training.settings import Settings
from latentcodec.training.validation import Validation
from tests.command_line import call

CPU = torch.device("cpu")


def _settings(folder: Path, out: Path, **changes: object) -> Settings:
    start = Settings(
        data=[folder],
        out=out,
        config=sized("hyper", "small"),
        updates=4,
        batch=2,
        crop_px=64,
        seed=3,
    )
    return dataclasses.replace(start, **changes)  # type: ignore[arg-type]


def _photographs(folder: Path) -> Photographs:
    return Photographs.load([folder], 107, CPU)


def _loss(folder: Path, trainer: Trainer) -> float:
    """Of the model on crops that are always the same."""
    settings = dataclasses.replace(trainer.settings, validation=[folder], batch=4)
    return Validation(settings, CPU).measure(trainer.model, trainer.config)["loss"]


def test_learning_rate_warms_up_stays_and_descends() -> None:
    assert rate_share(0, 0.0, 0.3) == pytest.approx(1 / WARMUP_STEPS)
    assert rate_share(WARMUP_STEPS, 0.1, 0.3) == rate_share(9999, 0.7, 0.3) == 1
    assert rate_share(9999, 0.85, 0.3) == pytest.approx((1 + FINAL_SHARE) / 2)
    assert rate_share(9999, 1.0, 0.3) == pytest.approx(FINAL_SHARE)


@pytest.mark.slow
def test_resuming_is_bit_for_bit(folder: Path, tmp_path: Path) -> None:
    photographs, path = _photographs(folder), tmp_path / "c.safetensors"
    straight = Trainer(_settings(folder, path), photographs)
    for _ in range(4):
        straight.train_step()
    first = Trainer(_settings(folder, path), photographs)
    first.train_step()
    first.train_step()
    first.save(path)
    second = Trainer(_settings(folder, path, resume=path), photographs)
    assert second.progress.step == 2
    second.train_step()
    second.train_step()
    for model, other in (
        (straight.model, second.model),
        (straight.averages.first, second.averages.first),
    ):
        wanted = model.state_dict()
        for name, value in other.state_dict().items():
            assert torch.equal(value, wanted[name]), name
    assert second.share_done() == 1
    assert [run["crops"] for run in second.progress.runs] == [4, 4]


@pytest.mark.slow
def test_training_lowers_the_loss(folder: Path, tmp_path: Path) -> None:
    settings = _settings(folder, tmp_path / "c.safetensors", updates=120, batch=4)
    trainer = Trainer(settings, _photographs(folder))
    before = _loss(folder, trainer)
    for _ in range(120):
        trainer.train_step()
    assert _loss(folder, trainer) < 0.99 * before


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_signals_end_with_a_checkpoint(
    number: signal.Signals, code: int, folder: Path, tmp_path: Path
) -> None:
    path = tmp_path / "c.safetensors"
    command = f"train --data {folder} --config small --out {path} --minutes 60 --batch 1 --crop 64"
    process = subprocess.Popen(
        [sys.executable, "-m", "latentcodec", *command.split()], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("step 50 "):
            break
    process.send_signal(number)
    rest = process.stdout.read()
    assert process.wait() == code
    assert "stopped at step" in rest
    assert checkpoint.load(path)[1]["progress"]["step"] >= 50


@pytest.mark.slow
@pytest.mark.parametrize(
    ("family", "config"),
    [(name, sized(name, "small")) for name in ("hyper", "ae", "vae")],
)
def test_a_trained_model_exports_to_a_working_codec(
    family: str, config: TransformConfig, folder: Path, photo: np.ndarray, tmp_path: Path
) -> None:
    out = tmp_path / "c.safetensors"
    settings = _settings(folder, out, family=family, config=config)
    train(settings, lambda line: None)
    assert (tmp_path / "c.stable.safetensors").exists()
    Image.fromarray(np.tile(photo, (2, 2, 1))).save(tmp_path / "photo.png")
    export(out, tmp_path / "w.safetensors", [tmp_path / "photo.png"] if family == "vae" else None)
    model = load((tmp_path / "w.safetensors").read_bytes())
    assert isinstance(model, Family)
    y = model.analyse(photo[:160, :240], 600)
    payload, meant = model.encode_latents(y, 600)
    v_hat = model.decode_latents(payload, 600, *y.shape[:2])
    assert np.array_equal(v_hat, meant)
    error = model.synthesise(v_hat, 600).astype(float) - photo[:160, :240]
    assert 10 * np.log10(255**2 / (error**2).mean()) > 30


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_packaged_weights_can_be_trained_on(
    family: str, folder: Path, photo: np.ndarray, tmp_path: Path
) -> None:
    """They restore the exported average closely, and the next update warms up again."""
    out, config = tmp_path / "c.safetensors", sized(family, "small")
    settings = _settings(folder, out, updates=9, family=family, config=config)
    first = Trainer(settings, _photographs(folder))
    for _ in range(3):
        first.train_step()
    first.save(out)
    Image.fromarray(np.tile(photo, (2, 2, 1))).save(tmp_path / "photo.png")
    export(out, tmp_path / "w.safetensors", [tmp_path / "photo.png"])
    averaged = first.averages.first
    if isinstance(averaged, HyperModel):
        shown = Photographs.load([tmp_path / "photo.png"], CALIBRATION_PX, torch.device("cpu"))
        equalise(averaged, ranges_on(shown, averaged))
    settings = dataclasses.replace(settings, resume=tmp_path / "w.safetensors")
    second = Trainer(settings, _photographs(folder))
    assert (second.progress.step, second.fresh_since) == (3, 3)
    restored = second.model.state_dict()
    for name, value in averaged.state_dict().items():
        # The scales of z are kept to an eighth, everything else to 8 bits or better.
        tolerance = (
            0.07 if name == "z_log_scale.rows" else max(2e-3, value.abs().max().item() / 250)
        )
        assert torch.allclose(restored[name], value, atol=tolerance, rtol=1e-3), name
    name = next(n for n in restored if n.endswith("expand.weight"))
    before = restored[name].clone()
    assert torch.isfinite(second.train_step()["loss"])
    change = (second.model.state_dict()[name] - before).abs().max()
    assert 0 < change < 1e-3


@pytest.mark.slow
def test_measured_tables_make_files_smaller(
    folder: Path, photo: np.ndarray, tmp_path: Path
) -> None:
    train(_settings(folder, tmp_path / "c.safetensors"), lambda line: None)
    weights = tmp_path / "w.safetensors"
    Image.fromarray(photo).save(tmp_path / "photo.png")
    sizes = []
    for data in (None, [tmp_path / "photo.png"]):
        export(tmp_path / "c.safetensors", weights, data)
        family = load(weights.read_bytes())
        assert isinstance(family, Family)
        y = family.analyse(photo, 500)
        payload, meant = family.encode_latents(y, 500)
        assert np.array_equal(family.decode_latents(payload, 500, *y.shape[:2]), meant)
        sizes.append(len(payload))
    assert sizes[1] < 0.99 * sizes[0]


@pytest.mark.slow
def test_two_processes_train_as_one_with_the_double_batch(folder: Path, tmp_path: Path) -> None:
    """Under torchrun with gloo: one checkpoint, all crops counted, the same loss within noise."""
    launcher = "-m torch.distributed.run --standalone --nproc_per_node 2 -m latentcodec"
    starts = {"two": (launcher, 2), "one": ("-m latentcodec", 4)}
    losses = {}
    for name, (start, batch) in starts.items():
        out = tmp_path / f"{name}.safetensors"
        command = f"train --data {folder} --config small --out {out} --updates 50 --crop 64"
        result = subprocess.run(
            [sys.executable, *f"{start} {command} --batch {batch}".split()],
            capture_output=True,
            text=True,
            check=True,
        )
        assert "step 50 " in result.stdout
        assert checkpoint.load(out)[1]["progress"]["crops"] == 200
        trained = Trainer(_settings(folder, out, resume=out), _photographs(folder))
        losses[name] = _loss(folder, trained)
    assert losses["two"] == pytest.approx(losses["one"], rel=0.1)


@pytest.mark.slow
def test_training_needs_no_constriction() -> None:
    """The trainer and the export run where the entropy coder is not installed."""
    code = (
        "import sys; sys.modules['constriction'] = None; "
        "import latentcodec.training.loop, latentcodec.training.export, latentcodec.cli.train"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_training_for_structure(folder: Path, tmp_path: Path) -> None:
    """The same crops and rates, another loss; the manifest tells which it was."""
    losses = []
    for distortion in ("mse", "ms-ssim"):
        settings = _settings(folder, tmp_path / "x.safetensors", crop_px=192, distortion=distortion)
        trainer = Trainer(settings, Photographs.load([folder], 192, CPU))
        assert trainer.progress.runs[-1]["distortion"] == distortion
        losses.append({name: float(value) for name, value in trainer.train_step().items()})
    assert losses[0]["psnr"] == pytest.approx(losses[1]["psnr"])
    assert losses[0]["loss"] != pytest.approx(losses[1]["loss"], rel=1e-3)


def test_structure_needs_large_crops(folder: Path, tmp_path: Path) -> None:
    words = ["train", "--data", folder, "--out", tmp_path / "x", "--updates", 1]
    result = call(*words, "--crop", 128, "--distortion", "ms-ssim")
    assert result.exit_code == 2
    assert "needs a --crop of 192 px" in result.stderr
