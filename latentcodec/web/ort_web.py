"""ONNX Runtime Web: the two files of its npm package that pages need, of one version.

It is no part of the source. `tools/ort_web.py` brings it into the package before a wheel is built;
elsewhere it is given as a folder. Either way the files are those of the hashes here.
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
PACKAGED = Path(__file__).with_name("runtime")


def runtime_files(folder: Path | None = None) -> dict[str, bytes]:
    """The files by their names in the npm package.

    folder: the npm package, or its dist; None: what this package has. Raises LatError where they
    are missing or of another version.
    """
    return {name: _checked(name, _read(name, folder)) for name in SHA256}


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


def _checked(name: str, data: bytes) -> bytes:
    if hashlib.sha256(data).hexdigest() != SHA256[name]:
        raise LatError(f"{name} is not that of onnxruntime-web {VERSION}: its hash does not match")
    return data
