"""latentcodec.js against the package: equal latents, pixels within a grey level, the errors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

import latentcodec
from latentcodec.entropy.coder import SymbolEncoder, TableSet
from latentcodec.errors import LatError
from latentcodec.format import container
from latentcodec.format.container import ChunkType
from tests.format.test_malformed import KIND_OF, PATHS, current
from tests.golden.write import FOLDER as GOLDEN
from tests.web.decoded import canvas_of, compare, pixels_of, with_chunk
from tests.web.served import call

pytestmark = pytest.mark.slow

_KINDS = ["rgb", "smallest", "best", "odd", "pixel", "grey", "wide", "tall", "alpha", "grey-alpha"]
_GOLDEN = sorted(GOLDEN.glob("*/*.lat"))


@pytest.mark.parametrize("name", _KINDS)
def test_files_of_a_hyper(page: Any, lats: Path, name: str) -> None:
    compare(page, f"/lats/{name}.lat", (lats / f"{name}.lat").read_bytes())


@pytest.mark.parametrize("path", _GOLDEN, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_golden_files(page: Any, path: Path) -> None:
    compare(page, f"/golden/{path.relative_to(GOLDEN).as_posix()}", path.read_bytes())


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_malformed_files_raise_the_same_class(
    page: Any, small: Path, lats: Path, path: Path
) -> None:
    (lats / "malformed.lat").write_bytes(current(path, latentcodec.register_weights(small)))
    found = call(page, "return lat.decodeToImageData('/lats/malformed.lat');")
    assert found["error"] == KIND_OF[path.name].__name__
    assert ". " not in found["message"]


@pytest.mark.parametrize("seed", range(8))
def test_bytes_of_chance_end_as_in_python(page: Any, lats: Path, seed: int) -> None:
    """A payload that no encoder wrote, under checksums that fit."""
    random = np.random.default_rng(seed)
    file = container.read((lats / "rgb.lat").read_bytes())
    payload = bytearray(file.tiles[0])
    for _ in range(3):
        payload[random.integers(len(payload))] ^= int(random.integers(1, 256))
    data = container.write(container.LatFile(file.header, [bytes(payload)], {}))
    (lats / "chance.lat").write_bytes(data)
    found = call(page, "return lat.decodeToImageData('/lats/chance.lat');")
    with pytest.raises(LatError) as caught:
        latentcodec.decode(data)
    assert found["error"] == type(caught.value).__name__


def test_the_coder_reads_what_constriction_wrote(page: Any) -> None:
    """All the tables of a model, with escapes, and tables that are not symmetric."""
    random = np.random.default_rng(1)
    sizes = np.array([1, 2, 5, 300, 4000], np.int32)
    lows = np.array([0, -1, 3, -150, -2000], np.int32)
    counts = [random.integers(1, 50_000 // size + 2, size + 1) for size in sizes]
    for one in counts:
        one[0] += (1 << 24) - one.sum()
    tables = TableSet(lows, sizes, np.concatenate(counts).astype(np.int32))
    coder = SymbolEncoder(tables)
    calls = []
    for count in (1, 500, 3000, 0):
        used = random.integers(0, len(sizes), count).astype(np.uint8)
        symbols = random.integers(0, sizes[used] + 1) + lows[used]  # the last is an escape
        symbols[random.random(count) < 0.02] = -32767
        symbols[random.random(count) < 0.02] = 32767
        symbols[used == 0] = 0
        coder.put(symbols.astype(np.int32), used)
        calls.append((used.tolist(), symbols.tolist()))
    script = """
        const {SymbolDecoder, TableSet} = await import("/assets/ans.js");
        const [payload, calls, ...parts] = arguments;
        const tables = new TableSet(...parts.map((part) => Int32Array.from(part)));
        const decoder = new SymbolDecoder(Uint8Array.from(payload), tables);
        const found = calls.map((used) => [...decoder.get(Uint8Array.from(used))]);
        decoder.finish();
        return found;
    """
    parts = (lows.tolist(), sizes.tolist(), np.concatenate(counts).tolist())
    found = call(page, script, list(coder.finish()), [used for used, _ in calls], *parts)
    assert found == [symbols for _, symbols in calls]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_canvas_is_upright(page: Any, lats: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "a camera", orientation
    data = with_chunk((lats / "odd.lat").read_bytes(), ChunkType.EXIF, exif.tobytes())
    (lats / "turned.lat").write_bytes(data)
    image = latentcodec.decode(data)
    transposed = Image.Image.transpose
    way = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }.get(orientation)
    expected = np.asarray(image if way is None else transposed(image, way)).astype(int)
    found = canvas_of(page, "/lats/turned.lat")[..., :3]
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= 1


def swapped_profile() -> bytes:
    """sRGB with red and green in each other's place."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for at in range(132, 132 + 12 * int.from_bytes(profile[128:132], "big"), 12):
        name = bytes(profile[at : at + 4])
        profile[at : at + 4] = {b"rXYZ": b"gXYZ", b"gXYZ": b"rXYZ"}.get(name, name)
    return bytes(profile)


def test_a_canvas_follows_the_profile(page: Any, lats: Path) -> None:
    data = with_chunk((lats / "rgb.lat").read_bytes(), ChunkType.ICC, swapped_profile())
    (lats / "profile.lat").write_bytes(data)
    stored = np.asarray(latentcodec.decode(data)).astype(int)
    found = canvas_of(page, "/lats/profile.lat")[..., :3]
    assert np.abs(found - stored[..., [1, 0, 2]]).max() <= 3
    assert np.abs(stored - stored[..., [1, 0, 2]]).max() > 20
    assert np.abs(pixels_of(page, "/lats/profile.lat")[..., :3] - stored).max() <= 1


def test_an_img(page: Any, lats: Path) -> None:
    script = """
        const image = new Image();
        const facts = await lat.decodeToImage("/lats/alpha.lat", image);
        const {naturalWidth, naturalHeight} = image, {bytes, orientation, alpha} = facts;
        return [naturalWidth, naturalHeight, bytes, orientation, alpha];
    """
    size = (lats / "alpha.lat").stat().st_size
    assert call(page, script) == [40, 56, size, 6, True]  # its EXIF turns it


def test_a_limit_of_pixels(page: Any, lats: Path) -> None:
    script = "return lat.decodeToImageData('/lats/rgb.lat', {maxPixels: 100});"
    assert call(page, script)["error"] == "LimitExceeded"


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ("{width: 0, height: 0, getContext: () => null}, {}", "LimitExceeded"),
        (
            "new OffscreenCanvas(1, 1), {onFacts: () => { throw new RangeError('no'); }}",
            "RangeError",
        ),
    ],
    ids=["no canvas of this size", "the page's own function"],
)
def test_what_fails_in_the_page_ends_the_picture(page: Any, options: str, error: str) -> None:
    script = f"return lat.decodeToCanvas('/lats/rgb.lat', {options});"
    assert call(page, script)["error"] == error
    assert call(page, "return (await lat.decodeToImageData('/lats/rgb.lat')).height;") > 0


def test_bytes_and_blobs(page: Any, lats: Path) -> None:
    script = """
        const bytes = await (await fetch("/lats/rgb.lat")).arrayBuffer();
        const sources = [bytes, new Uint8Array(bytes), new Blob([bytes])];
        const images = await Promise.all(sources.map((one) => lat.decodeToImageData(one)));
        return [bytes.byteLength, ...images.map((image) => image.width)];
    """
    assert call(page, script) == [(lats / "rgb.lat").stat().st_size, 64, 64, 64]
