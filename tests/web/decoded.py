"""What a page of the browser makes of a file, and how that is held against the package."""

from __future__ import annotations

from typing import Any

import numpy as np

import latentcodec
from latentcodec.format import container
from latentcodec.format.container import ChunkType
from latentcodec.pipeline.decoder import family_of
from latentcodec.pipeline.latent_tiles import decode_latents
from tests.web.served import call, given


def latents_of(page: Any, address: str) -> np.ndarray:
    found = call(page, "return give(await lat.decodeLatents(arguments[0]));", address)
    assert isinstance(found, str), found
    return given(found, "<i4")


def pixels_of(page: Any, address: str) -> np.ndarray:
    """RGBA [h, w, 4]."""
    script = """
        const image = await lat.decodeToImageData(arguments[0]);
        return [image.height, image.width, give(image.data)];
    """
    found = call(page, script, address)
    assert isinstance(found, list), found
    return given(found[2]).reshape(found[0], found[1], 4).astype(int)


def compare(page: Any, address: str, data: bytes) -> None:
    """A file's latents and pixels with those that the package gives."""
    file = container.read(data)
    wanted = decode_latents(file, family_of(file.header))
    assert np.array_equal(latents_of(page, address), wanted.ravel())
    assert np.abs(wanted).max() > 0
    expected = np.asarray(latentcodec.decode(data).convert("RGBA")).astype(int)
    found = pixels_of(page, address)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= 1
    assert np.array_equal(found[..., 3], expected[..., 3])


def canvas_of(page: Any, address: str) -> np.ndarray:
    script = """
        const canvas = document.createElement("canvas");
        await lat.decodeToCanvas(arguments[0], canvas);
        const {data, width, height} = canvas.getContext("2d").getImageData(
          0, 0, canvas.width, canvas.height);
        return [height, width, give(data)];
    """
    found = call(page, script, address)
    assert isinstance(found, list), found
    return given(found[2]).reshape(found[0], found[1], 4).astype(int)


def with_chunk(data: bytes, kind: ChunkType, payload: bytes) -> bytes:
    file = container.read(data)
    return container.write(container.LatFile(file.header, file.tiles, {kind: payload}, file.alphas))
