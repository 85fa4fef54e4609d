"""What must hold for every input, on inputs that hypothesis builds: the same ones in every run."""

from __future__ import annotations

import contextlib
import re
import zlib

import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from PIL import Image

from latentcodec.entropy.coder import SymbolDecoder, SymbolEncoder, TableSet
from latentcodec.entropy.tables import (
    SCALE_COUNT,
    SYMBOL_LIMIT,
    TOTAL_BITS,
    half_width,
    measured_mass,
    packed,
)
from latentcodec.errors import CorruptAlpha, CorruptPayload, LatError
from latentcodec.format import container
from latentcodec.format.container import METADATA_CHUNKS, ChunkType, Colour, Header, LatFile
from latentcodec.images import metadata
from latentcodec.pipeline.alpha import decode_alpha, encode_alpha
from tests.fuzz.mutations import sealed

pytestmark = pytest.mark.slow

steady = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow],  # the machine may be busy
)

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


SHAPES = arrays.array_shapes(min_dims=2, max_dims=2, max_side=24)
PLANES = st.one_of(
    arrays.arrays(np.uint8, SHAPES),
    arrays.arrays(np.uint8, SHAPES, elements=st.sampled_from([0, 128, 255])),
)


class TestAlpha:
    @steady
    @given(PLANES)
    def test_every_plane_comes_back(self, plane: np.ndarray) -> None:
        assert np.array_equal(decode_alpha(encode_alpha(plane), *plane.shape), plane)

    @steady
    @given(PLANES, st.data())
    def test_filters_are_those_of_the_format(self, plane: np.ndarray, data: st.DataObject) -> None:
        """Any rows under any filters, undone one sample at a time."""
        height, width = plane.shape
        filters = data.draw(st.lists(st.integers(0, 2), min_size=height, max_size=height))
        rows = b"".join(
            bytes([kind]) + row.tobytes() for kind, row in zip(filters, plane, strict=True)
        )
        wanted = np.zeros((height, width), dtype=int)
        for (y, x), residual in np.ndenumerate(plane):
            left, up = (wanted[y, x - 1] if x else 0), (wanted[y - 1, x] if y else 0)
            wanted[y, x] = (int(residual) + (0, left, up)[filters[y]]) % 256
        assert np.array_equal(decode_alpha(b"\1" + zlib.compress(rows), height, width), wanted)

    @steady
    @given(PLANES, st.binary(max_size=40), st.integers(1, 9), st.integers(1, 9))
    def test_other_payloads_are_refused_or_fill_the_tile(
        self, plane: np.ndarray, payload: bytes, height: int, width: int
    ) -> None:
        for one in (payload, b"\1" + zlib.compress(payload), encode_alpha(plane)):
            try:
                found = decode_alpha(one, height, width)
            except CorruptAlpha:
                continue
            assert found.shape == (height, width)
            assert found.dtype == np.uint8


@st.composite
def tables(draw: st.DrawFn) -> TableSet:
    """Any tables, of 1 to 5 symbols that begin anywhere; the first is not coded."""
    lows, sizes, counts = [], [], []
    for _ in range(draw(st.integers(2, 5))):
        sizes.append(draw(st.integers(1, 5)))
        lows.append(draw(st.integers(-SYMBOL_LIMIT, SYMBOL_LIMIT - 5)))
        cuts = st.integers(1, (1 << TOTAL_BITS) - 1)
        chosen = draw(st.lists(cuts, min_size=sizes[-1], max_size=sizes[-1], unique=True))
        counts += np.diff([0, *sorted(chosen), 1 << TOTAL_BITS]).tolist()
    return TableSet(*(np.array(a, dtype=np.int32) for a in (lows, sizes, counts)))


@st.composite
def coded(draw: st.DrawFn, chosen: TableSet) -> list[tuple[np.ndarray, np.ndarray]]:
    """Calls of a coder: symbols, near their tables or anywhere, and the table of each."""
    calls = []
    for count in draw(st.lists(st.integers(0, 12), min_size=1, max_size=3)):
        table = np.array(
            [draw(st.integers(0, len(chosen.sizes) - 1)) for _ in range(count)], dtype=np.uint16
        )
        far = st.integers(-SYMBOL_LIMIT, SYMBOL_LIMIT)
        symbols = [
            0
            if t == 0
            else draw(st.one_of(st.integers(int(chosen.lows[t]), int(chosen.lows[t]) + 4), far))
            for t in table
        ]
        calls.append((np.array(symbols, dtype=np.int32), table))
    return calls


class TestCoder:
    @steady
    @given(st.data())
    def test_all_symbols_come_back_under_all_tables(self, data: st.DataObject) -> None:
        chosen = data.draw(tables())
        calls = data.draw(coded(chosen))
        encoder = SymbolEncoder(chosen)
        for symbols, table in calls:
            encoder.put(symbols, table)
        payload = encoder.finish()
        decoder = SymbolDecoder(payload, chosen)
        for symbols, table in calls:
            assert np.array_equal(decoder.get(table), symbols)
        decoder.finish()

    @steady
    @given(st.data(), st.binary(max_size=64))
    def test_any_payload_gives_symbols_or_an_error(
        self, data: st.DataObject, payload: bytes
    ) -> None:
        chosen = data.draw(tables())
        wanted = np.array([1, 0, *range(len(chosen.sizes))] * 5, dtype=np.uint16)
        with contextlib.suppress(CorruptPayload):
            decoder = SymbolDecoder(payload, chosen)
            assert np.abs(decoder.get(wanted)).max() <= SYMBOL_LIMIT
            decoder.finish()

    @steady
    @given(st.integers(0, SCALE_COUNT - 1), st.data())
    def test_whatever_was_seen_the_tables_are_valid(self, index: int, data: st.DataObject) -> None:
        """Histograms of any shape and size, of nothing and of one value seen 10^12 times."""
        seen = np.zeros(half_width(index) + data.draw(st.integers(1, 50)), dtype=np.int64)
        places = st.integers(0, len(seen) - 1)
        for place, count in data.draw(st.dictionaries(places, st.integers(0, 10**12))).items():
            seen[place] = count
        made = TableSet.symmetric(*packed([measured_mass(index, seen)]))
        counts = made.counts(0)
        assert (counts.sum(), counts.min() >= 1) == (1 << TOTAL_BITS, True)
        assert np.array_equal(counts[:-1], counts[-2::-1])


PIECES = st.sampled_from(
    [
        b"<x:xmpmeta",
        b' exif:GPSLatitude="1,2N"',
        b" gps:x='3'",
        b">",
        b"<exif:GPSAltitude>2</exif:GPSAltitude>",
        b"<a:gps/>",
        b" GPS ",
        b"Gps\0",
        b"<dc:title>",
        b"</dc:title>",
        b"/>",
    ]
)
XMP = st.lists(st.one_of(PIECES, st.binary(max_size=5)), max_size=12).map(b"".join)
TAGS = st.dictionaries(
    st.sampled_from([0x010E, 0x010F, 0x0131]),
    st.text(st.characters(codec="ascii", exclude_characters="\0"), min_size=1, max_size=9),
)


def exif_bytes(tags: dict[int, str], orientation: int | None, placed: bool) -> bytes:
    exif = Image.Exif()
    for tag, value in tags.items():
        exif[tag] = value
    if orientation is not None:
        exif[0x0112] = orientation
    if placed:
        exif.get_ifd(0x8825)[1] = "N"
    return exif.tobytes()


class TestMetadata:
    @steady
    @given(XMP, TAGS, st.none() | st.integers(1, 8), st.booleans())
    def test_no_place_is_left(
        self, xmp: bytes, tags: dict[int, str], orientation: int | None, placed: bool
    ) -> None:
        payloads = {
            ChunkType.EXIF: exif_bytes(tags, orientation, placed),
            ChunkType.XMP: xmp,
            ChunkType.ICC: b"profile",
        }
        kept = metadata.stripped(payloads, ["gps"])
        assert b"gps" not in kept.get(ChunkType.XMP, b"").lower()
        assert kept[ChunkType.ICC] == b"profile"
        left = Image.Exif()
        left.load(kept.get(ChunkType.EXIF, b""))
        assert 0x8825 not in left
        assert {tag: left[tag] for tag in tags} == tags
        assert left.get(0x0112) == orientation
        assert metadata.stripped(kept, ["gps"]) == kept
        if not re.search(rb"gps|\0", xmp, re.IGNORECASE) and xmp:
            assert kept[ChunkType.XMP] == xmp

    @steady
    @given(TAGS, st.none() | st.integers(0, 9), st.booleans())
    def test_of_all_only_a_turn_is_left(
        self, tags: dict[int, str], orientation: int | None, placed: bool
    ) -> None:
        payloads = {ChunkType.EXIF: exif_bytes(tags, orientation, placed), ChunkType.XMP: b"<x/>"}
        kept = metadata.stripped(payloads, ["all"])
        turned = orientation in range(2, 9)
        assert set(kept) == ({ChunkType.EXIF} if turned else set())
        if turned:
            left = Image.Exif()
            left.load(kept[ChunkType.EXIF])
            assert dict(left) == {0x0112: orientation}
