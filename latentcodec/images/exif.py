"""EXIF blocks, edited where they lie: what is not touched keeps its bytes and its offsets.

A block is `Exif\\0\\0` and a TIFF file without pixels: directories of entries of 12 bytes, whose
longer values stand elsewhere in it (CIPA DC-008, 4.5 and 4.6). Notes of makers count their offsets
from the start of the block, so nothing in it may move.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator
from typing import Literal

PREFIX = b"Exif\0\0"
ORIENTATION = 0x112
EXIF_DIRECTORY, GPS_DIRECTORY, INTEROP_DIRECTORY = 0x8769, 0x8825, 0xA005
MAIN = 0  # the first directory, where no tag names it

_POINTERS = (EXIF_DIRECTORY, GPS_DIRECTORY, INTEROP_DIRECTORY)
_THUMBNAIL_START, _THUMBNAIL_LENGTH = 0x201, 0x202
_STRIPS = (0x111, 0x117)  # offsets and lengths of a thumbnail that is not compressed
# Bytes of an item of each type, from 1 on.
_SIZES = (1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4)
_ENTRY = 12
_MOST_DIRECTORIES = 16  # one after another: they may lead in circles


@dataclasses.dataclass(frozen=True)
class _Entry:
    """One of a directory: its tag, where it stands, and where its value does, if elsewhere."""

    tag: int
    at: int
    first: int  # of the value, or what it points at
    value: range


def with_prefix(block: bytes) -> bytes:
    """A block as JPEG has it, from one with or without its prefix."""
    while block.startswith(PREFIX):
        block = block[len(PREFIX) :]
    return PREFIX + block


def orientation(block: bytes) -> int:
    """1 to 8; 1 where it is missing, or cannot be read."""
    try:
        entries = _Block(block).entries(MAIN)
    except ValueError:
        return 1
    found = next((entry.first for entry in entries if entry.tag == ORIENTATION), 1)
    return found if found in range(1, 9) else 1


def has_entries(block: bytes) -> bool:
    """Whether the first directory holds anything. Raises ValueError."""
    return bool(_Block(block).entries(MAIN))


def only_orientation(block: bytes) -> bytes:
    """A block of the orientation alone, or nothing where that is the usual one."""
    turned = orientation(block)
    if turned == 1:
        return b""
    entry = ORIENTATION.to_bytes(2, "big") + b"\0\3" + b"\0\0\0\1" + bytes([0, turned, 0, 0])
    return PREFIX + b"MM\0*\0\0\0\x08" + b"\0\1" + entry + bytes(4)


def upright(block: bytes) -> bytes:
    """A block whose orientation, if it has one, is the usual one; else as it was. Raises
    ValueError for a block that cannot be read."""
    return block if orientation(block) == 1 else _Block(block).upright()


def without(block: bytes, tags: Collection[tuple[int, int]]) -> bytes:
    """A block without entries, each given by its directory (MAIN, or the tag that leads there) and
    its tag.

    What they point at is overwritten with zeros, where nothing else points at it, and cut off at
    the end. Raises ValueError for a block that cannot be read.
    """
    edited = _Block(block)
    if not any(tag in edited.tags(directory) for directory, tag in tags):
        return block
    before = edited.used()
    for directory in dict.fromkeys(directory for directory, _ in tags):
        edited.remove(directory, {tag for name, tag in tags if name == directory})
    return edited.erased(before)


def without_thumbnail(block: bytes) -> bytes:
    """A block without its second directory; raises as `without` does."""
    edited = _Block(block)
    before = edited.used()
    return edited.erased(before) if edited.end_main() else block


def _item_bytes(kind: int) -> int:
    """Bytes of an item of a type; 1 of one that is not known."""
    return _SIZES[kind - 1] if 0 < kind <= len(_SIZES) else 1


class _Block:
    """The TIFF data of a block, its directories found by the tags that lead there."""

    def __init__(self, block: bytes) -> None:
        self._data = bytearray(with_prefix(block)[len(PREFIX) :])
        order = {b"II": "little", b"MM": "big"}.get(bytes(self._data[:2]))
        self._order: Literal["little", "big"] = "big" if order == "big" else "little"
        if order is None or self._number(2, 2) != 42:
            raise ValueError("the EXIF data does not begin as TIFF data do")

    def _number(self, at: int, size: int) -> int:
        if at + size > len(self._data):
            raise ValueError("the EXIF data ends too early")
        return int.from_bytes(self._data[at : at + size], self._order)

    def _directory(self, start: int) -> list[_Entry]:
        count = self._number(start, 2)
        self._number(start + 2 + count * _ENTRY, 0)
        return [self._entry(start + 2 + number * _ENTRY) for number in range(count)]

    def _entry(self, at: int) -> _Entry:
        tag, kind, count = self._number(at, 2), self._number(at + 2, 2), self._number(at + 4, 4)
        item = _item_bytes(kind)
        first = self._number(at + 8, min(item, 4))
        size, start = item * count, self._number(at + 8, 4)
        inside = size > 4 and start + size <= len(self._data)
        return _Entry(tag, at, first, range(start, start + size) if inside else range(0))

    def _starts(self) -> dict[int, int]:
        """Where each directory begins."""
        starts, waiting = {MAIN: self._number(4, 4)}, [MAIN]
        while waiting:
            for entry in self._directory(starts[waiting.pop()]):
                if entry.tag in _POINTERS and entry.tag not in starts:
                    starts[entry.tag] = entry.first
                    waiting.append(entry.tag)
        return starts

    def entries(self, name: int) -> list[_Entry]:
        """Those of a directory, if it is there."""
        if name == MAIN:
            return self._directory(self._number(4, 4))
        starts = self._starts()
        return self._directory(starts[name]) if name in starts else []

    def tags(self, name: int) -> set[int]:
        return {entry.tag for entry in self.entries(name)}

    def used(self) -> bytearray:
        """1 for each byte that a directory is made of or points at."""
        mask = bytearray(len(self._data))
        mask[:8] = b"\1" * 8
        starts = list(self._starts().values())
        later = self._next(starts[0])
        while later and later not in starts and len(starts) < _MOST_DIRECTORIES:
            starts.append(later)
            later = self._next(later)
        end = 0
        pieces = (piece for start in starts for piece in self._pieces(start))
        for piece in sorted(pieces, key=lambda piece: piece.start):
            # Thousands of entries may point at the same megabytes: each byte is marked once.
            first = max(piece.start, end)
            end = max(piece.stop, end)
            mask[first:end] = b"\1" * max(end - first, 0)
        return mask

    def _next(self, start: int) -> int:
        """Where the directory after one begins; 0 where there is none."""
        end = start + 2 + self._number(start, 2) * _ENTRY
        return self._number(end, 4) if end + 4 <= len(self._data) else 0  # some leave it out

    def _pieces(self, start: int) -> Iterator[range]:
        """The bytes of a directory and of what it points at."""
        entries = self._directory(start)
        end = start + 2 + len(entries) * _ENTRY + 4
        yield range(start, min(end, len(self._data)))
        yield from (entry.value for entry in entries)
        first = {entry.tag: entry.first for entry in entries}
        for place, length in ((_THUMBNAIL_START, _THUMBNAIL_LENGTH), _STRIPS):
            if place in first and length in first:
                yield range(first[place], min(first[place] + first[length], len(self._data)))

    def remove(self, name: int, tags: Collection[int]) -> None:
        """Take entries out of a directory, which becomes shorter where it stands."""
        entries = self.entries(name)
        kept = [entry for entry in entries if entry.tag not in tags]
        if len(kept) == len(entries):
            return
        start = entries[0].at - 2
        end = entries[-1].at + _ENTRY
        stop = min(end + 4, len(self._data))
        body = len(kept).to_bytes(2, self._order)
        body += b"".join(self._data[entry.at : entry.at + _ENTRY] for entry in kept)
        body += self._data[end:stop]
        self._data[start:stop] = body.ljust(stop - start, b"\0")

    def upright(self) -> bytes:
        """The block with 1 as its orientation."""
        for entry in self.entries(MAIN):
            if entry.tag == ORIENTATION:
                size = min(_item_bytes(self._number(entry.at + 2, 2)), 4)
                at = entry.at + 8
                self._data[at : at + size] = (1).to_bytes(size, self._order)
        return PREFIX + bytes(self._data)

    def end_main(self) -> bool:
        """Let no directory follow the first. Returns whether one did."""
        start = self._number(4, 4)
        if not self._next(start):
            return False
        end = start + 2 + self._number(start, 2) * _ENTRY
        self._data[end : end + 4] = bytes(4)
        return True

    def erased(self, before: bytearray) -> bytes:
        """The block, with zeros for what was used before and is not any more."""
        now = self.used()
        for at, was in enumerate(before):
            if was and not now[at]:
                self._data[at] = 0
        end = len(self._data)
        while end and (end > len(before) or before[end - 1]) and not now[end - 1]:
            end -= 1
        return PREFIX + bytes(self._data[:end])
