"""EXIF blocks as cameras write them, and a reader that shares no code with the package."""

from __future__ import annotations

import struct

_SIZE = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 9: 4, 10: 8}
Entry = tuple[int, int, bytes]  # tag, type, value
Tags = dict[tuple[str, int], tuple[int, bytes]]


def directory(entries: list[Entry], offset: int, following: int = 0) -> bytes:
    """A little-endian directory that begins at an offset, its longer values behind it."""
    head, values = struct.pack("<H", len(entries)), b""
    start = offset + 2 + 12 * len(entries) + 4
    for tag, kind, value in sorted(entries):
        place = value.ljust(4, b"\0")
        if len(value) > 4:
            place = struct.pack("<I", start + len(values))
            values += value + bytes(len(value) % 2)
        head += struct.pack("<HHI", tag, kind, len(value) // _SIZE[kind]) + place
    return head + struct.pack("<I", following) + values


def block(main: list[Entry], exif: list[Entry], gps: list[Entry], thumbnail: bytes = b"") -> bytes:
    """A block whose directories stand one behind the other, and last its thumbnail."""
    pointers = [(0x8769, 4, bytes(4)), (0x8825, 4, bytes(4))]
    at_exif = 8 + len(directory([*main, *pointers], 8))
    at_gps = at_exif + len(directory(exif, at_exif))
    at_small = at_gps + len(directory(gps, at_gps))
    small = [
        (0x201, 4, struct.pack("<I", at_small + 30)),
        (0x202, 4, struct.pack("<I", len(thumbnail))),
    ]
    pointers = [(0x8769, 4, struct.pack("<I", at_exif)), (0x8825, 4, struct.pack("<I", at_gps))]
    data = b"II*\0" + struct.pack("<I", 8)
    data += directory([*main, *pointers], 8, at_small if thumbnail else 0)
    data += directory(exif, at_exif) + directory(gps, at_gps)
    return b"Exif\0\0" + data + (directory(small, at_small) + thumbnail if thumbnail else b"")


def read(data: bytes) -> Tags:
    """Every entry of the main, EXIF, GPS and thumbnail directories, by name and tag."""
    data, found = data.removeprefix(b"Exif\0\0"), {}
    order = "<" if data[:2] == b"II" else ">"

    def walk(name: str, offset: int) -> None:
        (count,) = struct.unpack_from(f"{order}H", data, offset)
        for at in range(offset + 2, offset + 2 + 12 * count, 12):
            tag, kind, items = struct.unpack_from(f"{order}HHI", data, at)
            size, place = _SIZE[kind] * items, at + 8
            if size > 4:
                (place,) = struct.unpack_from(f"{order}I", data, place)
            found[name, tag] = kind, data[place : place + size]
            if name == "main" and tag in (0x8769, 0x8825):
                below = {0x8769: "exif", 0x8825: "gps"}[tag]
                walk(below, struct.unpack(f"{order}I", data[place : place + 4])[0])
        (following,) = struct.unpack_from(f"{order}I", data, offset + 2 + 12 * count)
        if name == "main" and following:
            walk("thumbnail", following)

    walk("main", struct.unpack_from(f"{order}I", data, 4)[0])
    return found
