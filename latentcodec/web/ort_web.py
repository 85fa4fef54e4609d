"""ONNX Runtime Web: the files of its npm package that pages need, of one version.

They are no part of the source. `.ci/web_runtime.py` brings two of them into the package before a
wheel is built; two more, which also run on a GPU, are taken from a folder that is given. All are
those of the hashes here.
"""

from __future__ import annotations

import hashlib
import lzma
from pathlib import Path

from latentcodec.errors import LatError

VERSION = "1.30.0"
# Of the npm package, and what each is called in what is laid out.
SCRIPT, BINARY = "ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"
SHA256 = {
    SCRIPT: "11e64bd8ffe11bd1a2a2f0d6275fdfbbba7262f0b76b99b53d228a8a22ef3d90",
    BINARY: "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2",
}
# The same with WebGPU.
GPU_SCRIPT, GPU_BINARY = "ort.jspi.bundle.min.mjs", "ort-wasm-simd-threaded.jspi.wasm"
GPU_SHA256 = {
    GPU_SCRIPT: "07ec090355e11b342c95436db54da2d0c2bd5b1d319745bfd3337e6bdcf170ac",
    GPU_BINARY: "a54c76f86b0f0d9572380cf1c6292a7b3903716ffcbcd6b0e5c7050bf430eb93",
}
PACKAGED = Path(__file__).with_name("runtime")


def runtime_files(folder: Path | None = None) -> dict[str, bytes]:
    """The files by their names in the npm package.

    folder: the npm package, or its dist, of which those with WebGPU are taken, too; None: what this
    package has. Raises LatError where they are missing or of another version.
    """
    hashes = SHA256 if folder is None else SHA256 | GPU_SHA256
    return {name: _checked(_read(name, folder), name, digest) for name, digest in hashes.items()}


def is_packaged() -> bool:
    """Whether this installation has the runtime."""
    return all((PACKAGED / f"{name}.xz").is_file() for name in SHA256)


def _read(name: str, folder: Path | None) -> bytes:
    if folder is None:
        path = PACKAGED / f"{name}.xz"
        if not path.is_file():
            raise LatError(
                "this installation has no ONNX Runtime Web: give the folder of the npm package "
                f"onnxruntime-web {VERSION} with --runtime-web"
            )
        return lzma.decompress(path.read_bytes())
    for path in (folder / name, folder / "dist" / name):
        if path.is_file():
            return path.read_bytes()
    raise LatError(f"{folder} is no npm package onnxruntime-web: {name} is missing")


def _checked(data: bytes, name: str, digest: str) -> bytes:
    if hashlib.sha256(data).hexdigest() != digest:
        raise LatError(f"{name} is not that of onnxruntime-web {VERSION}: its hash does not match")
    return data
