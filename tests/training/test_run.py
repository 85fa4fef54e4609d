"""`latentcodec train` as a user runs it: what it tells, and what it refuses in one sentence."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import dead_units
import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from latentcodec.runtime import model_store
from latentcodec.training import loop
from tests.command_line import call, one_sentence


@pytest.fixture
def photos(photo: np.ndarray, tmp_path: Path) -> Path:
    """Two photographs to train on, and two others."""
    for number, name in enumerate(("train", "train", "held", "held")):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        left = 150 * number
        Image.fromarray(photo[:150, left : left + 150]).save(folder / f"{number}.png")
    return tmp_path


def _train(photos: Path, *more: object) -> Result:
    words = ("--data", photos / "train", "--out", photos / "c.safetensors", "--config", "small")
    return call("train", *words, "--crop", 64, "--batch", 2, *more)


def _rows(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()]


@pytest.mark.slow
def test_a_log_and_validation(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every report is a row of the log, also those of a run that goes on; validation changes
    nothing in training."""
    monkeypatch.setattr(loop, "_REPORT_STEPS", 2)
    log = photos / "logs/run.jsonl"
    more = ("--validation", photos / "held", "--log", log)
    assert _train(photos, "--updates", 4, *more).exit_code == 0
    result = _train(photos, "--updates", 6, *more, "--resume", photos / "c.safetensors")
    assert result.exit_code == 0, result.stderr
    rows = _rows(log)
    assert [(row["of"], row["step"], row["crops"]) for row in rows] == [
        *(("training", 2, 4), ("training", 4, 8), ("validation", 4, 8)),
        *(("training", 6, 12), ("validation", 6, 12)),
    ]
    assert all(row["bpp"] > 0 and row["psnr"] > 5 and row["loss"] > 0 for row in rows)
    assert all(row["crops_per_second"] > 0 for row in rows if row["of"] == "training")
    told = re.search(r"^step 6  validation loss ([\d.]+)", result.stdout, re.MULTILINE)
    assert told is not None
    assert float(told[1]) == pytest.approx(rows[-1]["loss"], abs=1e-4)

    plain = photos / "plain.jsonl"
    assert _train(photos, "--updates", 4, "--log", plain).exit_code == 0
    watched = [(row["loss"], row["psnr"]) for row in rows[:2]]
    assert [(row["loss"], row["psnr"]) for row in _rows(plain)] == watched


def test_validation_photographs_must_be_large_enough(photos: Path) -> None:
    Image.new("RGB", (20, 20)).save(photos / "small.png")
    (photos / "tiny").mkdir()
    (photos / "small.png").rename(photos / "tiny/small.png")
    result = _train(photos, "--updates", 1, "--validation", photos / "tiny")
    assert (result.exit_code, "no image of 86 px or more" in result.stderr) == (1, True)
    assert not (photos / "c.safetensors").exists()


@pytest.mark.parametrize("device", ["cuda:99", "nonsense", "fpga", "meta", "privateuseone"])
def test_a_device_that_is_not_there_is_one_sentence(photos: Path, device: str) -> None:
    result = _train(photos, "--updates", 1, "--device", device)
    assert result.exit_code == 1
    sentence = one_sentence(result.stderr)
    assert f"the device '{device}' cannot be used: " in sentence and len(sentence) < 300


@pytest.mark.parametrize("name", ["hyper-base", "ae-base"])
def test_exported_weights_are_not_exported_again(tmp_path: Path, name: str) -> None:
    weights = model_store.FOLDER / f"{name}.safetensors"
    result = call("export", weights, tmp_path / "again.safetensors")
    assert result.exit_code == 1
    assert "has been exported already" in one_sentence(result.stderr)
    assert not (tmp_path / "again.safetensors").exists()


def test_dead_units_of_what_cannot_be_trained_on_is_one_sentence(photos: Path) -> None:
    weights = model_store.FOLDER / "ae-base.safetensors"
    result = CliRunner().invoke(dead_units.main, [str(weights), str(photos / "train")])
    assert result.exit_code == 1
    assert "is of the family ae" in one_sentence(result.stderr)
