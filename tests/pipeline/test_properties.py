"""What holds for all transparency, on planes that hypothesis builds."""

from __future__ import annotations

import zlib

import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentcodec.errors import CorruptAlpha
from latentcodec.pipeline.alpha import decode_alpha, encode_alpha
from tests.steady import steady

pytestmark = pytest.mark.slow


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
