"""Brings ONNX Runtime Web into the package, as `latentcodec web` wants it: `make web-runtime`.

Has npm bring one version of the package onnxruntime-web, of one hash, and keeps the two files of it
that pages need, compressed, in latentcodec/web/runtime, which git ignores and wheels have; and in
build/onnxruntime-web, for tests, those that use a GPU, too.
"""

from __future__ import annotations

import hashlib
import io
import lzma
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from latentcodec.web import ort_web

NPM_PACKAGE = Path(__file__).resolve().parents[1] / "build" / "onnxruntime-web"

PACKAGE = f"onnxruntime-web@{ort_web.VERSION}"
SHA512 = (
    "ab4cbe26baedba45d2cec05610c71c55fa97db92d19a8b171c5f8269126683ca"
    "590a5cdc57bb2f35ce2b298de32f4d956fb42644c0ecd528a0a91e025c07ca61"
)


def _archive() -> bytes:
    """The package, from whatever registry npm is set to."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=folder, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            sys.exit(f"{PACKAGE} cannot be downloaded: {error}")
        (archive,) = Path(folder).glob("*.tgz")
        return archive.read_bytes()


def main() -> None:
    """Download, check, unpack."""
    if ort_web.is_packaged() and NPM_PACKAGE.is_dir():
        ort_web.runtime_files()  # what is there is right
        ort_web.runtime_files(NPM_PACKAGE)
        return
    archive = _archive()
    if hashlib.sha512(archive).hexdigest() != SHA512:
        sys.exit(f"{PACKAGE} does not have the hash that it should have")
    ort_web.PACKAGED.mkdir(exist_ok=True)
    NPM_PACKAGE.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for name in ort_web.SHA256 | ort_web.GPU_SHA256:
            member = tar.extractfile(f"package/dist/{name}")
            assert member is not None
            (NPM_PACKAGE / name).write_bytes(member.read())
    for name, data in ort_web.runtime_files(NPM_PACKAGE).items():
        if name in ort_web.SHA256:
            packed = lzma.compress(data, preset=9)
            (ort_web.PACKAGED / f"{name}.xz").write_bytes(packed)


if __name__ == "__main__":
    main()
