"""What `latentcodec web` writes and refuses, without a browser."""

from __future__ import annotations

import hashlib
import lzma
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from latentcodec.errors import LatError
from latentcodec.runtime import tensor_file
from latentcodec.web import layout, ort_web
from latentcodec.web.bundle import asset, bundle
from latentcodec.web.model_bytes import planes, with_differences
from tests.command_line import call, fails
from tests.golden.write import FOLDER as GOLDEN
from tests.paths import ROOT

ASSETS = ROOT / "latentcodec" / "web" / "assets"
SCRIPTS = sorted(ASSETS.glob("*.js"))
_DIST = "node_modules/onnxruntime-web/dist"
_WITHIN = {ort_web.XZ_SCRIPT: "node_modules/xz-decompress/dist/package"}
(AE,) = GOLDEN.glob("AE*/rgb.lat")


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder where npm put packages, whose hashes are those that are wanted."""
    folder = tmp_path / "npm"
    for hashes in (ort_web.SHA256, ort_web.GPU_SHA256):
        for name in hashes:
            path = folder / _WITHIN.get(name, _DIST) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)
            monkeypatch.setitem(hashes, name, hashlib.sha256(name.encode()).hexdigest())
    monkeypatch.setattr(ort_web, "PACKAGED", tmp_path / "none")
    return folder


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_are_short(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) < 300
    assert max(map(len, lines)) <= 100


def test_the_module_has_every_file_once() -> None:
    text = bundle("latentcodec")
    made = re.findall(r"^const module_(\w+) = \(\(\) => \{$", text, re.MULTILINE)
    assert sorted(made) == sorted({p.stem for p in SCRIPTS} - {"page", "single"})
    assert not re.search(r"^import |^export (?!const \{)", text, re.MULTILINE)
    (exported,) = re.findall(r"^export const \{ (.*) \} = module_latentcodec;$", text, re.MULTILINE)
    assert {"decodeToCanvas", "decodeToImageData", "configure", "LatError", "CorruptChunk"} <= set(
        exported.split(", ")
    )


def test_every_name_that_is_imported_is_exported() -> None:
    for path in SCRIPTS:
        text = path.read_text(encoding="utf-8")
        for names, module in re.findall(r'import \{([^}]*)\} from "\./(\w+)\.js"', text):
            other = asset(f"{module}.js")
            for name in filter(None, (name.strip() for name in names.split(","))):
                declared = rf"export (?:async )?(?:function\*?|class|const|let) {name}\b"
                passed_on = rf"export \{{[^}}]*\b{name}\b[^}}]*\}} from"
                assert re.search(f"{declared}|{passed_on}", other), f"{path.name}: {name}"


@pytest.mark.skipif(not shutil.which("tsc"), reason="TypeScript is not installed")
def test_types() -> None:
    subprocess.run(["tsc", "-p", str(ROOT / "tests" / "web")], check=True)


def test_a_folder(runtime: Path, tmp_path: Path) -> None:
    out = tmp_path / "site"
    result = call("web", out, AE, "--runtime-web", runtime)
    assert result.exit_code == 0, result.output
    assert not list(out.rglob("*vae64*"))  # browsers cannot run it
    files = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert {"index.html", "page.js", "page.css", "latentcodec.js", "pictures/rgb.lat"} <= files
    assert {
        "runtime/ort.js",
        "runtime/ort.wasm.xz",
        "runtime/xz.js",
        "runtime/LICENSE.txt",
    } <= files
    assert {"runtime/ort.webgpu.js", "runtime/ort.webgpu.wasm.xz"} <= files
    assert f"models/{AE.parent.name.split('-')[1]}/g_s.onnx.planes.gz" in files
    assert not [name for name in files if "g_a" in name or "h_a" in name]


def test_one_file(runtime: Path, tmp_path: Path) -> None:
    page = tmp_path / "photo.html"
    result = call("web", AE, "--single", page, "--runtime-web", runtime)
    assert result.exit_code == 0, result.output
    text = page.read_text(encoding="utf-8")
    assert re.findall(r'data-path="(pictures/[^"]*|models/[^"]*\.json)"', text) == [
        "models/index.json",
        "pictures/rgb.lat",
    ]
    assert "<title>rgb.lat</title>" in text and "webgpu.js" not in text


@pytest.mark.skipif(sys.platform != "linux", reason="names are bytes on Linux")
def test_a_name_that_is_no_text(runtime: Path, tmp_path: Path) -> None:
    picture = tmp_path / os.fsdecode(b"a\xff.lat")
    picture.write_bytes(AE.read_bytes())
    page = tmp_path / "photo.html"
    assert call("web", picture, "--single", page, "--runtime-web", runtime).exit_code == 0
    assert "<title>a\\xff.lat</title>" in page.read_text(encoding="utf-8")


def test_what_is_refused(runtime: Path, tmp_path: Path, data: bytes) -> None:
    given = ["--runtime-web", runtime]
    (tmp_path / "cut.lat").write_bytes(AE.read_bytes()[:-1])
    (tmp_path / "rgb.lat").write_bytes(AE.read_bytes())
    site = tmp_path / "site"
    message = fails(tmp_path, "web", site, tmp_path / "cut.lat", *given)
    assert message.startswith("cut.lat: the file ends within a chunk")
    assert call("web", site, AE, tmp_path / "rgb.lat", *given).exit_code == 2
    assert call("web", tmp_path / "rgb.lat", *given).exit_code == 2
    assert not site.exists()


def test_the_runtime_is_one_version(runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = layout.runtime_files(runtime)
    assert files["runtime/ort.js"] == ort_web.SCRIPT.encode()
    assert lzma.decompress(files["runtime/ort.wasm.xz"]) == ort_web.BINARY.encode()
    binary = runtime / _DIST / ort_web.BINARY
    binary.write_text("another")
    with pytest.raises(LatError, match="is not that of onnxruntime-web@1"):
        layout.runtime_files(runtime)
    binary.unlink()
    with pytest.raises(LatError, match=r"has no npm package onnxruntime-web@1.*: ort-wasm"):
        layout.runtime_files(runtime)
    assert not ort_web.is_packaged()
    with pytest.raises(LatError, match=r"give the folder .* with --runtime-web"):
        layout.runtime_files()


def test_what_is_packaged_is_taken_as_it_is(
    runtime: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "packaged"
    folder.mkdir()
    for name in ort_web.SHA256:
        (folder / f"{name}.xz").write_bytes(lzma.compress(name.encode(), preset=0))
    monkeypatch.setattr(ort_web, "PACKAGED", folder)
    stored = folder / f"{ort_web.BINARY}.xz"
    for given in (None, runtime):
        assert layout.runtime_files(given)["runtime/ort.wasm.xz"] == stored.read_bytes()
    stored.write_bytes(lzma.compress(b"another"))
    with pytest.raises(LatError, match="is not that of onnxruntime-web@1"):
        layout.runtime_files()
    stored.write_bytes(stored.read_bytes()[:-1])
    with pytest.raises(LatError, match=r"ort-wasm.*xz of this installation is damaged"):
        layout.runtime_files()


def test_planes_lose_nothing() -> None:
    data = np.random.default_rng(0).integers(0, 256, 1003, np.uint8).tobytes()
    stored = planes(data)
    whole = bytearray(len(data))
    at = 0
    for first in range(4):
        count = len(range(first, len(data), 4))
        whole[first::4] = stored[at : at + count]
        at += count
    for i in range(1, len(whole)):
        whole[i] = (whole[i] - (whole[i - 1] >> 7)) % 256
    assert bytes(whole) == data


def test_planes_of_small_integers_have_zeros() -> None:
    stored = planes(np.arange(-100, 100, dtype="<i4").tobytes())
    assert not any(stored[200:])


def test_differences_sum_to_the_tables() -> None:
    random = np.random.default_rng(1)
    tables = {
        "quality.to_step": random.integers(-(2**31), 2**31, (100, 5), np.int32),
        "quality.table": random.integers(0, 9, (34, 5), np.uint16),
        "tables.counts": random.integers(0, 9, 30, np.int32),
    }
    stored, description = tensor_file.unpack(with_differences(tensor_file.pack(tables, {"a": 1})))
    bends = stored.pop("quality.to_step")
    sums = bends.T.cumsum(0, dtype=np.int32).cumsum(0, dtype=np.int32)
    assert np.array_equal(sums, tables.pop("quality.to_step"))
    assert all(np.array_equal(stored[name], table) for name, table in tables.items())
    assert description == {"a": 1}
