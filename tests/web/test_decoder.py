"""latentcodec.js against the package: equal latents, pixels within a grey level, the errors."""

from __future__ import annotations

import io
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
from latentcodec.pipeline.decoder import family_of
from latentcodec.pipeline.latent_tiles import decode_latents
from tests.format.test_malformed import KIND_OF, PATHS, current
from tests.golden.write import FOLDER as GOLDEN
from tests.web.served import call, given

pytestmark = pytest.mark.slow

_KINDS = ["rgb", "smallest", "best", "odd", "pixel", "grey", "wide", "tall", "alpha", "grey-alpha"]
# Models whose networks are exact in float32.
_GOLDEN = sorted(path for kind in ("AE*", "VA*") for path in GOLDEN.glob(f"{kind}/*.lat"))
_LARGE = 2600, 2300


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


@pytest.fixture(scope="module")
def large(small: Path, lats: Path) -> bytes:
    """Nine tiles, of which those at the edges are smaller."""
    wave = np.add.outer(np.arange(_LARGE[1]) * 7, np.arange(_LARGE[0]) * 3) % 256
    picture = np.stack([wave, wave[::-1], wave // 2], 2).astype(np.uint8)
    data = latentcodec.encode(picture, model=latentcodec.register_weights(small), quality=30)
    (lats / "large.lat").write_bytes(data)
    return data


def test_tiles_have_no_seams(page: Any, large: bytes) -> None:
    compare(page, "/lats/large.lat", large)


_WATCH = """
    const drawn = [], plain = CanvasRenderingContext2D.prototype.drawImage;
    let ticks = 0;
    const clock = setInterval(() => ticks++);
    CanvasRenderingContext2D.prototype.drawImage = function (...all) {
      drawn.push([ticks, all[0].width, all[0].height, ...all.slice(1)]);
      return plain.apply(this, all);
    };
    try {
      await lat.decodeToCanvas(arguments[0], document.createElement("canvas"));
    } finally {
      CanvasRenderingContext2D.prototype.drawImage = plain;
      clearInterval(clock);
    }
    return drawn;
"""


def test_a_large_picture_appears_tile_by_tile(page: Any, large: bytes) -> None:
    drawn = call(page, _WATCH, "/lats/large.lat")
    assert len(drawn) == 9
    assert sum(width * height for _, width, height, *_ in drawn) == _LARGE[0] * _LARGE[1]
    assert drawn[0][3:] == [0, 0]
    ticks = [one[0] for one in drawn]
    assert ticks == sorted(ticks) and ticks[-1] > ticks[0], "the page goes on meanwhile"


@pytest.mark.parametrize("kind", ["lossy", "lossless", "with alpha", "too large", "no picture"])
def test_a_preview_is_there_first(page: Any, large: bytes, lats: Path, kind: str) -> None:
    size = (400, 300) if kind == "too large" else (250, 221)
    mode, colour = ("RGBA", (9, 99, 9, 99)) if kind == "with alpha" else ("RGB", (9, 99, 9))
    image = Image.new(mode, size, colour)
    stream = io.BytesIO()
    image.save(stream, "WEBP", lossless=kind == "lossless")
    preview = b"RIFF, or nothing at all of that kind" if kind == "no picture" else stream.getvalue()
    (lats / "before.lat").write_bytes(with_chunk(large, ChunkType.PREVIEW, preview))
    drawn = call(page, _WATCH, "/lats/before.lat")
    if kind in ("too large", "no picture"):
        assert len(drawn) == 9
    else:
        assert drawn[0][1:] == [*size, 0, 0, *_LARGE] and len(drawn) == 10


def peak_kb(page: Any) -> int:
    """The most memory that a process of the browser has had."""
    processes = Path("/proc").glob("[0-9]*/status")
    own = {page.service.process.pid}
    peaks = []
    for status in sorted(processes, key=lambda path: int(path.parent.name)):
        fields = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
        if int(fields["PPid"]) in own:
            own.add(int(fields["Pid"]))
            peaks.append(int(fields.get("VmHWM", "0 kB").split()[0]))
    return max(peaks)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_memory_is_bounded(page: Any, large: bytes) -> None:
    """A picture of nine tiles needs its canvas and no more than a few tiles beside it."""
    canvas_of(page, "/lats/wide.lat")
    before = peak_kb(page)
    script = """
        const canvas = document.createElement("canvas"), shown = [];
        await lat.decodeToCanvas("/lats/large.lat", canvas);
        return [canvas.width, canvas.height];
    """
    assert call(page, script) == list(_LARGE)
    canvas_kb = 4 * _LARGE[0] * _LARGE[1] // 1024
    assert peak_kb(page) - before < 3 * canvas_kb + 100_000


def test_a_picture_can_be_stopped(page: Any, large: bytes) -> None:
    script = """
        const stop = new AbortController(), canvas = document.createElement("canvas");
        const options = {signal: stop.signal, onFacts: () => stop.abort()};
        const first = await lat.decodeToCanvas("/lats/large.lat", canvas, options).catch(
          (error) => error.name);
        const image = await lat.decodeToImageData("/lats/rgb.lat");
        return [first, image.width];
    """
    assert call(page, script) == ["AbortError", 64]


def test_a_limit_of_pixels(page: Any, lats: Path) -> None:
    script = "return lat.decodeToImageData('/lats/rgb.lat', {maxPixels: 100});"
    assert call(page, script)["error"] == "LimitExceeded"


def test_bytes_and_blobs(page: Any, lats: Path) -> None:
    script = """
        const bytes = await (await fetch("/lats/rgb.lat")).arrayBuffer();
        const sources = [bytes, new Uint8Array(bytes), new Blob([bytes])];
        const images = await Promise.all(sources.map((one) => lat.decodeToImageData(one)));
        return [bytes.byteLength, ...images.map((image) => image.width)];
    """
    assert call(page, script) == [(lats / "rgb.lat").stat().st_size, 64, 64, 64]
