"""An environment that has what the page on it installs, and no torch."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shlex
import subprocess
import sysconfig
import venv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import latentcodec
from latentcodec.format import container
from latentcodec.pipeline.latent_tiles import decode_latents
from latentcodec.runtime.registry import load
from tests.paths import ROOT
from tests.runtime.small_models import weights_of

pytestmark = pytest.mark.slow
pytest.importorskip("onnxruntime", reason="the extra `onnx` is not installed")

_SCRIPT = """
import importlib.util, sys
assert importlib.util.find_spec("torch") is None
import numpy as np
from PIL import Image
import latentcodec, latentcodec.pillow
name = latentcodec.register_weights("mine.safetensors")
image = Image.open("photo.png")
image.save("plugin.lat", model=name, quality=70)
assert Image.open("plugin.lat").size == image.size
codec = latentcodec.Codec(model=name, threads=1)
open("codec.lat", "wb").write(codec.encode(np.asarray(image), quality=70))
np.save("theirs.npy", codec.decode_array("theirs.lat"))
"""


def required(name: str) -> Iterator[str]:
    """A distribution, and those it needs without any extra, as they are installed here."""
    yield name
    for line in importlib.metadata.requires(name) or []:
        if ";" not in line:
            yield from required(re.split(r"[^\w.-]", line)[0])


def of_the_package() -> Iterator[str]:
    """What is installed after the package itself, which comes without its dependencies."""
    for name in shlex.split(listed("docs/python.md")):
        yield from required(re.split(r"[^\w.-]", name)[0])


def listed(page: str) -> str:
    """What a page tells pip to install where the package comes without its dependencies."""
    _, text = (ROOT / page).read_text(encoding="utf-8").split("pip install --no-deps .", 1)
    found = re.search(r"pip install ([^\n`]+)", text)
    assert found
    return found[1]


def test_the_pages_name_all_dependencies_but_torch() -> None:
    tomllib = pytest.importorskip("tomllib", reason="Python 3.11 has it")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = project["dependencies"] + project["optional-dependencies"]["onnx"]
    assert listed("README.md") == listed("docs/python.md")
    named = {re.split(r"[^\w.-]", one)[0]: one for one in shlex.split(listed("README.md"))}
    assert set(named) == {re.split(r"[^\w.-]", line)[0] for line in needed} - {"torch"}
    # Where a later release may code differently, the page has the range, too.
    assert {one for one in named.values() if "<" in one} == {
        line for line in needed if "<" in line and not line.startswith("torch")
    }


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment of links to what is installed here."""
    home = tmp_path_factory.mktemp("without")
    venv.create(home)
    paths = {"base": str(home), "platbase": str(home)}
    site = Path(sysconfig.get_path("purelib", "venv", vars=paths))
    package = Path(latentcodec.__file__).parent
    (site / "latentcodec").symlink_to(package)
    for name in set(of_the_package()):
        found = importlib.metadata.distribution(name)
        for top in {file.parts[0] for file in found.files or []} - {".."}:
            if not (site / top).exists():
                (site / top).symlink_to(Path(str(found.locate_file(top))))
    return Path(sysconfig.get_path("scripts", "venv", vars=paths))


def run(environment: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    unled = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "LATENTCODEC_RUNTIME")}
    command = [str(environment / "python"), *arguments]
    return subprocess.run(command, cwd=folder, env=unled, capture_output=True, text=True)


def test_it_encodes_and_decodes(environment: Path, photo: np.ndarray, tmp_path: Path) -> None:
    (tmp_path / "mine.safetensors").write_bytes(weights_of("hyper"))
    Image.fromarray(photo[:100, :120]).save(tmp_path / "photo.png")
    name = latentcodec.register_weights(tmp_path / "mine.safetensors", runtime="torch")
    ours = latentcodec.Codec(model=name, runtime="torch")
    (tmp_path / "theirs.lat").write_bytes(ours.encode(photo[:100, :120], quality=40))
    result = run(environment, tmp_path, "-c", _SCRIPT)
    assert result.returncode == 0, result.stderr
    theirs = np.load(tmp_path / "theirs.npy").astype(int)
    assert np.abs(theirs - ours.decode_array(tmp_path / "theirs.lat")).max() <= 1
    for made in ("plugin.lat", "codec.lat"):
        file = container.read((tmp_path / made).read_bytes())
        first, second = (
            decode_latents(file, load(weights_of("hyper"), runtime))
            for runtime in ("torch", "onnx")
        )
        assert np.array_equal(first, second)


def test_the_commands(environment: Path, photo: np.ndarray, tmp_path: Path) -> None:
    (tmp_path / "mine.safetensors").write_bytes(weights_of("ae"))
    Image.fromarray(photo[:40, :60]).save(tmp_path / "photo.png")
    Image.fromarray(photo[:40, :60]).save(tmp_path / "more.png")
    command, weights = ("-m", "latentcodec"), ("--weights", "mine.safetensors")
    for arguments in (
        ("--help",),
        ("man",),
        ("encode", "photo.png", "more.png", "-o", "out", "-j", "2", *weights),
        ("decode", "out/photo.lat", "back.png", *weights),
        ("info", "out/photo.lat"),
        ("onnx", "graphs", *weights),
    ):
        result = run(environment, tmp_path, *command, *arguments)
        assert result.returncode == 0, result.stderr
    assert Image.open(tmp_path / "back.png").size == (60, 40)
    for refused in (
        ("encode", "photo.png", "x.lat", "--runtime", "torch"),
        ("export", "mine.safetensors", "x.safetensors"),
        ("train", "--data", ".", "--out", "x.safetensors", "--updates", "1"),
    ):
        result = run(environment, tmp_path, *command, *refused)
        assert result.returncode == 1, result.stdout
        (line,) = result.stderr.splitlines()
        assert line.endswith("pip install torch")
