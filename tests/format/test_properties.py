"""What holds for every file, on files that hypothesis builds."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from latentcodec.errors import LatError
from latentcodec.format import container
from latentcodec.format.container import METADATA_CHUNKS, ChunkType, Colour, Header, LatFile
from tests.fuzz.mutations import sealed
from tests.steady import steady

pytestmark = pytest.mark.slow


# Lengths of one digit and of two.
PAYLOADS = st.one_of(st.binary(max_size=20), st.binary(min_size=120, max_size=140))


@st.composite
def headers(draw: st.DrawFn) -> Header:
    """Any header of at most 8 tiles."""
    sides = draw(st.sampled_from([(2048, 4096), (1024, 8192), (8192, 1024)]))
    return Header(
        draw(st.integers(1, sides[0])),
        draw(st.integers(1, sides[1])),
        draw(st.sampled_from(Colour)),
        draw(st.integers(10, 1000)),
        draw(
            st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=4, max_size=4)
        ),
        draw(st.binary(min_size=4, max_size=4)),
    )


@st.composite
def files(draw: st.DrawFn) -> LatFile:
    """Any file: payloads of chance, since nothing looks into them here."""
    header = draw(headers())
    tiles = header.tile_grid[0] * header.tile_grid[1]
    several = st.lists(PAYLOADS, min_size=tiles, max_size=tiles)
    return LatFile(
        header,
        draw(several),
        draw(st.dictionaries(st.sampled_from(METADATA_CHUNKS), PAYLOADS)),
        draw(several) if header.colour.has_alpha else [],
    )


def chunk(kind: int, payload: bytes) -> bytes:
    """A chunk of less than 2 ** 14 bytes, by the words of docs/format.md."""
    high, low = divmod(len(payload), 0x80)
    return sealed(bytes([kind, low | 0x80, high] if high else [kind, low]) + payload)


class TestContainer:
    @steady
    @given(files())
    def test_every_file_comes_back(self, file: LatFile) -> None:
        data = container.write(file)
        found = container.read(data)
        assert found == file
        assert container.write(found) == data
        assert container.read_metadata(data) == file.metadata

    @steady
    @given(files(), st.data())
    def test_changed_bytes_are_noticed(self, file: LatFile, data: st.DataObject) -> None:
        whole = container.write(file)
        start = data.draw(st.integers(0, len(whole) - 1))
        mask = data.draw(st.binary(min_size=1, max_size=8))
        changed = bytearray(whole)
        for place, bits in zip(range(start, len(whole)), mask, strict=False):
            changed[place] ^= bits
        assume(changed != whole)
        with pytest.raises(LatError):
            container.read(bytes(changed))

    @settings(steady, max_examples=400)
    @given(
        headers(),
        st.lists(
            st.tuples(st.sampled_from([0x81, 0x82, 0x83, 0x84, 0xFF, 0x03, 0x02, 0x01]), PAYLOADS),
            max_size=6,
        ),
        st.booleans(),
    )
    def test_chunks_are_taken_in_the_order_of_the_format_alone(
        self, header: Header, parts: list[tuple[int, bytes]], tiles_follow: bool
    ) -> None:
        """Any chunks under checksums that fit: the file is read if a pattern has their types."""
        wanted = header.tile_grid[0] * header.tile_grid[1]
        if tiles_follow:  # or else chance would hardly ever build a whole file
            parts = parts + [
                (int(kind), b"\0") for _ in range(wanted) for kind in header.tile_chunks
            ]
        letters = {0x01: "T", 0x02: "A", 0x03: "n", 0x81: "I", 0x82: "E", 0x83: "X"}
        letters |= {0x84: "P", 0x85: "R", 0x86: "S"}
        types = "".join(letters.get(kind, "o") for kind, _ in parts)
        tile = "TA" if header.colour.has_alpha else "T"
        once = "".join(f"(?!.*{kind}.*{kind})" for kind in "IEXPRS")
        legal = re.fullmatch(rf"{once}[IEXPRSo]*({tile}){{{wanted}}}", types)
        head = container.write(LatFile(header, [], {}))
        data = head + b"".join(chunk(*part) for part in parts)
        if not legal:
            with pytest.raises(LatError):
                container.read(data)
            return
        file = container.read(data)
        payloads = {kind: [p for k, p in parts if k == kind] for kind in ChunkType}
        assert (file.header, file.tiles) == (header, payloads[ChunkType.TILE])
        assert file.alphas == payloads[ChunkType.ALPHA]
        assert file.metadata == {k: payloads[k][0] for k in METADATA_CHUNKS if payloads[k]}
