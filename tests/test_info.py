"""`read_info`: what a file says of itself, without decoding it."""

from __future__ import annotations

import dataclasses
import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import latentcodec
from latentcodec import errors
from latentcodec.format import container
from latentcodec.format.container import ChunkType
from latentcodec.format.source import Source
from latentcodec.runtime import model_store
from tests.image_files import ICC

MODES = {"RGB": "rgb", "L": "grey", "RGBA": "rgb_alpha", "LA": "grey_alpha"}


def test_every_kind_of_source(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "photo.lat"
    path.write_bytes(data)
    info = latentcodec.read_info(data)
    sources: list[Source] = [path, str(path), bytearray(data), memoryview(data), io.BytesIO(data)]
    assert all(latentcodec.read_info(source) == info for source in sources)
    with path.open("rb") as stream:
        assert latentcodec.read_info(stream) == info


def test_the_facts(data: bytes) -> None:
    entry = model_store.by_name(model_store.chosen())
    info = latentcodec.read_info(data)
    assert (info.width_px, info.height_px, info.quality, info.version) == (56, 40, 40.0, 1)
    assert (info.model, info.model_code) == (entry.name, entry.code)
    assert entry.sha256.startswith(info.weights_hash) and len(info.weights_hash) == 8
    assert info.file_bytes == len(data)
    assert info.bits_per_pixel == 8 * len(data) / (56 * 40)
    assert info.chunk_bytes["tiles"] == len(container.read(data).tiles[0])
    with pytest.raises(dataclasses.FrozenInstanceError):
        info.quality = 3  # type: ignore[misc]


@pytest.mark.parametrize("mode", MODES)
def test_mode_metadata_and_chunks(crop: Image.Image, mode: str) -> None:
    image = crop.convert(mode)
    if "A" in mode:
        image.putalpha(Image.linear_gradient("L").resize(image.size))
    image.info.update(icc_profile=ICC, xmp=b"<x:xmpmeta/>")
    data = latentcodec.encode(image)
    file, info = container.read(data), latentcodec.read_info(data)
    assert (info.mode, info.colour) == (mode, MODES[mode])
    assert info.mode == latentcodec.decode(data).mode
    assert info.metadata_bytes == {"icc": len(ICC), "xmp": 12}
    assert ("alpha" in info.chunk_bytes) == ("A" in mode)
    assert sum(info.chunk_bytes.values()) == len(data)
    # Around each payload stand a type, a length of one byte or two, and a checksum.
    chunks = [*file.tiles, *file.alphas, *file.metadata.values()]
    around = sum(6 + (len(chunk) > 127) for chunk in chunks)
    assert info.chunk_bytes["container"] == container.HEADER_BYTES + around


def test_several_tiles_are_counted() -> None:
    data = latentcodec.encode(np.zeros((1, 2049), np.uint8), quality=1)
    assert latentcodec.read_info(data).tiles == 3


def test_a_model_that_is_not_installed_has_no_name(data: bytes) -> None:
    file = container.read(data)
    header = dataclasses.replace(file.header, model_code="ZZ99")
    info = latentcodec.read_info(container.write(dataclasses.replace(file, header=header)))
    assert (info.model, info.model_code) == (None, "ZZ99")


def test_what_is_damaged_is_refused(data: bytes, tmp_path: Path) -> None:
    for wrong in (b"", data[:30], data[:-1], data + b"!", data[:40] + b"\0\0\0" + data[43:]):
        with pytest.raises(latentcodec.LatError):
            latentcodec.read_info(wrong)
    with pytest.raises(FileNotFoundError):
        latentcodec.read_info(tmp_path / "missing.lat")


def test_payloads_are_not_decoded(data: bytes) -> None:
    file = container.read(data)
    odd = container.write(dataclasses.replace(file, tiles=[b"noise"]))
    assert latentcodec.read_info(odd).chunk_bytes["tiles"] == 5
    with pytest.raises(errors.CorruptPayload):
        latentcodec.decode(odd)


def test_unknown_optional_chunks_count_as_container(data: bytes) -> None:
    start = container.HEADER_BYTES
    extra = container._chunk_bytes(0xF0, b"of a later version")
    info = latentcodec.read_info(data[:start] + extra + data[start:])
    before = latentcodec.read_info(data)
    assert info.chunk_bytes["container"] == before.chunk_bytes["container"] + len(extra)
    assert info.metadata_bytes == {} and ChunkType.EXIF.name.lower() not in info.chunk_bytes


def test_no_heavy_import(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "photo.lat"
    path.write_bytes(data)
    code = "import sys, latentcodec; print(latentcodec.read_info(sys.argv[1]).width_px, "
    code += "*{'torch', 'numpy', 'PIL', 'constriction'} & set(sys.modules))"
    command = [sys.executable, "-c", code, str(path)]
    assert subprocess.run(command, capture_output=True, check=True).stdout.split() == [b"56"]
