"""Ways to change bytes: blindly, and along the fields of a file."""

from __future__ import annotations

import random
import struct
import zlib

from latentcodec.format import container

_EDGES = (0, 1, 2, 0x7F, 0x80, 0xFE, 0xFF)


def blind(data: bytes, chance: random.Random) -> bytes:
    """`data` with a few bytes flipped, replaced, removed, doubled or added."""
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 4, 16))):
        if not changed:
            return chance.randbytes(chance.randrange(9))
        at = chance.randrange(len(changed))
        length = chance.choice((1, 1, 2, 4, 16, 64))
        match chance.randrange(6):
            case 0:
                changed[at] ^= 1 << chance.randrange(8)
            case 1:
                changed[at] = chance.choice(_EDGES)
            case 2:
                changed[at : at + length] = chance.randbytes(len(changed[at : at + length]))
            case 3:
                del changed[at : at + length]
            case 4:
                changed[at:at] = chance.randbytes(length)
            case 5:
                changed[at:at] = changed[at : at + length] * chance.choice((1, 1, 8))
    return bytes(changed)


def sealed(body: bytes) -> bytes:
    return body + struct.pack("<I", zlib.crc32(body))


def header(good: bytes, chance: random.Random) -> bytes:
    """A header under a checksum that fits, with some of its fields changed."""
    head = bytearray(good[: container.HEADER_BYTES - 4])
    for _ in range(chance.randrange(1, 3)):
        at, size = chance.choice(((4, 1), (5, 1), (6, 2), (8, 2), (10, 2), (12, 4), (16, 4)))
        value = chance.choice((chance.randbytes(size), bytes(size), b"\xff" * size, b"\1\0\0\0"))
        head[at : at + size] = value[:size]
    if chance.random() < 0.7:  # so that it is read further
        head[4:6] = bytes([1, chance.randrange(4)])
        head[6:8] = struct.pack("<H", chance.randrange(10, 1001))
    return sealed(bytes(head))


def chunk(kind: int, payload: bytes, chance: random.Random) -> bytes:
    """A chunk under a checksum that fits; its length may be a lie, or written too long."""
    length, rest = bytearray(), len(payload)
    if chance.random() < 0.05:
        rest = chance.choice((0, 1, 1 << 21, 1 << 24, (1 << 24) + 1, (1 << 35) - 1))
    while rest >= 0x80:
        length.append(rest & 0x7F | 0x80)
        rest >>= 7
    length.append(rest)
    if chance.random() < 0.03:
        length[-1] |= 0x80
        length.append(0)
    return sealed(bytes([kind]) + bytes(length) + payload)


def chunks(data: bytes) -> list[container.Chunk]:
    """The chunks of a whole file."""
    found, at = [], container.HEADER_BYTES
    while at < len(data):
        chunk, at = container.read_chunk(memoryview(data), at)
        found.append(chunk)
    return found


def rebuilt(good: bytes, chance: random.Random) -> bytes:
    """A file of the chunks of a good one, some changed, moved, doubled or left out, with every
    checksum right: what a reader must refuse or understand."""
    parts = [(one.type, one.payload) for one in chunks(good)]
    for _ in range(chance.randrange(1, 4)):
        at = chance.randrange(len(parts) + 1)
        kind = chance.choice((1, 2, 3, 0x81, 0x82, 0x83, 0x84, 0xFF, chance.randrange(256)))
        match chance.randrange(5):
            case 0:
                parts.insert(at, (kind, chance.randbytes(chance.randrange(40))))
            case 1 if parts:
                parts.insert(at, chance.choice(parts))
            case 2 if parts:
                parts.pop(chance.randrange(len(parts)))
            case 3 if parts:
                place = chance.randrange(len(parts))
                parts[place] = (parts[place][0], blind(parts[place][1], chance))
            case 4 if parts:
                place = chance.randrange(len(parts))
                parts[place] = (kind, parts[place][1])
    head = header(good, chance) if chance.random() < 0.5 else good[: container.HEADER_BYTES]
    return head + b"".join(chunk(*part, chance) for part in parts)
