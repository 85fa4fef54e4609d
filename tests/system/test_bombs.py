"""Small files that claim much cost little: time and memory, measured after the import."""

from __future__ import annotations

import dataclasses
import io
import json
import subprocess
import sys
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import latentcodec
import latentcodec.pillow
from latentcodec import errors
from latentcodec.format import container
from latentcodec.format.container import Colour
from latentcodec.pipeline.alpha import decode_alpha
from latentcodec.runtime.base import Family
from tests.command_line import call, one_sentence
from tests.malformed.write import FOLDER

# What each file costs a process that has the model loaded: seconds of a processor, MB more at the
# peak.
_MEASURE = """
import json, resource, sys, time
import latentcodec, latentcodec.pipeline.decoder
from latentcodec.runtime import model_store
model_store.load_codec(model_store.by_name(model_store.chosen()))
def peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
for path in sys.argv[1:]:
    data = open(path, "rb").read()
    before, start, error = peak_mb(), time.process_time(), None
    try:
        latentcodec.decode(data)
    except latentcodec.LatError as caught:
        error = type(caught).__name__
    print(json.dumps([error, time.process_time() - start, peak_mb() - before]))
"""


def tiny_tiles(width: int, height: int, colour: Colour = Colour.GREY) -> bytes:
    """A file with as many tiles as it claims, each payload empty."""
    header = dataclasses.replace(
        container.read_header(latentcodec.encode(np.zeros((8, 8), np.uint8))),
        width_px=width,
        height_px=height,
        colour=colour,
    )
    rows, columns = header.tile_grid
    alphas = [b"\0\x80"] * (rows * columns if colour.has_alpha else 0)
    return container.write(container.LatFile(header, [b""] * (rows * columns), {}, alphas))


def costs(*paths: Path) -> list[tuple[str, float, float]]:
    command = [sys.executable, "-c", _MEASURE, *map(str, paths)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    return [tuple(json.loads(line)) for line in result.stdout.splitlines()]


@pytest.mark.slow
def test_claims_cost_nothing_and_the_first_tile_comes_before_the_picture(tmp_path: Path) -> None:
    claims, one, tiny = (tmp_path / f"{name}.lat" for name in ("claims", "one", "tiny"))
    claims.write_bytes(tiny_tiles(16384, 16384)[:30])  # 2 ** 28 px, and the first of 256 tiles
    # All 256, empty: 4 kB for what would be 805 MB of colours and 268 MB of alpha.
    tiny.write_bytes(tiny_tiles(16384, 16384, Colour.RGB_ALPHA))
    assert tiny.stat().st_size < 4000
    one.write_bytes(tiny_tiles(1024, 1024, Colour.RGB_ALPHA))
    measured = costs(one, FOLDER / "pixels.lat", claims, tiny)
    assert [error for error, _, _ in measured] == [
        "CorruptPayload",
        "LimitExceeded",
        "TruncatedFile",
        "CorruptPayload",
    ]
    one_tile_s = measured[0][1]
    for _, seconds, megabytes in measured[1:3]:
        assert seconds < one_tile_s
        assert megabytes < 50
    _, seconds, megabytes = measured[3]
    assert seconds < 10 * one_tile_s, "more than the first of 256 tiles"
    assert megabytes < 250


def test_chunks_that_are_skipped_are_few() -> None:
    data = (FOLDER / "too-many-chunks.lat").read_bytes()
    with pytest.raises(errors.CorruptChunk, match="more than 64"):
        container.read_metadata(data)


def test_alpha_is_inflated_no_further_than_its_tile() -> None:
    bomb = b"\1" + zlib.compress(bytes(1 << 27), 1)  # 134 MB from a legal chunk
    assert len(bomb) < container.MAX_ALPHA_BYTES
    with pytest.raises(errors.CorruptAlpha, match="another size"):
        decode_alpha(bomb, 16, 16)


@pytest.mark.parametrize("tenths", [10, 500, 1000])
@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\1",
        bytes(4),
        bytes(4000) + b"\1\0\0\0",
        b"\1\0\0\0",
        b"\x61\x4c\0\0",  # the state that the encoder begins with
        b"\xff" * 4,
        b"\xff" * 8,
        b"\xff" * container.MAX_TILE_BYTES,
    ],
    ids=lambda payload: f"{len(payload)} bytes of {payload[:1].hex()}",
)
def test_the_coder_refuses_whatever_it_is_given(
    family: Family, payload: bytes, tenths: int
) -> None:
    with pytest.raises(errors.CorruptPayload):
        family.decode_latents(payload, tenths, 1, 1)


def test_max_pixels_is_an_argument_and_an_option(photo: np.ndarray, tmp_path: Path) -> None:
    data = latentcodec.encode(photo[:30, :40])
    latentcodec.decode(data, max_pixels=1200)
    with pytest.raises(errors.LimitExceeded, match="40 x 30"):
        latentcodec.decode(data, max_pixels=1199)
    source, target = tmp_path / "in.lat", tmp_path / "out.png"
    source.write_bytes(data)
    assert call("decode", "--max-pixels", 1200, source, target).exit_code == 0
    result = call("decode", "--max-pixels", 1199, source, target)
    assert "limit of 1199 pixels" in one_sentence(result.stderr)
    # And raised beyond the default: then it is the file that ends too soon.
    claims = (FOLDER / "pixels.lat").read_bytes()
    with pytest.raises(errors.TruncatedFile):
        latentcodec.decode(claims, max_pixels=1 << 32)


def test_pillows_limit_warns_and_refuses(
    photo: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = latentcodec.encode(photo[:30, :40])
    for limit, kind in (
        (1199, Image.DecompressionBombWarning),
        (599, Image.DecompressionBombError),
    ):
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with pytest.raises(kind):
                Image.open(io.BytesIO(data))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    Image.open(io.BytesIO(data)).load()
