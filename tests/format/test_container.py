"""The container: what is written comes back, and nothing else is ever accepted."""

from __future__ import annotations

import dataclasses
import tracemalloc
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from latentcodec import errors
from latentcodec.errors import LatError
from latentcodec.format import container
from latentcodec.format.container import METADATA_CHUNKS, ChunkType, Colour, Header, LatFile

HEADER = Header(40, 24, Colour.RGB, 505, "TEST", b"\x01\x02\x03\x04")
TILE = bytes(range(40))
SMALL = LatFile(HEADER, [TILE], {ChunkType.ICC: b"profile", ChunkType.XMP: b"<x/>"})
DATA = container.write(LatFile(HEADER, [TILE], {}))


def sealed(body: bytes) -> bytes:
    """`body` and its CRC-32, as headers and chunks end."""
    return body + zlib.crc32(body).to_bytes(4, "little")


def header(at: int = 0, value: bytes = b"") -> bytes:
    """A header with `value` at an offset, under a checksum that fits."""
    head = bytearray(DATA[:20])
    head[at : at + len(value)] = value
    return sealed(bytes(head))


def chunk(kind: int, payload: bytes = b"") -> bytes:
    """A chunk of less than 128 bytes."""
    return sealed(bytes([kind, len(payload)]) + payload)


END = chunk(ChunkType.TILE, TILE)
ALPHA = chunk(ChunkType.ALPHA, b"\x00\x80")


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"width_px": 1, "height_px": 1},
        {"width_px": 65535, "height_px": 1024},
        {"colour": Colour.GREY},
        {"quality_tenths": 10},
        {"quality_tenths": 1000},
        {"model_code": "!~Z9", "weights_hash": b"\xff\x00\xff\x00"},
    ],
)
def test_header_comes_back(changed: dict[str, Any]) -> None:
    wanted = dataclasses.replace(HEADER, **changed)
    rows, columns = wanted.tile_grid
    data = container.write(LatFile(wanted, [b""] * (rows * columns), {}))
    assert container.read_header(data) == wanted
    assert container.read(data).header == wanted


def test_tiles_and_metadata_come_back_in_order() -> None:
    big = dataclasses.replace(HEADER, width_px=2049, height_px=1025)
    assert big.tile_grid == (2, 3)
    tiles, metadata = [bytes([n]) * n for n in range(6)], dict.fromkeys(METADATA_CHUNKS, b"m")
    file = LatFile(big, tiles, metadata)
    assert container.read(container.write(file)) == file
    for colour in (Colour.RGB_ALPHA, Colour.GREY_ALPHA):
        clear = dataclasses.replace(big, colour=colour)
        file = LatFile(clear, tiles, metadata, [bytes([9, n]) for n in range(6)])
        assert container.read(container.write(file)) == file


@pytest.mark.parametrize(
    ("pixels", "tiles"), [((1, 1), (1, 1)), ((1024, 1024), (1, 1)), ((1025, 1024), (1, 2))]
)
def test_tile_grid(pixels: tuple[int, int], tiles: tuple[int, int]) -> None:
    assert Header(*pixels, Colour.RGB, 500, "TEST", b"1234").tile_grid == tiles


@pytest.mark.parametrize(
    ("size", "overhead"),
    [(0, 30), (127, 30), (128, 31), (16383, 31), (16384, 32), ((1 << 21) - 1, 32), (1 << 21, 33)],
)
def test_overhead_of_a_single_tile_is_small(size: int, overhead: int) -> None:
    file = LatFile(HEADER, [bytes(size)], {})
    data = container.write(file)
    assert len(data) - size == overhead <= 40
    assert container.read(data) == file


BROKEN = {
    "no bytes at all": (b"", errors.NotALatFile),
    "another signature": (b"\x89PNG", errors.NotALatFile),
    "the signature's second byte is wrong": (b"\x93X", errors.NotALatFile),
    "a part of the signature": (b"\x93", errors.TruncatedFile),
    "a part of the header": (DATA[:23], errors.TruncatedFile),
    "a later version": (header(4, b"\x02") + END, errors.UnsupportedVersion),
    "version 0": (header(4, b"\x00") + END, errors.UnsupportedVersion),
    "header checksum": (DATA[:20] + b"\0\0\0\0" + END, errors.CorruptHeader),
    "unknown colour mode": (header(5, b"\x04") + END, errors.CorruptHeader),
    "quality below 1": (header(6, b"\x09\x00") + END, errors.CorruptHeader),
    "quality above 100": (header(6, b"\xe9\x03") + END, errors.CorruptHeader),
    "no width": (header(8, b"\0\0") + END, errors.CorruptHeader),
    "no height": (header(10, b"\0\0") + END, errors.CorruptHeader),
    "a space in the model code": (header(12, b" ") + END, errors.CorruptHeader),
    "a control character in the model code": (header(12, b"\x7f") + END, errors.CorruptHeader),
    "too many pixels": (header(8, b"\xff\xff\xff\xff") + END, errors.LimitExceeded),
    "no tile": (header(), errors.TruncatedFile),
    "a chunk's type alone": (header() + b"\x01", errors.TruncatedFile),
    "half a length": (header() + b"\x01\x80", errors.TruncatedFile),
    "half a payload": (header() + b"\x01\x02\x00", errors.TruncatedFile),
    "half a checksum": (DATA[:-1], errors.TruncatedFile),
    "chunk checksum": (DATA[:-1] + bytes([DATA[-1] ^ 1]), errors.CorruptChunk),
    "a length of six digits": (header() + b"\x01\x80\x80\x80\x80\x80\0", errors.CorruptChunk),
    "a length with a needless digit": (header() + sealed(b"\x01\x80\x00"), errors.CorruptChunk),
    "a length above the limit": (header() + b"\x01\x81\x80\x80\x08", errors.CorruptChunk),
    "metadata length above the limit": (header() + b"\x81\x81\x80\x80\x08", errors.CorruptChunk),
    "two profiles": (header() + 2 * chunk(ChunkType.ICC) + END, errors.CorruptChunk),
    "metadata among the tiles": (
        header(8, b"\x01\x04") + END + chunk(ChunkType.ICC) + END,
        errors.CorruptChunk,
    ),
    "an unknown required chunk": (header() + chunk(0x03) + END, errors.UnknownChunk),
    "alpha before its tile": (header(5, b"\x02") + ALPHA + END, errors.CorruptChunk),
    "alpha where there is none": (header() + END + ALPHA, errors.TrailingData),
    "no alpha where there should be": (header(5, b"\x02") + END, errors.TruncatedFile),
    "two tiles where alpha should be": (header(5, b"\x03") + END + END, errors.CorruptChunk),
    "alpha above the limit": (
        header(5, b"\x02") + END + b"\x02\x81\x80\x80\x01",
        errors.CorruptChunk,
    ),
    "a byte too many": (DATA + b"\0", errors.TrailingData),
    "a tile too many": (DATA + END, errors.TrailingData),
}


@pytest.mark.parametrize(("data", "kind"), BROKEN.values(), ids=BROKEN)
def test_broken_file_raises_its_own_error(data: bytes, kind: type[LatError]) -> None:
    with pytest.raises(kind) as caught:
        container.read(data)
    assert type(caught.value) is kind
    assert "\n" not in str(caught.value)


def test_every_class_for_broken_files_is_covered() -> None:
    """Those that `container.read` raises; the others have tests where they arise."""
    elsewhere = {
        errors.CorruptPayload,
        errors.CorruptAlpha,
        errors.UnknownModel,
        errors.CorruptWeights,
        errors.UnsupportedImage,
        errors.GoalMissed,
        errors.VerificationFailed,
    }
    assert {kind for _, kind in BROKEN.values()} == set(LatError.__subclasses__()) - elsewhere


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


@pytest.mark.parametrize("file", [SMALL, LatFile(HEADER, [TILE], {})], ids=["metadata", "bare"])
class TestEveryDamage:
    def test_every_truncation_is_noticed(self, file: LatFile) -> None:
        data = container.write(file)
        for length in range(1, len(data)):
            with pytest.raises(errors.TruncatedFile):
                container.read(data[:length])

    def test_every_flipped_bit_is_noticed(self, file: LatFile) -> None:
        data = container.write(file)
        for bit in range(8 * len(data)):
            with pytest.raises(LatError):
                container.read(flipped(data, bit))


def test_any_byte_in_a_sealed_header_is_read_or_refused() -> None:
    """Past the checksum, too, a reader meets nothing but legal values."""
    accepted = 0
    for at in range(20):
        for value in range(256):
            try:
                found = container.read_header(header(at, bytes([value])))
            except LatError:
                continue
            accepted += 1
            assert found.quality_tenths in container.QUALITY_TENTHS
            assert found.width_px and found.height_px
            assert found.model_code.isascii() and found.model_code.isprintable()
    assert accepted > 1000  # sides and hashes may have almost any value


def test_unknown_optional_chunks_are_skipped() -> None:
    data = header() + chunk(0x99, b"later") + chunk(ChunkType.XMP, b"x") + chunk(0xFF) + END
    assert container.read(data) == LatFile(HEADER, [TILE], {ChunkType.XMP: b"x"})


def test_metadata_may_come_in_any_order() -> None:
    kinds = [ChunkType.XMP, ChunkType.EXIF, ChunkType.ICC]
    data = header() + b"".join(chunk(kind, kind.name.encode()) for kind in kinds) + END
    assert container.read(data).metadata == {kind: kind.name.encode() for kind in kinds}


def peak_bytes(action: Callable[[], object]) -> int:
    """The most memory in use at once while `action` raises a LatError."""
    tracemalloc.start()
    try:
        with pytest.raises(LatError):
            action()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "data",
    [
        header() + b"\x01\x80\x80\x80\x08",  # 2 ** 24, the most that is legal
        header() + b"\x01\xff\xff\xff\xff\x7f",  # 2 ** 35 - 1
        header() + b"\x84\xff\xff\xff\x07",  # an unknown chunk to be skipped
        header(8, b"\x00\x40\x00\x40") + END,  # 255 more tiles of 1024 x 1024 px
    ],
)
def test_nothing_is_allocated_on_the_word_of_a_length(data: bytes) -> None:
    assert peak_bytes(lambda: container.read(data)) < 100_000


def test_a_reader_may_lower_the_pixel_limit() -> None:
    assert container.read(DATA, max_pixels=40 * 24) == LatFile(HEADER, [TILE], {})
    with pytest.raises(errors.LimitExceeded, match="40 x 24"):
        container.read(DATA, max_pixels=40 * 24 - 1)


@pytest.mark.parametrize(
    "file",
    [
        LatFile(dataclasses.replace(HEADER, width_px=65536), [TILE], {}),
        LatFile(dataclasses.replace(HEADER, height_px=0), [TILE], {}),
        LatFile(dataclasses.replace(HEADER, width_px=16385, height_px=16384), [TILE], {}),
        LatFile(HEADER, [TILE], {ChunkType.EXIF: bytes((1 << 24) + 1)}),
        LatFile(HEADER, [bytes((1 << 24) + 1)], {}),
    ],
    ids=["wide", "flat", "pixels", "metadata", "tile"],
)
def test_what_no_reader_would_accept_is_not_written(file: LatFile) -> None:
    with pytest.raises(errors.LimitExceeded):
        container.write(file)


def test_the_header_is_read_from_its_bytes_alone() -> None:
    assert container.read_header(memoryview(DATA)[: container.HEADER_BYTES]) == HEADER
    with pytest.raises(errors.TruncatedFile):
        container.read_header(DATA[: container.HEADER_BYTES - 1])
