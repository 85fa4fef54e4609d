"""What a model is tuned for: `ssim`, the default, or `psnr`, wherever a picture is encoded."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import latentcodec
import latentcodec.pillow
from latentcodec.bench.codecs import find
from latentcodec.bench.metrics import distortion
from latentcodec.format import container
from latentcodec.pipeline.rate_control import for_size
from latentcodec.runtime import model_store
from latentcodec.runtime.model_store import Tune
from tests.command_line import call, contents
from tests.golden.write import FOLDER, folder_of


def saved(image: Image.Image, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "LAT", **options)
    return buffer.getvalue()


ENCODERS: dict[str, Callable[..., bytes]] = {
    "encode": latentcodec.encode,
    "Codec": lambda image, **chosen: latentcodec.Codec(**chosen).encode(image),
    "encode_batch": lambda image, **chosen: latentcodec.Codec(**chosen).encode_batch([image])[0],
    "Pillow": saved,
}


def of_quality(image: Image.Image, tune: Tune) -> Callable[[float], bytes]:
    return lambda quality: latentcodec.encode(image, quality=quality, tune=tune)


def model_of(data: bytes) -> str | None:
    return latentcodec.read_info(data).model


def test_the_manifest_has_a_packaged_model_for_each_tune() -> None:
    named = model_store.manifest()["tunes"]
    assert tuple(named) == model_store.TUNES == ("ssim", "psnr")
    assert set(named.values()) < {entry.name for entry in model_store.entries()}
    assert model_store.chosen() == named["ssim"] == "hyper-ssim"
    assert model_store.chosen(tune="psnr") == named["psnr"] == "hyper-base"


@pytest.mark.parametrize("encoder", ENCODERS.values(), ids=ENCODERS)
def test_each_way_to_encode_takes_a_tune(encoder: Callable[..., bytes], crop: Image.Image) -> None:
    eye, psnr = encoder(crop), encoder(crop, tune="psnr")
    assert (model_of(eye), model_of(psnr)) == ("hyper-ssim", "hyper-base")
    assert encoder(crop, tune="ssim") == encoder(crop, model="hyper-ssim") == eye
    assert encoder(crop, model="hyper-base") == psnr


@pytest.mark.parametrize("encoder", ENCODERS.values(), ids=ENCODERS)
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"tune": "psnr", "model": "ae"}, "give one of model and tune"),
        ({"tune": "ssim", "model": "hyper-ssim"}, "give one of model and tune"),
        ({"tune": "vmaf"}, "tune must be ssim or psnr, not 'vmaf'"),
        ({"tune": "hyper-base"}, "tune must be ssim or psnr, not 'hyper-base'"),
        ({"tune": ""}, "tune must be ssim or psnr, not ''"),
    ],
)
def test_wrong_values_are_refused(
    encoder: Callable[..., bytes], crop: Image.Image, wrong: dict[str, str], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        encoder(crop, **wrong)


@pytest.mark.slow
def test_each_model_leads_by_what_it_is_tuned_for(photo: np.ndarray) -> None:
    """In the same number of bytes, within 2 %."""
    piece = Image.fromarray(photo[:256, 200:584])
    measured = {}
    for tune in model_store.TUNES:
        data = for_size(of_quality(piece, tune), 3000).data
        seen = distortion(np.asarray(piece), np.asarray(latentcodec.decode(data)))
        measured[tune] = seen.psnr, seen.ms_ssim_db, len(data)
    eye, psnr = measured["ssim"], measured["psnr"]
    assert max(eye[2], psnr[2]) <= 1.02 * min(eye[2], psnr[2])
    assert psnr[0] > eye[0] and eye[1] > psnr[1]


def test_the_command(folder: Path) -> None:
    photo, out = folder / "photo.png", folder / "new.lat"
    for chosen, model in (((), "hyper-ssim"), (("--tune", "psnr"), "hyper-base")):
        assert call("encode", photo, out, *chosen).exit_code == 0
        facts = json.loads(call("info", out, "--json").stdout)
        assert facts["model"] == model


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("encode", "--tune", "psnr", "--model", "ae"), "one of --tune, --model and --weights"),
        (("encode", "--tune", "ssim", "--model", "hyper"), "one of --tune, --model and --weights"),
        (("encode", "--tune", "vmaf"), "'vmaf' is not one of 'ssim', 'psnr'"),
        (("compare", "--tune", "psnr", "--model", "ae"), "give one of --tune and --model"),
        (("compare", "--tune", "vmaf"), "'vmaf' is not one of 'ssim', 'psnr'"),
    ],
)
def test_wrong_usage_of_the_command(
    folder: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], said: str
) -> None:
    monkeypatch.chdir(folder)
    before = contents(folder)
    command, *options = arguments
    result = call(command, "photo.png", *options)
    assert result.exit_code == 2 and said in result.stderr
    assert contents(folder) == before


def test_weights_and_tune_exclude_each_other(folder: Path) -> None:
    weights = model_store.FOLDER / "ae-base.safetensors"
    result = call("encode", folder / "photo.png", "--tune", "psnr", "--weights", weights)
    assert result.exit_code == 2 and "one of --tune, --model and --weights" in result.stderr


def test_help_and_manual_say_which_is_the_default() -> None:
    for command in ("encode", "compare"):
        text = " ".join(call(command, "--help").stdout.split())
        assert "--tune [ssim|psnr]" in text and "or psnr [default: ssim]." in text
    assert "\\-\\-tune" in call("man").stdout


def test_compare_names_the_tune(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    photo = folder / "photo.png"
    result = call("compare", photo, "--against", "jpeg", "--bpp", "2", "--tune", "psnr")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("latentcodec, tune psnr ")


@pytest.mark.parametrize(
    ("name", "label", "model"),
    [
        ("lat", "latentcodec", "hyper-ssim"),
        ("lat:ssim", "latentcodec, tune ssim", "hyper-ssim"),
        ("lat:psnr", "latentcodec, tune psnr", "hyper-base"),
        ("lat:hyper-base", "latentcodec, hyper-base", "hyper-base"),
        ("lat:ae", "latentcodec, ae", "ae-base"),
    ],
)
def test_the_benchmarks_codecs(name: str, label: str, model: str, crop: Image.Image) -> None:
    codec = find(name)
    assert (codec.name, codec.label) == (name, label)
    assert f", {model} " in codec.version()
    assert model_of(codec.encode(crop, 50)) == model


def test_the_defaults_golden_files_are_there() -> None:
    entry = model_store.by_name(model_store.chosen())
    data = (folder_of(entry, FOLDER) / "rgb.lat").read_bytes()
    header = container.read_header(data)
    assert (header.model_code, header.weights_hash) == ("HS03", entry.short_hash)
