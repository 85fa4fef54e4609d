"""Brings ONNX Runtime Web into the package, as `latentcodec web` wants it: `make web-runtime`.

Has npm bring one version each of the packages onnxruntime-web and xz-decompress, of one hash, and
keeps the files of them that pages need, compressed, in latentcodec/web/runtime, which git ignores
and wheels have; and in build/onnxruntime-web, for tests, those that use a GPU, too.
"""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from latentcodec.web import ort_web

NPM_PACKAGE = Path(__file__).resolve().parents[1] / "build" / "onnxruntime-web"

# By the packages: SHA-512 of what npm downloads, and where in it the files are.
PACKAGES = {
    ort_web.ORT: (
        "ab4cbe26baedba45d2cec05610c71c55fa97db92d19a8b171c5f8269126683ca"
        "590a5cdc57bb2f35ce2b298de32f4d956fb42644c0ecd528a0a91e025c07ca61",
        "package/dist",
    ),
    ort_web.XZ: (
        "3bcbfa1c6f13d0faca05ca72580d771a4498585be7730ceecdc2f1e40efefa5d"
        "c7b04ddab66a1eb578c8c6b67f255fe76ef499ed64b8fb75ef44466e567fab10",
        "package/dist/package",
    ),
}


def _archive(package: str) -> bytes:
    """A package, from whatever registry npm is set to."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            subprocess.run(["npm", "pack", "--silent", package], cwd=folder, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            sys.exit(f"{package} cannot be downloaded: {error}")
        (archive,) = Path(folder).glob("*.tgz")
        return archive.read_bytes()


def _unpack(package: str, sha512: str, within: str) -> None:
    """Bring the files of a package that are wanted into the folder."""
    archive = _archive(package)
    if hashlib.sha512(archive).hexdigest() != sha512:
        sys.exit(f"{package} does not have the hash that it should have")
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        there = tar.getnames()
        for name in ort_web.SHA256 | ort_web.GPU_SHA256:
            if f"{within}/{name}" in there:
                member = tar.extractfile(f"{within}/{name}")
                assert member is not None
                (NPM_PACKAGE / name).write_bytes(member.read())


def main() -> None:
    """Download, check, unpack."""
    names = ort_web.SHA256 | ort_web.GPU_SHA256
    if ort_web.is_packaged() and NPM_PACKAGE.is_dir():
        ort_web.runtime_files()  # what is there is right
        for name in names:
            ort_web.installed_file(name, NPM_PACKAGE)
        return
    ort_web.PACKAGED.mkdir(exist_ok=True)
    NPM_PACKAGE.mkdir(parents=True, exist_ok=True)
    for package, (sha512, within) in PACKAGES.items():
        _unpack(package, sha512, within)
    for name in names:
        data = ort_web.installed_file(name, NPM_PACKAGE)
        if name in ort_web.SHA256:
            (ort_web.PACKAGED / f"{name}.xz").write_bytes(ort_web.packed(data))


if __name__ == "__main__":
    main()
