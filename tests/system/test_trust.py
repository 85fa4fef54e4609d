"""Nobody is let in: no network, no code from files, and only weights that are what they were."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

import latentcodec
from latentcodec.errors import CorruptWeights
from latentcodec.runtime import model_store
from tests.command_line import call, one_sentence

PACKAGE = Path(latentcodec.__file__).parent

# As it stands in the text; test_structure.py follows the names.
_FORBIDDEN = re.compile(
    r"^\s*(import|from)\s+(pickle|marshal|shelve|joblib|urllib|urllib3|socket|requests|httpx|"
    r"aiohttp|http|ftplib)\b"
    r"|(?<!safetensors\.)torch\.(load\(|hub)|load_state_dict_from_url|os\.system\("
    r"|(?<![.\w])(eval|exec|compile|__import__)\(",
    re.MULTILINE,
)


def test_the_source_names_nothing_that_runs_or_fetches_code() -> None:
    files = list(PACKAGE.rglob("*.py"))
    assert len(files) > 50
    for path in files:
        found = _FORBIDDEN.search(path.read_text(encoding="utf-8"))
        assert not found, f"{path}: {found}"


@pytest.mark.parametrize(
    "line", ["import pickle", "torch.load(x)", "eval(x)", "from socket import socket", "exec(x)"]
)
def test_the_search_finds(line: str) -> None:
    assert _FORBIDDEN.search(f"x = 1\n    {line}\n")
    assert not _FORBIDDEN.search("model.eval(); safetensors.torch.load(data)")


_OFFLINE = """
import socket, sys
def refuse(*arguments, **options):
    raise RuntimeError("the network was asked for")
socket.socket.__init__ = refuse
socket.socket.connect = refuse
socket.getaddrinfo = refuse
socket.create_connection = refuse
import numpy, latentcodec
from latentcodec.cli import main
picture = numpy.add.outer(range(16), range(24)).astype("uint8")
assert latentcodec.decode(latentcodec.encode(picture)).size == (24, 16)
main(["encode", sys.argv[1], sys.argv[2], "--quiet"], standalone_mode=False)
main(["decode", sys.argv[2], sys.argv[3], "--quiet"], standalone_mode=False)
try:
    socket.socket()
except RuntimeError:
    print("done")
"""


@pytest.mark.slow
def test_encode_and_decode_open_no_socket(folder: Path) -> None:
    paths = [str(folder / name) for name in ("photo.png", "new.lat", "new.png")]
    command = [sys.executable, "-c", _OFFLINE, *paths]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (0, "done\n"), result.stderr
    assert (folder / "new.png").exists()


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The default model's weights, in a folder of which the package believes that it is its own."""
    own = PACKAGE / "weights"
    shutil.copytree(own, tmp_path / "weights")
    monkeypatch.setattr(model_store, "FOLDER", tmp_path / "weights")
    model_store._load.cache_clear()
    yield tmp_path / "weights" / model_store.by_name(model_store.chosen()).file
    model_store._load.cache_clear()


@pytest.mark.parametrize("at", [0, 1000, -1])
def test_one_flipped_bit_of_the_weights_is_refused(weights: Path, data: bytes, at: int) -> None:
    latentcodec.decode(data)  # the copy works
    model_store._load.cache_clear()
    altered = bytearray(weights.read_bytes())
    altered[at] ^= 1
    weights.write_bytes(bytes(altered))
    with pytest.raises(CorruptWeights, match="hash does not match"):
        latentcodec.decode(data)


def test_the_command_says_which_weights_are_altered(
    weights: Path, folder: Path, data: bytes
) -> None:
    weights.write_bytes(weights.read_bytes() + b"\0")
    result = call("decode", folder / "photo.lat", folder / "out.png")
    assert result.exit_code == 1
    assert f"the weights of {model_store.chosen()} are altered" in one_sentence(result.stderr)
    assert (folder / "out.png").read_bytes() == b"an older file"


def test_missing_weights_are_an_error(weights: Path, data: bytes) -> None:
    weights.unlink()
    with pytest.raises(CorruptWeights, match="cannot be read"):
        latentcodec.decode(data)


def test_the_hash_is_checked_once_in_a_process(
    weights: Path, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[int] = []
    sha256 = hashlib.sha256

    def count(content: bytes) -> Any:
        hashed.append(len(content))
        return sha256(content)

    monkeypatch.setattr(hashlib, "sha256", count)
    for _ in range(3):
        latentcodec.decode(data)
    latentcodec.encode(np.zeros((8, 8), np.uint8))
    assert hashed == [weights.stat().st_size]


def test_weights_are_tensors_and_text_only(weights: Path) -> None:
    """safetensors holds no code; what it holds is read before the hash in no case."""
    tensors = safetensors.numpy.load(weights.read_bytes())
    assert all(tensor.dtype.kind in "iufb" for tensor in tensors.values())
