"""ONNX Runtime Web, and what unpacks it: the files of npm packages that pages need, of one version.

They are no part of the source. `.ci/web_runtime.py` brings three of them into the package before a
wheel is built; two more, which also run on a GPU, are taken from a folder that is given. All are
those of the hashes here.
"""

from __future__ import annotations

import hashlib
import lzma
from pathlib import Path

from latentcodec.errors import LatError

ORT, XZ = "onnxruntime-web@1.30.0", "xz-decompress@0.2.3"  # npm packages
SCRIPT, BINARY = "ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"
XZ_SCRIPT = "xz-decompress.min.js"
SHA256 = {
    SCRIPT: "11e64bd8ffe11bd1a2a2f0d6275fdfbbba7262f0b76b99b53d228a8a22ef3d90",
    BINARY: "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2",
    XZ_SCRIPT: "d83649874b6198df07340a88377613ccd2267aebb9f18b3be26c6904a81bac52",
}
# The same with WebGPU.
GPU_SCRIPT, GPU_BINARY = "ort.jspi.bundle.min.mjs", "ort-wasm-simd-threaded.jspi.wasm"
GPU_SHA256 = {
    GPU_SCRIPT: "07ec090355e11b342c95436db54da2d0c2bd5b1d319745bfd3337e6bdcf170ac",
    GPU_BINARY: "a54c76f86b0f0d9572380cf1c6292a7b3903716ffcbcd6b0e5c7050bf430eb93",
}
PACKAGED = Path(__file__).with_name("runtime")
# Where npm puts them, and one may have put those of onnxruntime-web.
_WHERE = (
    "node_modules/onnxruntime-web/dist",
    "node_modules/xz-decompress/dist/package",
    "dist",
    "",
)
_WINDOW = 1 << 23  # bytes, which a page keeps in memory; more makes 0.3 % less of the largest file


def runtime_files(folder: Path | None = None) -> dict[str, bytes]:
    """The files by their names in the npm packages; what is WebAssembly packed, see `packed`.

    folder: where npm installed them, of which those with WebGPU are taken, and the others if this
    installation lacks them. Raises LatError where one is missing or of another version.
    """
    names = SHA256 if folder is None else SHA256 | GPU_SHA256
    return {name: _file(name, folder) for name in names}


def packed(data: bytes) -> bytes:
    """As xz, to be unpacked by a page."""
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 9, "dict_size": _WINDOW}]
    return lzma.compress(data, filters=filters)


def is_packaged() -> bool:
    """Whether this installation has the runtime."""
    return all((PACKAGED / f"{name}.xz").is_file() for name in SHA256)


def installed_file(name: str, folder: Path) -> bytes:
    """A file of what npm installed. Raises LatError as `runtime_files` does."""
    for path in (folder / where / name for where in _WHERE):
        if path.is_file():
            return _checked(path.read_bytes(), name)
    raise LatError(f"{folder} has no npm package {_package_of(name)}: {name} is missing")


def _file(name: str, folder: Path | None) -> bytes:
    is_binary, path = name.endswith(".wasm"), PACKAGED / f"{name}.xz"
    if path.is_file():
        stored = path.read_bytes()
        data = _checked(_unpacked(stored, path.name), name)
        return stored if is_binary else data
    if folder is None:
        raise LatError(
            "this installation has no ONNX Runtime Web: give the folder where npm installed "
            f"{ORT} and {XZ} with --runtime-web (in a checkout, `make web-runtime` brings them)"
        )
    data = installed_file(name, folder)
    return packed(data) if is_binary else data


def _unpacked(stored: bytes, name: str) -> bytes:
    try:
        return lzma.decompress(stored)
    except lzma.LZMAError as error:
        raise LatError(f"{name} of this installation is damaged: {error}") from error


def _checked(data: bytes, name: str) -> bytes:
    if hashlib.sha256(data).hexdigest() != (SHA256 | GPU_SHA256)[name]:
        raise LatError(f"{name} is not that of {_package_of(name)}: its hash does not match")
    return data


def _package_of(name: str) -> str:
    return XZ if name == XZ_SCRIPT else ORT
