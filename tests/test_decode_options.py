"""`decode` on files from strangers: the limit of pixels, and what is left of damaged ones."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import latentcodec
from latentcodec import Codec, LatError, LossWarning
from latentcodec.errors import LimitExceeded
from latentcodec.format.container import HEADER_BYTES


def test_larger_pictures_are_refused(data: bytes) -> None:
    codec = Codec()
    for decode in (latentcodec.decode, codec.decode):
        assert decode(data, max_pixels=56 * 40).size == (56, 40)
        for options in ({}, {"region": (0, 0, 8, 8)}, {"scale": 16}):
            with pytest.raises(LimitExceeded, match="limit of 2239 pixels"):
                decode(data, max_pixels=56 * 40 - 1, **options)
    with pytest.raises(LimitExceeded):
        codec.decode_batch([data], max_pixels=2239)
    with pytest.raises(LimitExceeded):
        latentcodec.decode(data, max_pixels=2239, salvage=True)
    with pytest.raises(LimitExceeded):
        latentcodec.decode(data, max_pixels=0)


@pytest.fixture(scope="module")
def two_tiles(photo: np.ndarray) -> bytes:
    """A file of 1072 x 32 px whose second tile is damaged."""
    row = np.concatenate([photo[100:132], photo[300:332, :304]], axis=1)
    data = bytearray(latentcodec.encode(row, quality=40))
    data[-12] ^= 1
    return bytes(data)


def test_salvage_gives_what_is_left(two_tiles: bytes) -> None:
    with pytest.raises(LatError, match="1024,0"):
        latentcodec.decode(two_tiles)
    with pytest.warns(LossWarning, match="48 x 32 px at 1024,0 is lost") as said:
        image = latentcodec.decode(two_tiles, salvage=True)
    assert len(said) == 1
    assert said[0].filename == __file__, "the warning should point at the caller"
    assert image.size == (1072, 32)
    assert np.asarray(image).std() > 10
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        latentcodec.decode(two_tiles, region=(0, 0, 100, 32), salvage=True)


def test_salvage_of_a_whole_file_says_nothing(data: bytes) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        image = latentcodec.decode(data, salvage=True)
    assert np.array_equal(np.asarray(image), np.asarray(latentcodec.decode(data)))


def test_salvage_needs_a_header_and_a_tile(data: bytes) -> None:
    for damaged in (data[: HEADER_BYTES - 1], data[:HEADER_BYTES]):
        with pytest.raises(LatError):
            latentcodec.decode(damaged, salvage=True)
