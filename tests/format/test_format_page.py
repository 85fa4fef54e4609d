"""docs/format.md against the code: its tables, its example, and its description of the coder.

`python -m tests.format.test_format_page FILE` prints the page's annotated dump of a small file.
"""

from __future__ import annotations

import bisect
import itertools
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from latentcodec import errors
from latentcodec.entropy.coder import SymbolEncoder, TableSet
from latentcodec.format import container
from latentcodec.format.container import ChunkType
from tests.paths import DOCS

PAGE = (DOCS / "format.md").read_text(encoding="utf-8")
TOTAL = 1 << 24


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def rows(text: str) -> list[list[str]]:
    """The cells of the tables in a text, without their heads."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    rules = [i for i, row in enumerate(cells) if set("".join(row)) == {"-"}]
    return [row for i, row in enumerate(cells) if i not in rules and i + 1 not in rules]


def annotated(data: bytes) -> str:
    """The dump of a file of one tile and no metadata, field by field."""
    file = container.read(data)
    head, (tile,) = file.header, file.tiles
    digits = len(data) - container.HEADER_BYTES - 1 - len(tile) - 4
    fields = [
        (4, "signature"),
        (1, f"version {container.VERSION}"),
        (1, f"colour mode {head.colour.value}: {head.colour.name.lower()}"),
        (2, f"quality {head.quality_tenths / 10:g}"),
        (2, f"width {head.width_px} px"),
        (2, f"height {head.height_px} px"),
        (4, f"model code {head.model_code}"),
        (4, f"weights hash {head.weights_hash.hex()}"),
        (4, "CRC-32 of the 20 bytes before"),
        (1, f"chunk type {ChunkType.TILE.name}"),
        (digits, f"payload length {len(tile)}"),
        *((min(8, len(tile) - at), "" if at else "payload") for at in range(0, len(tile), 8)),
        (4, f"CRC-32 of the {len(data) - container.HEADER_BYTES - 4} bytes before"),
    ]
    lines, at = ["```"], 0
    for size, text in fields:
        lines.append(f"{at:04x}  {data[at : at + size].hex(' '):<23}  {text}".rstrip())
        at += size
    assert at == len(data)
    return "\n".join([*lines, "```"])


def dump() -> str:
    return PAGE.split("<!-- hexdump -->\n")[1].split("\n<!-- /hexdump -->")[0]


def dumped() -> bytes:
    lines = re.findall(r"^([0-9a-f]{4})  ((?:[0-9a-f]{2} ?)+)", dump(), flags=re.MULTILINE)
    parts = [bytes.fromhex(text) for _, text in lines]
    starts = itertools.accumulate((len(part) for part in parts), initial=0)
    assert [int(at, 16) for at, _ in lines] == list(starts)[:-1]
    return b"".join(parts)


def test_the_example_is_a_file_and_says_what_is_in_it() -> None:
    assert dump() == annotated(dumped())
    header = container.read_header(dumped())
    assert (header.width_px, header.height_px) == (16, 16)
    assert header.colour is container.Colour.GREY
    assert header.quality_tenths == 500


def test_header_table_has_every_byte_once() -> None:
    fields = [(int(row[0]), int(row[1])) for row in rows(section("Header"))]
    assert [at for at, _ in fields] == list(
        itertools.accumulate((size for _, size in fields[:-1]), initial=0)
    )
    assert sum(fields[-1]) == container.HEADER_BYTES


def test_chunk_types_are_those_of_the_reader() -> None:
    found = {row[1].strip("`"): row for row in rows(section("Chunks")) if row[0].startswith("0x")}
    assert {name: int(row[0], 16) for name, row in found.items()} == {
        kind.name: kind.value for kind in ChunkType
    }
    assert found.pop("ALPHA")[3] == "2^21 bytes"
    assert found.pop("PREVIEW")[3] == "2^16 bytes"
    assert container.MAX_PREVIEW_BYTES == 1 << 16
    assert {row[3] for row in found.values()} == {"2^24 bytes"}
    assert container.MAX_TILE_BYTES == container.MAX_METADATA_BYTES == 1 << 24
    assert container.MAX_ALPHA_BYTES == 1 << 21


def test_limits_are_those_of_the_reader() -> None:
    limits = {row[0]: int(row[1].split()[0]) for row in rows(section("Limits"))}
    assert limits["a side"] == container.MAX_SIDE_PX
    assert limits["the picture"] == container.MAX_PIXELS
    assert limits["a payload"] == container.MAX_TILE_BYTES
    assert f"tiles of {container.TILE_PX} x {container.TILE_PX} pixels" in section("Chunks")


def test_every_error_has_its_line() -> None:
    named = {row[1].strip("`") for row in rows(section("Everything that can be wrong"))}
    known = {kind.__name__ for kind in errors.LatError.__subclasses__()}
    assert named == known - {"UnsupportedImage", "GoalMissed", "VerificationFailed"}
    for name in re.findall(
        r"`(\w*(?:Chunk|Header|File|Version|Payload|Model|Weights|Alpha))`", PAGE
    ):
        assert name in known


class PageDecoder:
    """Reads payloads as the page describes it, on Python's integers."""

    def __init__(self, payload: bytes, counts: list[list[int]]) -> None:
        """`counts`: of each table, for the magnitudes 0 to half and the escape."""
        words = [payload[i : i + 4] for i in range(0, len(payload), 4)]
        self.words = [int.from_bytes(word, "little") for word in words]
        self.state = 0
        while self.words and self.state < 1 << 32:
            self.state = self.state << 32 | self.words.pop()
        self.halves = [len(table) - 2 for table in counts]
        self.lefts = [self.intervals(table) for table in counts]

    @staticmethod
    def intervals(table: list[int]) -> list[int]:
        full = [*table[-2:0:-1], *table]
        before = itertools.accumulate(full[:-1], initial=0)
        return [c * (TOTAL - len(full)) // TOTAL + i for i, c in enumerate(before)] + [TOTAL]

    def symbol(self, left: list[int]) -> int:
        q = self.state % TOTAL
        i = bisect.bisect_right(left, q) - 1
        self.state = (self.state >> 24) * (left[i + 1] - left[i]) + q - left[i]
        if self.words and self.state < 1 << 32:
            self.state = self.state << 32 | self.words.pop()
        return i

    def call(self, tables: list[int]) -> list[int]:
        symbols, escaped = [0] * len(tables), []
        for place in sorted(range(len(tables)), key=lambda place: tables[place]):
            table = tables[place]
            if table:
                symbols[place] = self.symbol(self.lefts[table]) - self.halves[table]
                if symbols[place] > self.halves[table]:
                    escaped.append(place)
        for place in escaped:
            symbols[place] = self.symbol([*range(0, 65535 * 256, 256), TOTAL]) - 32767
        return symbols


@pytest.mark.parametrize("seed", range(5))
def test_the_coder_is_described_well_enough_to_be_written_again(seed: int) -> None:
    random = np.random.default_rng(seed)
    counts = []
    for half in (1, 1, 4, 30):
        tail = random.integers(1, 200_000, half + 1).tolist()  # magnitudes 1 to half, escape
        counts.append([TOTAL - 2 * sum(tail[:-1]) - tail[-1], *tail])
    halves = np.array([len(table) - 2 for table in counts], dtype=np.int32)
    encoder = SymbolEncoder(TableSet.symmetric(halves, np.concatenate(counts).astype(np.int32)))
    calls = []
    for size in (300, 1, 0, 200):
        tables = random.integers(0, 4, size).astype(np.uint8)
        symbols = random.integers(-halves[tables], halves[tables] + 1).astype(np.int32)
        far = random.random(size) < 0.05
        symbols[far] = random.choice([-32767, -31, 31, 32767], far.sum())
        symbols[tables == 0] = 0
        calls.append((symbols, tables))
        encoder.put(symbols, tables)
    decoder = PageDecoder(encoder.finish(), counts)
    for symbols, tables in calls:
        assert decoder.call(tables.tolist()) == symbols.tolist()
    assert (decoder.state, decoder.words) == (0x4C61, [])


if __name__ == "__main__":
    print(annotated(Path(sys.argv[1]).read_bytes()))
