"""Large pictures in the browser: tile by tile, a preview first, in bounded memory."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import latentcodec
from latentcodec.format.container import ChunkType
from tests.web.decoded import canvas_of, compare, with_chunk
from tests.web.served import call

pytestmark = pytest.mark.slow

_LARGE = 2600, 2300


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
    # The filters across the borders of blocks hold the pixels of a tile several times over.
    assert peak_kb(page) - before < 3 * canvas_kb + 150_000


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
