"""What people reported of other libraries within programs: see tests/test_public_reports.py.

The number in a name is that of the report.
"""

from __future__ import annotations

import gc
import io
import pickle
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import latentcodec
import latentcodec.pillow
from latentcodec import errors
from tests.command_line import done, fails
from tests.runtime.small_models import weights_of

# Arrays


def test_mitsuba_639_and_imagecodecs_138_any_strides(photo: np.ndarray) -> None:
    piece = photo[:48, :64]
    for view in (
        *(piece[::-1], piece[:, ::-1], piece[..., ::-1], piece[::2, ::3], piece.transpose(1, 0, 2)),
        *(np.asfortranarray(piece), np.broadcast_to(piece[:1], (48, 64, 3))),
    ):
        assert latentcodec.encode(view) == latentcodec.encode(view.copy())


# Files and streams


def test_pillow_889_and_450_a_cut_off_jpeg_is_refused(crop: Image.Image, tmp_path: Path) -> None:
    crop.save(tmp_path / "whole.jpg")
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "whole.jpg").read_bytes()[:-200])
    assert "is a damaged image" in fails(tmp_path, "encode", tmp_path / "cut.jpg")
    assert not (tmp_path / "cut.lat").exists()


def test_imagineer_13_a_failure_leaves_no_empty_file(tmp_path: Path) -> None:
    Image.new("F", (8, 8)).save(tmp_path / "float.tiff")
    fails(tmp_path, "encode", tmp_path / "float.tiff")
    assert [path.name for path in tmp_path.iterdir()] == ["float.tiff"]


def test_pillow_2786_no_file_stays_open(crop: Image.Image, data: bytes, tmp_path: Path) -> None:
    png, lat = tmp_path / "a.png", tmp_path / "a.lat"
    crop.save(png)
    lat.write_bytes(data)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        latentcodec.encode(png)
        latentcodec.decode(lat, region=(0, 0, 8, 8))
        latentcodec.read_info(lat)
        latentcodec.read_preview(lat)
        latentcodec.thumbnail(lat, 16)
        with latentcodec.open(lat) as image:
            image.load()
        latentcodec.open(lat).load()
        gc.collect()


def test_pillow_3415_one_stream_may_be_opened_twice(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.lat").write_bytes(data)
    with (tmp_path / "a.lat").open("rb") as stream:
        for _ in range(2):
            Image.open(stream).load()
        assert not stream.closed


def test_pillow_7096_a_stream_is_read_from_where_it_stands(data: bytes) -> None:
    functions: list[Any] = [latentcodec.decode, latentcodec.open, latentcodec.thumbnail]
    for read in functions:
        stream = io.BytesIO(b"something before" + data)
        stream.seek(16)
        assert read(stream).size == (56, 40)
    stream.seek(16)
    assert latentcodec.read_info(stream).width_px == 56


def test_torch_data_1034_an_opened_image_can_be_pickled(data: bytes) -> None:
    for is_loaded in (False, True):
        image = Image.open(io.BytesIO(data))
        if is_loaded:
            image.load()
        back = pickle.loads(pickle.dumps(image))
        assert back.tobytes() == latentcodec.decode(data).tobytes()


# Programs around it


@pytest.mark.slow
@pytest.mark.parametrize(
    "state",
    [
        "torch.set_default_dtype(torch.float64)",
        "torch.set_default_device('meta')",
        "torch.autocast('cpu').__enter__()",
        "torch.use_deterministic_algorithms(True)",
        "torch.set_flush_denormal(True)",
    ],
)
def test_tntorch_4_and_torch_harmonics_86_settings_of_torch_change_nothing(
    state: str, photo: np.ndarray, tmp_path: Path
) -> None:
    """Nor are they changed. `meta` stands for any device that is not the CPU."""
    np.save(tmp_path / "pixels.npy", photo[:64, :80])
    for family in ("hyper", "ae"):
        (tmp_path / f"{family}.safetensors").write_bytes(weights_of(family))
    script = f"""
import numpy as np, sys, torch
{state}
import latentcodec
before = torch.get_default_dtype(), torch.get_default_device(), torch.is_autocast_enabled("cpu")
for model in ("hyper-ssim", "hyper.safetensors", "ae.safetensors"):
    data = latentcodec.encode(np.load("pixels.npy"), model=model)
    open(model + ".lat", "wb").write(data)
    np.save(model + ".npy", latentcodec.decode_array(data))
open("refined.lat", "wb").write(latentcodec.encode(np.load("pixels.npy")[:32, :32], effort=7))
after = torch.get_default_dtype(), torch.get_default_device(), torch.is_autocast_enabled("cpu")
assert before == after
"""
    subprocess.run([sys.executable, "-c", script], check=True, cwd=tmp_path, timeout=300)
    for model in ("hyper-ssim", "hyper.safetensors", "ae.safetensors"):
        own = str(tmp_path / model) if "." in model else model
        data = latentcodec.encode(photo[:64, :80], model=own)
        assert (tmp_path / f"{model}.lat").read_bytes() == data
        back = np.load(tmp_path / f"{model}.npy").astype(int)
        assert np.abs(back - latentcodec.decode_array(data)).max() <= 1
    refined = latentcodec.encode(photo[:32, :32], effort=7)
    assert (tmp_path / "refined.lat").read_bytes() == refined


def test_vision_4508_arrays_that_cannot_be_written_give_no_warning(photo: np.ndarray) -> None:
    pixels = photo[:32, :32].copy()
    pixels.flags.writeable = False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        back = latentcodec.decode_tensor(latentcodec.encode(pixels))
        back += 1


@pytest.mark.slow
def test_transformers_36045_python_without_docstrings_and_asserts(
    crop: Image.Image, tmp_path: Path
) -> None:
    crop.save(tmp_path / "a.png")
    for words in ("encode a.png", "decode a.lat b.png", "info a.lat", "encode --help"):
        command = [sys.executable, "-OO", "-m", "latentcodec", *words.split()]
        subprocess.run(command, check=True, cwd=tmp_path, capture_output=True, timeout=300)
    assert (tmp_path / "b.png").exists()


@pytest.mark.slow
def test_pillow_5132_many_files_need_few_descriptors(crop: Image.Image, tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="this system has no such limit")
    for number in range(60):
        crop.resize((16, 16)).save(tmp_path / f"{number}.png")
    script = (
        "import resource, sys\n"
        "from latentcodec.cli import main\n"
        "import torch, latentcodec.codec, latentcodec.pillow\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (30, 30))\n"
        "main(['encode', '-r', '.', '-o', 'out', '-j', '2'])\n"
    )
    assert resource
    subprocess.run([sys.executable, "-c", script], check=True, cwd=tmp_path, timeout=300)
    assert len(list((tmp_path / "out").iterdir())) == 60


def test_totalist_1_a_link_to_the_folder_above_is_no_loop(
    crop: Image.Image, tmp_path: Path
) -> None:
    (tmp_path / "photos/sub").mkdir(parents=True)
    crop.save(tmp_path / "photos/sub/a.png")
    (tmp_path / "photos/sub/back").symlink_to(tmp_path / "photos", target_is_directory=True)
    done(f"encode -r {tmp_path / 'photos'} -o {tmp_path / 'out'}")
    assert [path.name for path in (tmp_path / "out").rglob("*.lat")] == ["a.lat"]


def test_encodec_95_one_wrong_byte_is_noticed_and_costs_one_tile(photo: np.ndarray) -> None:
    wide = np.tile(photo[:40], (1, 3, 1))[:, :2048]
    data = bytearray(latentcodec.encode(wide))
    data[-20] ^= 1
    with pytest.raises(errors.CorruptChunk, match="at 1024,0"):
        latentcodec.decode(bytes(data))
    with pytest.warns(errors.LossWarning, match="1024,0"):
        back = latentcodec.decode_array(bytes(data), salvage=True)
    assert np.abs(back[:, :900].astype(int) - wide[:, :900]).mean() < 8
