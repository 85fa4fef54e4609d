"""What is whole in a damaged file is saved, and what is not is named."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import latentcodec
from latentcodec import errors
from latentcodec.format import container
from latentcodec.format.container import TILE_PX, ChunkType, Colour, Header, LatFile, Region
from latentcodec.format.header import header_bytes
from latentcodec.format.recovery import Damage, recover
from latentcodec.images.canvas import ImageCanvas
from latentcodec.options import DecodeOptions
from latentcodec.pipeline.decoder import Decoded, decode
from tests.command_line import call

WIDTH, HEIGHT = TILE_PX + 76, 40
LEFT, RIGHT = Region(0, 0, TILE_PX, HEIGHT), Region(TILE_PX, 0, 76, HEIGHT)


@pytest.fixture(scope="module")
def picture(photo: np.ndarray) -> np.ndarray:
    """1100 x 40 px of RGBA: two tiles."""
    rgb = np.tile(photo[200:240], (1, 2, 1))[:, :WIDTH]
    alpha = np.broadcast_to((np.arange(WIDTH) % 251).astype(np.uint8), (HEIGHT, WIDTH))
    return np.dstack([rgb, alpha])


@pytest.fixture(scope="module")
def opaque(picture: np.ndarray) -> bytes:
    image = Image.fromarray(picture[..., :3])
    image.info["xmp"] = b"<x:xmpmeta/>"
    return latentcodec.encode(image, quality=40)


@pytest.fixture(scope="module")
def clear(picture: np.ndarray) -> bytes:
    return latentcodec.encode(picture, quality=40)


def salvage(data: bytes, region: Region | None = None) -> Decoded[Image.Image]:
    part = dataclasses.astuple(region) if region else None
    return decode(data, ImageCanvas, DecodeOptions(region=part, salvage=True))


def pixels(decoded: Decoded[Image.Image]) -> np.ndarray:
    return np.asarray(decoded.picture)


def chunk_starts(data: bytes) -> list[int]:
    """Where the chunks of a whole file begin, and its end."""
    starts = [container.HEADER_BYTES]
    while starts[-1] < len(data):
        starts.append(container.read_chunk(memoryview(data), starts[-1])[1])
    return starts


def changed(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :]


# The chunks of `opaque` are XMP, tile 0, tile 1.
DAMAGE: dict[str, tuple[Callable[[bytes, list[int]], bytes], list[Region]]] = {
    "payload of the first": (lambda d, s: changed(d, s[1] + 50), [LEFT]),
    "payload of the second": (lambda d, s: changed(d, s[2] + 50), [RIGHT]),
    "type of the first": (lambda d, s: changed(d, s[1]), [LEFT]),
    "length of the first": (lambda d, s: changed(d, s[1] + 1), [LEFT]),
    "length of the second": (lambda d, s: changed(d, s[2] + 1), [RIGHT]),
    "checksum of the second": (lambda d, s: changed(d, s[3] - 1), [RIGHT]),
    "bytes missing in it": (lambda d, s: d[: s[1] + 30] + d[s[1] + 43 :], [LEFT]),
    "bytes too many in it": (lambda d, s: d[: s[1] + 30] + bytes(9) + d[s[1] + 30 :], [LEFT]),
    "the first is missing": (lambda d, s: d[: s[1]] + d[s[1] + 1 : s[1] + 9] + d[s[2] :], [LEFT]),
    "junk before the first": (lambda d, s: d[: s[1]] + b"junk" + d[s[1] :], []),
    "the second is cut": (lambda d, s: d[: s[3] - 20], [RIGHT]),
    "the second is missing": (lambda d, s: d[: s[2]], [RIGHT]),
    "metadata's payload": (lambda d, s: changed(d, s[0] + 5), []),
    "metadata's type": (lambda d, s: changed(d, s[0]), []),
    "metadata's length": (lambda d, s: changed(d, s[0] + 1), []),
    "a byte too many": (lambda d, s: d + b"\1", []),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_whole_tiles_survive(opaque: bytes, name: str) -> None:
    damage, rectangles = DAMAGE[name]
    data, whole = damage(opaque, chunk_starts(opaque)), latentcodec.decode_array(opaque)
    with pytest.raises(errors.LatError):
        latentcodec.decode(data)
    salvaged = salvage(data)
    assert salvaged.damaged == rectangles
    assert salvaged.problems
    assert ("xmp" in salvaged.picture.info) != name.startswith("metadata")
    kept = {(): slice(None), (LEFT,): slice(TILE_PX, None), (RIGHT,): slice(0, TILE_PX)}
    columns = kept[tuple(rectangles)]
    difference = np.abs(pixels(salvaged).astype(int) - whole)[:, columns]
    border = 16 if rectangles else 0  # where the synthesis sees what is lost
    far = difference[:, border:] if rectangles == [LEFT] else difference[:, : -border or None]
    assert far.max() <= 4
    assert np.median(difference) <= 1


def test_the_hole_is_filled_from_beside_it(opaque: bytes) -> None:
    data = changed(opaque, chunk_starts(opaque)[2] + 50)
    found = pixels(salvage(data))
    assert np.array_equal(found[:, TILE_PX:], np.repeat(found[:, TILE_PX - 1 : TILE_PX], 76, 1))


def test_a_region_reports_what_it_shows(opaque: bytes) -> None:
    data = changed(opaque, chunk_starts(opaque)[2] + 50)
    beside = salvage(data, Region(900, 5, 100, 20))
    assert (beside.damaged, beside.problems) == ([], [])
    across = salvage(data, Region(1000, 5, 90, 20))
    assert across.damaged == [RIGHT]
    whole = pixels(salvage(data))[5:25, 1000:1090]
    assert np.abs(pixels(across).astype(int) - whole).max() <= 1
    alone = pixels(salvage(data, Region(1050, 0, 10, 10)))
    assert (alone == 128).all(), "where nothing is beside the hole it is grey"


def test_lost_transparency_is_opaque_and_colours_stay(clear: bytes, picture: np.ndarray) -> None:
    # tile, alpha, tile, alpha
    data = changed(clear, chunk_starts(clear)[1] + 5)
    salvaged = salvage(data)
    assert salvaged.damaged == [LEFT]
    assert "transparency" in salvaged.problems[0]
    found = pixels(salvaged)
    assert np.array_equal(found[..., :3], latentcodec.decode_array(clear)[..., :3])
    assert (found[:, :TILE_PX, 3] == 255).all()
    assert np.array_equal(found[:, TILE_PX:, 3], picture[:, TILE_PX:, 3])


def test_a_payload_that_only_the_decoder_sees_is_wrong(opaque: bytes) -> None:
    file = container.read(opaque)
    data = container.write(LatFile(file.header, [file.tiles[0], b"chance! " * 9], file.metadata))
    with pytest.raises(errors.CorruptPayload, match="76 x 40 px at 1024,0"):
        latentcodec.decode(data)
    assert salvage(data).damaged == [RIGHT]


def test_without_salvage_the_error_names_the_rectangle(opaque: bytes, clear: bytes) -> None:
    with pytest.raises(errors.CorruptChunk, match="1024 x 40 px at 0,0"):
        latentcodec.decode(changed(opaque, chunk_starts(opaque)[1] + 50))
    with pytest.raises(errors.TruncatedFile, match="76 x 40 px at 1024,0"):
        latentcodec.decode(opaque[:-5])
    file = container.read(clear)
    bad = LatFile(file.header, file.tiles, {}, [file.alphas[0], b"\7"])
    with pytest.raises(errors.CorruptAlpha, match="76 x 40 px at 1024,0"):
        latentcodec.decode(container.write(bad))


def test_what_cannot_be_saved_is_an_error(opaque: bytes) -> None:
    starts = chunk_starts(opaque)
    for data, kind in (
        (changed(opaque, 9), errors.CorruptHeader),
        (opaque[:20], errors.TruncatedFile),
        (opaque[: starts[1] + 9], errors.TruncatedFile),
        (b"\x89PNG", errors.NotALatFile),
    ):
        with pytest.raises(kind):
            salvage(data)
    with pytest.raises(errors.CorruptChunk, match=r"no tile of the file is whole: .* at 0,0"):
        salvage(changed(changed(opaque, starts[1] + 50), starts[2] + 50))
    with pytest.raises(errors.CorruptChunk, match="no tile"):
        file = container.read(opaque)
        salvage(container.write(LatFile(file.header, [b"", b""], {})))


def grid_file() -> tuple[bytes, list[bytes]]:
    """3 x 4 tiles with payloads that look like nothing."""
    random = np.random.default_rng(5)
    header = Header(4 * TILE_PX, 3 * TILE_PX, Colour.RGB, 500, "TEST", b"1234")
    tiles = [random.bytes(int(n)) for n in random.integers(100, 3000, 12)]
    return container.write(LatFile(header, tiles, {ChunkType.ICC: b"profile"})), tiles


@pytest.mark.parametrize("seed", range(300))
def test_tiles_are_never_put_in_another_place(seed: int) -> None:
    """Damage in a few places, half of it at the starts of chunks, and now and then the end cut
    off: what is recovered stands where it was."""
    data, tiles = grid_file()
    random = np.random.default_rng(seed)
    damaged, starts = bytearray(data), chunk_starts(data)
    count = int(random.integers(1, 5))
    places = random.integers(container.HEADER_BYTES, len(data), count)
    near = random.choice(starts[:-1], count) + random.integers(0, 3, count)
    for at in np.where(random.random(count) < 0.5, places, near):
        damaged[at : at + 8] = random.bytes(len(damaged[at : at + 8]))
    if random.random() < 0.2:
        del damaged[random.integers(container.HEADER_BYTES, len(data)) :]
    damage = Damage()
    file = recover(bytes(damaged), damage)
    saved = 0
    for number, tile in enumerate(file.tiles):
        if (number, ChunkType.TILE) not in damage.lost:
            assert tile == tiles[number]
            saved += 1
    if count == 1 and len(damaged) == len(data):  # it may lie across two chunks
        assert saved >= len(tiles) - 2


@pytest.mark.parametrize("apart", [0, 1 << 20], ids=["short", "long"])
def test_chunks_that_lead_past_each_other_take_no_longer(apart: int) -> None:
    """Whole chunks of no payload, and between them such as claim the next of them, or a megabyte:
    who follows each again from where it stands follows many millions."""
    header = header_bytes(Header(60, 40, Colour.RGB, 500, "HS02", b"hash"))
    tile = container.write(LatFile(Header(1, 1, Colour.RGB, 500, "HS02", b"hash"), [b""], {}))
    whole = tile[container.HEADER_BYTES :]
    damaged = bytes([1, 0x80, 0x80, 0x40]) if apart else bytes([1, len(whole) - 4])
    before = time.process_time()
    recover(header + (whole + damaged) * 60_000 + bytes(apart), Damage())
    assert time.process_time() - before < 30


def test_the_command(opaque: bytes, tmp_path: Path) -> None:
    good, bad, target = tmp_path / "good.lat", tmp_path / "bad.lat", tmp_path / "out.png"
    good.write_bytes(opaque)
    bad.write_bytes(changed(opaque, chunk_starts(opaque)[2] + 50))
    assert call("decode", good, target).exit_code == 0
    assert call("decode", "--salvage", good, target).exit_code == 0
    target.unlink()
    assert call("decode", bad, target).exit_code == 1
    assert not target.exists()
    result = call("decode", "--salvage", bad, target)
    assert result.exit_code == 3
    assert "76 x 40 px at 1024,0 is lost" in result.output
    assert Image.open(target).size == (WIDTH, HEIGHT)


def test_among_many_a_file_that_fails_counts_more(opaque: bytes, tmp_path: Path) -> None:
    (tmp_path / "bad.lat").write_bytes(opaque[:-5])
    (tmp_path / "worse.lat").write_bytes(b"no such file")
    out = tmp_path / "out"
    command = "decode", "--salvage", "-r", tmp_path, "-o", out
    assert call(*command).exit_code == 1
    assert [path.name for path in out.iterdir()] == ["bad.png"]
    (tmp_path / "worse.lat").unlink()
    assert call(*command).exit_code == 3
