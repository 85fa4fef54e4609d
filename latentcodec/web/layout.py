"""What a page needs to decode `.lat` files, by paths: for a server, or in one file."""

from __future__ import annotations

import base64
import gzip
import html
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from latentcodec.errors import LatError
from latentcodec.format.container import read
from latentcodec.runtime import model_store
from latentcodec.runtime.model_store import ModelEntry
from latentcodec.runtime.onnx_export import TABLES, export
from latentcodec.web import ort_web
from latentcodec.web.bundle import asset, bundle
from latentcodec.web.model_bytes import planes, with_differences

_ENCODER_ONLY = ("g_a.onnx", "h_a.onnx")
_TITLE = "latentcodec in the browser"


# What a module needs around a script that was written for CommonJS.
_AS_MODULE = """const exports = {{}}, module = {{ exports }}, require = () => ({{}});
{}
export const {{ XzReadableStream }} = module.exports;
"""


def runtime_files(folder: Path | None = None, gpu: bool = True) -> dict[str, bytes]:
    """ONNX Runtime Web as pages load it. Raises LatError; see `ort_web.runtime_files`.

    gpu: with the build for WebGPU, if the folder is given that has it.
    """
    files = ort_web.runtime_files(folder)
    has_gpu = gpu and folder is not None
    found = {
        "runtime/index.json": json.dumps({"webgpu": has_gpu}).encode(),
        "runtime/ort.js": files[ort_web.SCRIPT],
        "runtime/ort.wasm.xz": files[ort_web.BINARY],
        "runtime/xz.js": _AS_MODULE.format(files[ort_web.XZ_SCRIPT].decode()).encode(),
        "runtime/LICENSE.txt": asset("runtime_license.txt").encode(),
    }
    if has_gpu:
        found["runtime/ort.webgpu.js"] = files[ort_web.GPU_SCRIPT]
        found["runtime/ort.webgpu.wasm.xz"] = files[ort_web.GPU_BINARY]
    return found


def model_files(entry: ModelEntry) -> dict[str, bytes]:
    """A model's decoder. Raises LatError for one that browsers cannot run, and CorruptWeights."""
    folder, files = f"models/{entry.short_hash.hex()}", {}
    weights = model_store.checked_bytes(entry)
    try:
        graphs = export(weights)
    except LatError as error:
        raise type(error)(f"browsers cannot run the model {entry.name}: {error}") from error
    for name, data in graphs.items():
        if name not in _ENCODER_ONLY:
            shorter = with_differences(data) if name == TABLES else data
            files[f"{folder}/{name}.planes.gz"] = gzip.compress(planes(shorter), 9, mtime=0)
    return files


def model_index(entries: Iterable[ModelEntry]) -> dict[str, bytes]:
    """The file that says which models are there: their codes by the hashes of their weights."""
    codes = {entry.short_hash.hex(): entry.code for entry in entries}
    return {"models/index.json": json.dumps(codes).encode()}


def model_of(data: bytes, name: str) -> ModelEntry:
    """The model that a `.lat` file was made with. Raises LatError, which says the file's name, for
    one that is damaged or whose model is not here."""
    try:
        header = read(data).header
        return model_store.by_code(header.model_code, header.weights_hash)
    except LatError as error:
        raise type(error)(f"{name}: {error}") from error


def _scripts() -> dict[str, bytes]:
    return {"page.js": asset("page.js").encode(), "latentcodec.js": bundle("latentcodec").encode()}


def _picture_files(pictures: Mapping[str, bytes]) -> dict[str, bytes]:
    return {f"pictures/{name}": data for name, data in pictures.items()}


def site_files(pictures: Mapping[str, bytes]) -> dict[str, bytes]:
    """The module, and an example page with a gallery of `.lat` files by their names."""
    style = '<link rel="stylesheet" href="page.css">'
    script = '<script type="module">import { showPage } from "./page.js"; showPage();</script>'
    page = _page(_TITLE, pictures, style, script)
    return {
        "index.html": page,
        "page.css": asset("page.css").encode(),
        **_scripts(),
        **_picture_files(pictures),
    }


def single_page(files: Mapping[str, bytes], pictures: Mapping[str, bytes], title: str) -> bytes:
    """The same page in one file, with runtime, models (`files`) and pictures in it."""
    inner = {**files, **_scripts(), **_picture_files(pictures)}
    data = [
        f'<script type="text/plain" data-path="{html.escape(path)}">'
        f"{base64.b64encode(content).decode()}</script>"
        for path, content in inner.items()
    ]
    style = f"<style>{asset('page.css')}</style>"
    return _page(
        title, pictures, style, "\n".join([*data, f"<script>{asset('single.js')}</script>"])
    )


def _page(title: str, pictures: Iterable[str], head: str, foot: str) -> bytes:
    names = json.dumps(list(pictures)).replace("<", "\\u003c")  # no tag ends the script
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{html.escape(title)}</title>",
        '<link rel="icon" href="data:,">',  # without one, browsers ask the server for it
        head,
        f"</head><body><h1>{html.escape(title)}</h1>",
        asset("page.html"),
        f'<script type="application/json" id="pictures">{names}</script>',
        foot,
        "</body></html>\n",
    ]
    return "\n".join(parts).encode()
