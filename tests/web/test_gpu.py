"""The synthesis on WebGPU, of a GPU in software; the prior is where it always is."""

from __future__ import annotations

import lzma
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import latentcodec
from tests.command_line import call as run
from tests.paths import ROOT
from tests.web.served import call, given, served

pytestmark = pytest.mark.slow

ASKED: list[str] = []  # paths that the browser wanted
_NPM_PACKAGE = ROOT / "build" / "onnxruntime-web"
_PIXELS = """
    lat.configure({gpu: true});
    const image = await lat.decodeToImageData("/pictures/rgb.lat");
    return give(image.data);
"""


@pytest.fixture(scope="module")
def site(small: Path, lats: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the command lays out where the npm package is given."""
    if not _NPM_PACKAGE.is_dir():
        pytest.skip("ONNX Runtime Web is not here: make web-runtime")
    folder = tmp_path_factory.mktemp("gpu")
    result = run("web", folder, lats / "rgb.lat", "--weights", small, "--runtime-web", _NPM_PACKAGE)
    assert result.exit_code == 0, result.output
    (folder / "empty.html").write_text('<!doctype html><link rel="icon" href="data:,">')
    return folder


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    with served(site, asked=ASKED) as url:
        yield url


@pytest.fixture
def broken(site: Path) -> Iterator[None]:
    """What uses the GPU is no program."""
    file = site / "runtime" / "ort.webgpu.wasm.xz"
    right = file.read_bytes()
    file.write_bytes(lzma.compress(b"no program"))
    yield
    file.write_bytes(right)


@pytest.fixture(scope="module")
def gpu_browser() -> Iterator[Any]:
    from tests.bench.chromium import chromium

    with chromium("--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader") as started:
        started.set_script_timeout(300)
        yield started


def differences(browser: Any, address: str, lats: Path) -> np.ndarray:
    browser.get(address + "empty.html")
    script = "return navigator.gpu?.requestAdapter().then((one) => one !== null) ?? false;"
    if not call(browser, script):
        pytest.skip("this Chromium has no GPU in software")
    found = call(browser, _PIXELS)
    assert isinstance(found, str), found
    expected = np.asarray(latentcodec.decode((lats / "rgb.lat").read_bytes())).astype(int)
    return np.abs(given(found).reshape(*expected.shape[:2], 4)[..., :3].astype(int) - expected)


def test_pixels_of_a_gpu(gpu_browser: Any, address: str, lats: Path) -> None:
    assert differences(gpu_browser, address, lats).max() <= 1
    script = "return lat.decodeToCanvas('/pictures/rgb.lat', document.createElement('canvas'));"
    assert call(gpu_browser, script)["synthesis"] == "webgpu"
    runtime = {path for path in ASKED if path.startswith("/runtime/ort")}
    assert {"/runtime/ort.webgpu.js", "/runtime/ort.webgpu.wasm.xz"} <= runtime
    assert gpu_browser.get_log("browser") == []


def test_a_gpu_that_fails_is_done_without(
    broken: None, gpu_browser: Any, address: str, lats: Path
) -> None:
    assert differences(gpu_browser, address, lats).max() <= 1
    script = "return lat.decodeToCanvas('/pictures/rgb.lat', document.createElement('canvas'));"
    assert call(gpu_browser, script)["synthesis"] == "wasm"
