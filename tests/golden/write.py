"""Writes the golden files of a packaged model: `python -m tests.golden.write hyper`.

A set, `v1/<model code>-<weights hash>/`, is `.lat` files, beside each its pixels as PNG, and
`expected.json` with the SHA-256 of the latents and of each metadata chunk. A set is written once:
what a file decodes to never changes, so nothing is ever overwritten.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms

import latentcodec
from latentcodec.format import container
from latentcodec.pipeline.latent_tiles import decode_latents
from latentcodec.runtime import model_store
from latentcodec.runtime.choice import Runtime
from latentcodec.runtime.model_store import ModelEntry
from tests.paths import KODAK

FOLDER = Path(__file__).parent / "v1"
_PHOTO = KODAK / "kodim23.png"


def folder_of(entry: ModelEntry, root: Path = FOLDER) -> Path:
    """Where the set of a model is, or is to be."""
    return root / f"{entry.code}-{entry.short_hash.hex()}"


def pictures() -> Iterator[tuple[str, Image.Image, float]]:
    """Name, picture and quality: every colour mode, chunk and kind of size."""
    photo = Image.open(_PHOTO).convert("RGB")
    yield "rgb", photo.crop((300, 200, 364, 248)), 50
    yield "smallest", photo.crop((300, 200, 364, 248)), 1
    yield "best", photo.crop((310, 210, 342, 242)), 100
    yield "odd", photo.crop((301, 201, 334, 218)), 33.3
    yield "pixel", photo.crop((301, 201, 302, 202)), 60
    yield "grey", photo.crop((100, 100, 147, 131)).convert("L"), 70
    wide = np.tile(np.asarray(photo)[200:224], (1, 2, 1))[:, :1100]
    yield "wide", Image.fromarray(wide), 20
    tall = np.tile(np.asarray(photo)[:, 300:320], (3, 1, 1))[:1030]
    yield "tall", Image.fromarray(tall).convert("L"), 20
    clear = photo.crop((200, 100, 256, 140))
    clear.putalpha(Image.linear_gradient("L").resize((56, 40)))
    clear.info |= {"icc_profile": _profile(), "exif": _exif(), "xmp": b"<x:xmpmeta/>"}
    iptc = {0x0404: b"\x1c\x02\x78\0\x07Caption"}
    clear.info |= {"photoshop": iptc, "dpi": (300, 300), "comment": b"a comment"}
    yield "alpha", clear, 50
    yield "grey-alpha", clear.convert("LA"), 80


def _profile() -> bytes:
    """An ICC profile whose bytes do not depend on the day."""
    made = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return made[:24] + bytes(12) + made[36:]


def _exif() -> bytes:
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "a camera", 6
    return exif.tobytes()


def expected(data: bytes, runtime: Runtime | None = None) -> dict[str, Any]:
    """What never changes of a file: the digests of its latents and of its metadata chunks."""
    file = container.read(data)
    entry = model_store.by_code(file.header.model_code, file.header.weights_hash)
    v_hat = decode_latents(file, model_store.load_codec(entry, runtime))
    return {
        "latents": hashlib.sha256(v_hat.astype("<i4").tobytes()).hexdigest(),
        "metadata": {
            kind.name: hashlib.sha256(payload).hexdigest()
            for kind, payload in file.metadata.items()
        },
    }


def write_set(model: str, root: Path = FOLDER) -> Path:
    """Write the set of a packaged model. Raises FileExistsError where there is one."""
    folder = folder_of(model_store.by_name(model), root)
    folder.mkdir(parents=True)
    found = {}
    for name, picture, quality in pictures():
        preview = name == "wide"  # the others are small enough without
        data = latentcodec.encode(picture, quality=quality, model=model, preview=preview)
        (folder / f"{name}.lat").write_bytes(data)
        latentcodec.decode(data).save(folder / f"{name}.png", optimize=True)
        found[name] = expected(data)
    (folder / "expected.json").write_text(json.dumps(found, indent=1) + "\n")
    return folder


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Write the golden files of packaged models.")
    parser.add_argument("model", nargs="+", help="such as hyper")
    for model in parser.parse_args().model:
        print(write_set(model))
