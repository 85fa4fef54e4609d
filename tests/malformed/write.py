"""Writes tests/malformed: a small file for each way in which a `.lat` file can be wrong.

`python -m tests.malformed.write` writes those that are missing. The table of docs/format.md says
what is wrong with each and which error it raises.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np

import latentcodec
from latentcodec.format import container
from latentcodec.format.container import ChunkType

FOLDER = Path(__file__).parent


def sealed(body: bytes) -> bytes:
    """`body` and its CRC-32, as headers and chunks end."""
    return body + struct.pack("<I", zlib.crc32(body))


def chunk(kind: int, payload: bytes = b"") -> bytes:
    """A chunk of less than 128 bytes."""
    return sealed(bytes([kind, len(payload)]) + payload)


def with_field(good: bytes, at: int, value: bytes) -> bytes:
    """A good file with `value` at an offset of its header, under a checksum that fits."""
    head = bytearray(good[:20])
    head[at : at + len(value)] = value
    return sealed(bytes(head)) + good[24:]


def headers(good: bytes) -> dict[str, bytes]:
    """Files whose header is wrong; `good`: a file of 16 x 16 grey pixels."""
    return {
        "empty": b"",
        "signature": b"\x89PNG" + good[4:],
        "cut-in-header": good[:23],
        "version": with_field(good, 4, b"\x02"),
        "header-checksum": good[:20] + bytes(4) + good[24:],
        "colour-mode": with_field(good, 5, b"\x04"),
        "quality-0.9": with_field(good, 6, struct.pack("<H", 9)),
        "quality-100.1": with_field(good, 6, struct.pack("<H", 1001)),
        "no-width": with_field(good, 8, bytes(2)),
        "no-height": with_field(good, 10, bytes(2)),
        "model-code": with_field(good, 12, b"\n"),
        "pixels": with_field(good, 8, struct.pack("<HH", 60000, 60000)),
        "unknown-model": with_field(good, 12, b"NONE"),
        "unknown-weights": with_field(good, 16, bytes(4)),
    }


def chunks(good: bytes) -> dict[str, bytes]:
    """Files whose chunks are wrong."""
    head, tile = good[:24], good[24:]
    wide = with_field(good, 8, struct.pack("<H", 1025))[:24]  # of two tiles
    clear = with_field(good, 5, b"\x03")[:24]  # with alpha
    alpha = chunk(ChunkType.ALPHA, b"\x00\x80")
    profile = chunk(ChunkType.ICC, b"profile")
    return {
        "cut-before-tile": head,
        "cut-in-length": head + b"\x01\x80",
        "cut-in-payload": good[:-10],
        "cut-in-checksum": good[:-1],
        "cut-between-tiles": wide + tile,
        "cut-before-alpha": clear + tile,
        "length-of-six-bytes": head + b"\x01\x80\x80\x80\x80\x80\x00",
        "length-not-shortest": head + sealed(b"\x01\x80\x00"),
        "length-of-tile": head + b"\x01\x81\x80\x80\x08",
        "length-of-alpha": clear + tile + b"\x02\x81\x80\x80\x01",
        "length-of-preview": head + b"\x87\x81\x80\x04",
        "length-of-metadata": head + b"\x82\x81\x80\x80\x08",
        "tile-checksum": good[:-4] + bytes(4),
        "alpha-checksum": clear + tile + alpha[:-4] + bytes(4),
        "metadata-checksum": head + profile[:-4] + bytes(4) + tile,
        "two-profiles": head + profile + profile + tile,
        "alpha-first": clear + alpha + tile,
        "profile-after-tile": wide + tile + profile + tile,
        "tile-for-alpha": clear + tile + tile,
        "too-many-chunks": head + chunk(0xFF) * (container.MAX_METADATA_CHUNKS + 1) + tile,
        "unknown-chunk": head + chunk(0x03) + tile,
        "trailing-byte": good + b"\0",
        "trailing-alpha": good + alpha,
    }


def payloads(good: bytes) -> dict[str, bytes]:
    """Files whose checksums fit, but whose payloads no encoder wrote."""
    head, words = good[:24], container.read(good).tiles[0]
    clear = with_field(good, 5, b"\x03")[:24] + good[24:]
    rows = bytes(16 * 17)  # filter 0 and samples 0

    def alpha(payload: bytes) -> bytes:
        return clear + chunk(ChunkType.ALPHA, payload)

    return {
        "payload-odd-length": head + chunk(ChunkType.TILE, words + b"\x01"),
        "payload-zero-word": head + chunk(ChunkType.TILE, words + bytes(4)),
        "payload-empty": head + chunk(ChunkType.TILE),
        "payload-of-chance": head + chunk(ChunkType.TILE, b"chance! " * 4),
        "alpha-empty": alpha(b""),
        "alpha-coding": alpha(b"\x02\x80"),
        "alpha-stream": alpha(b"\x01\x80\x80"),
        "alpha-cut": alpha(b"\x01" + zlib.compress(rows)[:-1]),
        "alpha-short": alpha(b"\x01" + zlib.compress(rows[:-1])),
        "alpha-long": alpha(b"\x01" + zlib.compress(rows + b"\0")),
        "alpha-bomb": alpha(b"\x01" + zlib.compress(bytes(100_000), 9)),
        "alpha-trailing": alpha(b"\x01" + zlib.compress(rows) + b"\0"),
        "alpha-filter": alpha(b"\x01" + zlib.compress(b"\x03" + rows[1:])),
    }


def files() -> dict[str, bytes]:
    """All of them by name, made with the packaged default model."""
    good = latentcodec.encode(np.zeros((16, 16), dtype=np.uint8))
    return headers(good) | chunks(good) | payloads(good)


if __name__ == "__main__":
    for name, data in files().items():
        path = FOLDER / f"{name}.lat"
        if not path.exists():
            path.write_bytes(data)
