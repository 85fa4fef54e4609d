"""The functions that a Python program uses: `encode`, `decode` and `open`."""

from __future__ import annotations

import dataclasses
import io
import math
import re
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import latentcodec
from latentcodec import errors
from latentcodec.format import container
from latentcodec.format.container import Colour
from latentcodec.images.tensors import is_tensor
from latentcodec.runtime import model_store

SIZES = [(1, 1), (1, 17), (17, 1), (15, 16), (17, 33), (100, 70)]


def error_of(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Root of the mean squared difference, in grey levels."""
    return math.sqrt(np.mean((ours.astype(np.float64) - theirs) ** 2))


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("size", SIZES)
def test_size_and_mode_come_back(photo: np.ndarray, size: tuple[int, int], mode: str) -> None:
    width, height = size
    image = Image.fromarray(photo[100 : 100 + height, 200 : 200 + width]).convert(mode)
    back = latentcodec.decode(latentcodec.encode(image, quality=90))
    assert (back.size, back.mode) == (size, mode)
    assert error_of(np.asarray(back), np.asarray(image)) < 16


def test_an_array_and_its_image_give_the_same_file(photo: np.ndarray) -> None:
    crop = photo[64:112, 64:128]
    assert latentcodec.encode(crop) == latentcodec.encode(Image.fromarray(crop))
    grey = latentcodec.encode(crop[:, :, 0])
    assert container.read_header(grey).colour is Colour.GREY
    assert latentcodec.decode(grey).mode == "L"


def channels_first(pixels: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_a_tensor_and_its_array_give_the_same_file(photo: np.ndarray, channels: int) -> None:
    crop = np.dstack([photo, photo[::-1, :, :1]])[64:112, 64:128, :channels]
    wanted = latentcodec.encode(crop)
    assert latentcodec.encode(channels_first(crop)) == wanted
    for kind in (torch.float32, torch.float64):
        floats = channels_first(crop).to(kind) / 255
        assert latentcodec.encode(floats.requires_grad_()) == wanted


def test_floats_are_rounded_not_cut_off(photo: np.ndarray) -> None:
    crop = np.clip(photo[64:96, 64:96], 1, 254)
    levels = channels_first(crop).double()
    for shift in (-0.4, 0.4):
        assert latentcodec.encode((levels + shift) / 255) == latentcodec.encode(crop)
    # Half precision holds 11 bits: its 256 levels are nearer to the whole ones than to others.
    assert latentcodec.encode((levels / 255).half()) == latentcodec.encode(crop)


@pytest.mark.parametrize(
    "tensor",
    [
        torch.zeros(8, 8, 3, dtype=torch.uint8),
        torch.zeros(1, 3, 8, 8),
        torch.zeros(8, 8),
        torch.zeros(3, 0, 8),
        torch.zeros(3, 8, 8, dtype=torch.int64),
        torch.full((3, 8, 8), 1.01),
        torch.full((3, 8, 8), -0.01),
        torch.full((3, 8, 8), math.nan),
    ],
    ids=["channels last", "batch", "flat", "empty", "integers", "high", "low", "nan"],
)
def test_tensors_that_are_no_picture_are_refused(tensor: torch.Tensor) -> None:
    with pytest.raises(errors.UnsupportedImage, match="tensor"):
        latentcodec.encode(tensor)


def test_nothing_is_a_tensor_while_torch_is_being_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another thread may have begun it."""
    for module in (types.ModuleType("torch"), None):
        monkeypatch.setitem(sys.modules, "torch", module)
        assert not is_tensor(np.zeros((8, 8), np.uint8))


def test_memory_order_does_not_matter(photo: np.ndarray) -> None:
    crop = photo[64:112, 64:128]
    assert latentcodec.encode(crop[::-1, ::-1].copy()[::-1, ::-1]) == latentcodec.encode(crop)


def test_the_picture_given_is_left_alone(photo: np.ndarray) -> None:
    crop = photo[:40, :40].copy()
    latentcodec.encode(crop)
    assert np.array_equal(crop, photo[:40, :40])


def test_quality_buys_bytes_and_fidelity(photo: np.ndarray) -> None:
    crop = photo[128:256, 128:320]
    files = [latentcodec.encode(crop, quality=quality) for quality in (5, 50, 95)]
    sizes = [len(data) for data in files]
    distances = [error_of(np.asarray(latentcodec.decode(data)), crop) for data in files]
    assert sizes == sorted(sizes) and len(set(sizes)) == 3
    assert distances == sorted(distances, reverse=True)
    assert distances[-1] < 5


@pytest.mark.parametrize(("quality", "tenths"), [(1, 10), (100, 1000), (50, 500), (33.34, 333)])
def test_quality_is_kept_to_a_tenth(quality: float, tenths: int) -> None:
    data = latentcodec.encode(np.zeros((8, 8, 3), np.uint8), quality=quality)
    assert container.read_header(data).quality_tenths == tenths
    assert latentcodec.decode(data).size == (8, 8)


@pytest.mark.parametrize("quality", [0, 0.9, 100.1, 101, -50, 1e9, math.nan])
def test_quality_out_of_range_is_a_value_error(quality: float) -> None:
    with pytest.raises(ValueError):
        latentcodec.encode(np.zeros((8, 8, 3), np.uint8), quality=quality)


def test_the_default_quality_is_50() -> None:
    data = latentcodec.encode(np.zeros((8, 8), np.uint8))
    assert container.read_header(data).quality_tenths == 500


def test_models_are_found_by_name_and_family() -> None:
    entry = model_store.by_name(model_store.chosen())
    grey = np.full((16, 16), 99, np.uint8)
    data = latentcodec.encode(grey, model=entry.name)
    assert data == latentcodec.encode(grey)
    first = next(e for e in model_store.entries() if e.family == "ae")
    assert latentcodec.encode(grey, model="ae") == latentcodec.encode(grey, model=first.name)
    header = container.read_header(data)
    assert (header.model_code, header.weights_hash) == (entry.code, entry.short_hash)
    with pytest.raises(errors.UnknownModel, match="nosuch"):
        latentcodec.encode(grey, model="nosuch")


@pytest.mark.parametrize(
    "changed", [{"model_code": "ZZ99"}, {"weights_hash": b"\0\0\0\0"}], ids=["code", "hash"]
)
def test_a_file_of_another_model_is_refused(changed: dict[str, Any]) -> None:
    file = container.read(latentcodec.encode(np.zeros((8, 8), np.uint8)))
    header = dataclasses.replace(file.header, **changed)
    with pytest.raises(errors.UnknownModel, match=header.model_code):
        latentcodec.decode(container.write(dataclasses.replace(file, header=header)))


def test_altered_weights_are_refused() -> None:
    entry = dataclasses.replace(model_store.by_name(model_store.chosen()), sha256="0" * 64)
    with pytest.raises(errors.CorruptWeights, match="altered"):
        model_store.load(entry)
    with pytest.raises(errors.CorruptWeights, match="cannot be read"):
        model_store.load(dataclasses.replace(entry, file="missing.safetensors"))


def test_payloads_that_no_encoder_wrote_are_refused(photo: np.ndarray) -> None:
    file = container.read(latentcodec.encode(photo[:64, :64]))
    (tile,) = file.tiles
    # 16 x 384 latents take 40 bits each at most: not all of these bytes can be used.
    noise = np.random.default_rng(3).bytes(40_000)
    for payload in (tile[:-1], tile + b"\0\0\0\0", noise):
        with pytest.raises(errors.CorruptPayload):
            latentcodec.decode(container.write(dataclasses.replace(file, tiles=[payload])))


def test_a_side_too_long_is_refused_at_once() -> None:
    with pytest.raises(errors.LimitExceeded, match="65535"):
        latentcodec.encode(np.zeros((1, 65536), np.uint8))


def test_only_bytes_of_a_lat_file_are_decoded() -> None:
    for data in (b"", b"\x93LAT", b"GIF89a" + bytes(100)):
        with pytest.raises(latentcodec.LatError):
            latentcodec.decode(data)


def test_open_reads_the_header_and_decodes_later(
    data: bytes, tmp_path: Path, decodings: list[int]
) -> None:
    path = tmp_path / "no extension needed"
    path.write_bytes(data)
    wanted = latentcodec.decode_array(data)
    for source in (path, str(path), io.BytesIO(data)):
        with latentcodec.open(source) as image:
            assert (image.size, image.mode, image.info["quality"]) == ((56, 40), "RGB", 40)
            assert not decodings
            assert np.array_equal(np.asarray(image), wanted)
        assert decodings.pop() == 1


def test_open_raises_what_decode_raises(data: bytes, crop: Image.Image, tmp_path: Path) -> None:
    other = io.BytesIO()
    crop.save(other, "PNG")
    for wrong in (b"", other.getvalue()):
        with pytest.raises(errors.NotALatFile):
            latentcodec.open(io.BytesIO(wrong))
    with pytest.raises(errors.CorruptHeader):
        latentcodec.open(io.BytesIO(data[:9] + b"\x7f" + data[10:]))
    with pytest.raises(FileNotFoundError):
        latentcodec.open(tmp_path / "missing.lat")
    with pytest.raises(IsADirectoryError):
        latentcodec.open(tmp_path)


def test_everything_that_is_promised_is_there() -> None:
    assert all(getattr(latentcodec, name) for name in latentcodec.__all__)
    assert set(latentcodec.__all__) <= set(dir(latentcodec))
    with pytest.raises(AttributeError, match="nosuch"):
        latentcodec.nosuch  # noqa: B018


def test_importing_is_quick() -> None:
    """The command line and plugins import the package before it is known to be needed."""
    code = "import sys, latentcodec; print(*{'torch', 'numpy', 'PIL', 'constriction'} & "
    code += "set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == []
    code = code.replace("import sys, latentcodec;", "import sys, latentcodec.pipeline.encoder;")
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"numpy", "PIL"} <= set(run.stdout.split())  # the check can see what is there


def test_pictures_by_path_and_what_is_none(photo: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(photo[:32, :48]).save(path)
    data = latentcodec.encode(photo[:32, :48])
    assert latentcodec.encode(path) == latentcodec.encode(str(path)) == data
    with pytest.raises(FileNotFoundError):
        latentcodec.encode(tmp_path / "missing.png")
    wrong: Any = b"bytes"
    with pytest.raises(ValueError, match="bytes is no picture"):
        latentcodec.encode(wrong)
    region: Any = np.array([0, 0, 8, 8])
    assert latentcodec.decode(data, region=region).size == (8, 8)


@pytest.mark.parametrize(
    "wrong",
    [
        {"quality": "50"},
        {"quality": None},
        {"target_size": "3k"},
        {"resize": 5},
        {"resize": (1, 2, 3)},
        {"strip": None},
        {"strip": [["gps"]]},
        {"model": 5},
    ],
    ids=str,
)
def test_options_of_other_types_are_value_errors(wrong: dict[str, Any], crop: Image.Image) -> None:
    (value,) = wrong.values()
    with pytest.raises(ValueError, match=re.escape(str(value).strip("[]"))):
        latentcodec.encode(crop, **wrong)


@pytest.mark.parametrize(
    "wrong",
    [{"scale": 2.0}, {"region": 5}, {"region": (0, 0, 1)}, {"max_pixels": None}],
    ids=str,
)
def test_so_are_those_of_decode(wrong: dict[str, Any], data: bytes) -> None:
    (value,) = wrong.values()
    with pytest.raises(ValueError, match=re.escape(str(value))):
        latentcodec.decode(data, **wrong)


@pytest.mark.parametrize("source", [None, 5, [1], io.StringIO("text")])
def test_what_is_no_file_is_a_value_error(source: Any) -> None:
    for read in (latentcodec.decode, latentcodec.read_info, latentcodec.read_preview):
        with pytest.raises(ValueError, match="file"):
            read(source)


def test_an_image_that_ends_too_early_is_a_lat_error(photo: np.ndarray) -> None:
    stream = io.BytesIO()
    Image.fromarray(photo[:64, :80]).save(stream, "JPEG")
    with pytest.raises(latentcodec.LatError, match="damaged"):
        latentcodec.encode(Image.open(io.BytesIO(stream.getvalue()[:-200])))
