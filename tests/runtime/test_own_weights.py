"""Weights that are in no package: given by path, checked before use, named by files."""

from __future__ import annotations

import hashlib
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import latentcodec
from latentcodec.bench.codecs import find
from latentcodec.cli import main
from latentcodec.errors import CorruptWeights, LatError, UnknownModel
from latentcodec.format import container
from latentcodec.models.families import sized
from latentcodec.runtime import model_store, tensor_file, weights_search
from latentcodec.training.export import export
from latentcodec.training.loop import train
from latentcodec.training.settings import Settings


@pytest.fixture(scope="module")
def weights(photo: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A barely trained small `hyper`."""
    folder = tmp_path_factory.mktemp("own")
    Image.fromarray(photo).save(folder / "photo.png")
    out = folder / "mine.safetensors"
    data, config = [folder / "photo.png"], sized("hyper", "small")
    train(Settings(data, out, config, updates=2, batch=2, crop_px=64), lambda line: None)
    export(out, out)
    return out


def test_files_name_own_weights_by_their_hash(weights: Path, photo: np.ndarray) -> None:
    model = latentcodec.register_weights(weights)
    data = latentcodec.encode(photo[:64, :80], quality=60, model=model)
    header = container.read(data).header
    assert header.model_code == model_store.OWN_CODE
    assert latentcodec.decode_array(data).shape == (64, 80, 3)
    model_store._own.clear()
    with pytest.raises(UnknownModel, match="have to be given"):
        latentcodec.decode(data)
    latentcodec.register_weights(weights)
    assert latentcodec.decode_array(data).shape == (64, 80, 3)
    assert latentcodec.encode(photo[:64, :80], quality=60, model=weights) == data  # by its path


def test_packaged_weights_keep_their_name() -> None:
    entry, before = model_store.by_name("hyper"), model_store.own_entries()
    assert latentcodec.register_weights(model_store.FOLDER / entry.file) == entry.name
    assert model_store.own_entries() == before


def test_weights_that_could_be_inexact_are_refused(weights: Path, tmp_path: Path) -> None:
    tensors, description = tensor_file.unpack(weights.read_bytes())
    # Biases that no sum of 2 ** 53 could hold.
    tensors["h_s.up_32.bias"] = np.full_like(tensors["h_s.up_32.bias"], (1 << 31) - 1)
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(tensor_file.pack(tensors, description))
    before = model_store.own_entries()
    with pytest.raises(CorruptWeights, match="exact"):
        latentcodec.register_weights(broken)
    assert model_store.own_entries() == before


@pytest.mark.parametrize("content", [b"", b"\x00" * 64, b"not weights at all"])
def test_what_is_no_weights_file_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    with pytest.raises(CorruptWeights):
        latentcodec.register_weights(path)


def test_altered_weights_are_noticed(weights: Path, tmp_path: Path, photo: np.ndarray) -> None:
    path = tmp_path / "mine.safetensors"
    path.write_bytes(weights.read_bytes())
    model = latentcodec.register_weights(path)
    model_store._load.cache_clear()
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(CorruptWeights, match="altered"):
        latentcodec.encode(photo[:32, :32], model=model)


def test_the_benchmark_takes_them(weights: Path, photo: np.ndarray) -> None:
    codec = find(f"lat:{weights}")
    image = Image.fromarray(photo[:48, :64])
    assert codec.decode(codec.encode(image, 50)).size == (64, 48)
    assert codec.label == "latentcodec, mine"
    with pytest.raises(LatError, match="cannot be read"):
        find("lat:missing.safetensors")


def _call(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    return result.exit_code, result.output


def test_commands_take_them(weights: Path, photo: np.ndarray, tmp_path: Path) -> None:
    png, lat, back = (tmp_path / name for name in ("in.png", "out.lat", "back.png"))
    Image.fromarray(photo[:48, :64]).save(png)
    assert _call("encode", png, lat, "--weights", weights)[0] == 0
    model_store._own.clear()
    code, said = _call("decode", lat, back)
    assert code == 1 and "--weights" in said and not back.exists()
    assert _call("decode", lat, back, "--weights", weights)[0] == 0
    assert Image.open(back).size == (64, 48)
    assert _call("sample", back, "--weights", weights, "-n", 1, "--size", "32x32")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--weights", "missing.safetensors"), 1, "missing.safetensors"),
        (("--weights", "in.png"), 1, "no weights"),
    ],
)
def test_what_is_wrong_with_them_is_said(
    arguments: tuple[str, ...],
    code: int,
    said: str,
    photo: np.ndarray,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Image.fromarray(photo[:48, :64]).save("in.png")
    exit_code, output = _call("encode", "in.png", "out.lat", *arguments)
    assert exit_code == code
    assert said in output
    assert not Path("out.lat").exists()


def test_a_model_is_named_once(weights: Path, tmp_path: Path) -> None:
    Image.new("RGB", (16, 16)).save(tmp_path / "in.png")
    code, said = _call("encode", tmp_path / "in.png", "--weights", weights, "--model", "hyper")
    assert code == 2 and "one of --tune, --model and --weights" in said


def test_a_codec_takes_its_weights_to_another_process(weights: Path, photo: np.ndarray) -> None:
    codec = latentcodec.Codec(model=latentcodec.register_weights(weights))
    data, sent = codec.encode(photo[:64, :80]), pickle.dumps(codec)
    model_store._own.clear()  # as in a process that knows nothing of them
    assert pickle.loads(sent).encode(photo[:64, :80]) == data


def test_weights_that_did_not_come_along_are_an_error_at_work(
    weights: Path, photo: np.ndarray, tmp_path: Path
) -> None:
    """And not while they arrive, where a pool would start another worker for ever."""
    copy = tmp_path / "mine.safetensors"
    copy.write_bytes(weights.read_bytes())
    sent = pickle.dumps(latentcodec.Codec(model=latentcodec.register_weights(copy)))
    copy.unlink()
    model_store._own.clear()
    model_store._load.cache_clear()
    with pytest.raises(CorruptWeights, match="cannot be read"):
        pickle.loads(sent).encode(photo[:64, :80])


@pytest.mark.parametrize("way", ["folder", "file", "package"])
def test_weights_are_found_by_the_hash_in_a_file(
    way: str, weights: Path, photo: np.ndarray, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    data = latentcodec.encode(photo[:64, :80], model=latentcodec.register_weights(weights))
    model_store._own.clear()
    if way == "package":
        (tmp_path / "weights_of_mine").mkdir()
        (tmp_path / "weights_of_mine" / "__init__.py").write_text("")
        (tmp_path / "weights_of_mine" / "a.safetensors").write_bytes(weights.read_bytes())
        _distribution(tmp_path, "mine", "weights_of_mine")
        monkeypatch.syspath_prepend(tmp_path)
    else:
        place = weights if way == "file" else weights.parent
        monkeypatch.setenv("LATENTCODEC_WEIGHTS", os.pathsep.join([str(tmp_path), str(place)]))
    assert latentcodec.decode_array(data).shape == (64, 80, 3)
    assert latentcodec.read_info(data).model


def _distribution(site: Path, name: str, package: str) -> None:
    """What says that an installed distribution has weights in a package."""
    info = site / f"{name}-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
    (info / "entry_points.txt").write_text(f"[latentcodec.weights]\n{name} = {package}\n")


@pytest.mark.parametrize(
    ("name", "code", "says"),
    [
        ("missing", None, "ModuleNotFoundError"),
        ("lacking", "import nothing_of_the_sort", "ModuleNotFoundError"),
        ("raising", "raise RuntimeError('of no use')", "RuntimeError: of no use"),
        ("garbled", "this is no Python", "SyntaxError"),
    ],
)
def test_an_entry_point_that_fails_is_passed_over(
    name: str, code: str | None, says: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whatever it raises, a warning names it, and the others are looked through."""
    sound = f"sound_beside_{name}"
    for package, source in ((name, code), (sound, "")):
        _distribution(tmp_path, package, package)
        if source is not None:
            (tmp_path / package).mkdir()
            (tmp_path / package / "__init__.py").write_text(source)
    (tmp_path / sound / "a.safetensors").write_bytes(b"weights")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.warns(RuntimeWarning, match=rf"'{name}' of {name}, which fails \({says}"):
        found = weights_search.find(hashlib.sha256(b"weights").digest()[:4])
    assert found == tmp_path / sound / "a.safetensors"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names are of Unix")
def test_a_pipe_is_no_weights_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.safetensors")
    (tmp_path / "b.safetensors").write_bytes(b"weights")
    places = [str(tmp_path / "a.safetensors"), str(tmp_path)]
    monkeypatch.setenv("LATENTCODEC_WEIGHTS", os.pathsep.join(places))
    found = weights_search.find(hashlib.sha256(b"weights").digest()[:4])
    assert found == tmp_path / "b.safetensors"
