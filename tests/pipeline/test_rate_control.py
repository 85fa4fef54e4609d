"""Searches for a size and a fidelity: met where the scale allows, and said where it does not."""

from __future__ import annotations

import math

import pytest

from latentcodec.pipeline.rate_control import for_psnr, for_size


class FakeCodec:
    """Sizes that rise exponentially, with steps and a ripple; PSNR that rises linearly."""

    def __init__(self) -> None:
        self.calls = 0

    def encode(self, quality: float) -> bytes:
        self.calls += 1
        size = round(2000 * math.exp(quality / 30) + 8 * math.sin(quality))
        return bytes([round(quality * 10) % 256, round(quality * 10) // 256]).ljust(size)

    @staticmethod
    def psnr_db(data: bytes) -> float:
        return 25 + (data[0] + 256 * data[1]) / 50


@pytest.mark.parametrize("size", [2100, 3000, 9_999, 20_000, 55_000])
def test_a_size_is_met_from_below(size: int) -> None:
    codec = FakeCodec()
    found = for_size(codec.encode, size)
    assert found.reached
    assert 0.98 * size <= len(found.data) <= size
    assert len(found.data) == len(codec.encode(found.quality))
    assert codec.calls <= 9


def test_sizes_beyond_the_scale() -> None:
    codec = FakeCodec()
    small, large = for_size(codec.encode, 1000), for_size(codec.encode, 10**9)
    assert (small.reached, small.quality) == (False, 1)
    assert (large.reached, large.quality) == (True, 100)


@pytest.mark.parametrize("wanted", [25.0, 25.21, 33.333, 45.0])
def test_a_fidelity_is_met_by_the_lowest_quality(wanted: float) -> None:
    codec = FakeCodec()
    found = for_psnr(codec.encode, codec.psnr_db, wanted)
    assert found.reached
    assert codec.psnr_db(found.data) >= wanted
    if found.quality > 1:
        assert codec.psnr_db(codec.encode(found.quality - 0.1)) < wanted


def test_a_fidelity_that_falls_again_is_found() -> None:
    """As that of patterns of single lines does."""
    codec = FakeCodec()

    def psnr_db(data: bytes) -> float:
        return 40 - abs(codec.psnr_db(data) - 35)  # the most at quality 50

    found = for_psnr(codec.encode, psnr_db, 38)
    assert found.reached
    assert psnr_db(found.data) >= 38 and found.quality <= 50
    assert not for_psnr(codec.encode, psnr_db, 41).reached


def test_a_fidelity_beyond_the_scale() -> None:
    codec = FakeCodec()
    found = for_psnr(codec.encode, codec.psnr_db, 60)
    assert (found.reached, found.quality) == (False, 100)


class SlowCodec(FakeCodec):
    """Makes smaller files than the fast one, by a share that differs with the quality."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def finish(self, quality: float) -> bytes:
        self.calls += 1
        data = FakeCodec().encode(quality)
        return data[: round(len(data) * (self.share + 0.04 * math.cos(quality / 20)))]


@pytest.mark.parametrize("size", [2100, 3000, 9_999, 20_000, 40_000])
@pytest.mark.parametrize("share", [0.85, 0.95, 1.05])
def test_a_slow_encoder_meets_a_size_in_few_files(size: int, share: float) -> None:
    codec = SlowCodec(share)
    found = for_size(FakeCodec().encode, size, codec.finish)
    assert found.reached
    assert 0.98 * size <= len(found.data) <= size
    assert codec.calls <= 4
    assert found.data == codec.finish(found.quality)


def test_a_slow_encoder_beyond_the_scale() -> None:
    fast, codec = FakeCodec().encode, SlowCodec(0.9)
    small, large = for_size(fast, 1000, codec.finish), for_size(fast, 10**9, codec.finish)
    assert (small.reached, small.quality) == (False, 1)
    assert (large.reached, large.quality) == (True, 100)
    smallest = len(codec.finish(1))
    assert smallest < len(fast(1))
    assert for_size(fast, smallest, codec.finish).data == codec.finish(1)


@pytest.mark.parametrize("wanted", [25.9, 33.333, 44.9])
def test_a_slow_encoder_meets_a_fidelity_in_few_files(wanted: float) -> None:
    codec = SlowCodec(0.95)

    def psnr_db(data: bytes) -> float:
        slow = data in (codec.finish(q / 10) for q in (data[0] + 256 * data[1],))
        return codec.psnr_db(data) + 0.4 * slow

    found = for_psnr(FakeCodec().encode, psnr_db, wanted, codec.finish)
    assert found.reached
    assert wanted <= psnr_db(found.data) <= wanted + 0.05
