"""Files of one size by codecs whose settings are coarse, or end before that size."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pytest
from PIL import Image

from latentcodec.bench.codecs import Codec
from latentcodec.bench.matching import match_sizes, unlike

_FINE = tuple(1000 * 1.004**step for step in range(800))


@dataclasses.dataclass(frozen=True)
class _Sized:
    """A codec whose settings are the sizes of its files."""

    name: str
    fine_settings: Sequence[float]

    @property
    def label(self) -> str:
        return self.name

    @property
    def settings(self) -> Sequence[float]:
        return self.fine_settings

    def missing(self) -> str | None:
        return None

    def version(self) -> str:
        return "1"

    def encode(self, image: Image.Image, setting: float) -> bytes:
        return bytes(round(setting))

    def decode(self, data: bytes) -> Image.Image:
        return Image.new("RGB", (100, 80))


def _sizes(wanted: float, *codecs: Codec) -> list[int]:
    matches = match_sizes(codecs, Image.new("RGB", (100, 80)), wanted)
    assert (unlike(matches) is None) == (
        max(len(match.data) for match in matches)
        <= 1.02 * min(len(match.data) for match in matches)
    )
    return [len(match.data) for match in matches]


def _steps(first: float, factor: float, count: int) -> tuple[float, ...]:
    return tuple(first * factor**step for step in range(count))


def test_the_coarsest_codec_chooses_the_size() -> None:
    """Its steps of 7 % and those of 3 % of another one meet nowhere near what is wanted."""
    coarse, middle = _Sized("coarse", _steps(4000, 1.07, 12)), _Sized("m", _steps(3000, 1.03, 60))
    sizes = _sizes(5070, _Sized("fine", _FINE), middle, coarse)
    assert max(sizes) <= 1.02 * min(sizes)
    assert sizes[2] in {round(size) for size in coarse.fine_settings}


@pytest.mark.parametrize("wanted", [100, 90_000])
def test_a_codec_that_ends_before_the_size_chooses_it(wanted: float) -> None:
    short = _Sized("short", _steps(6000, 1.001, 50))
    sizes = _sizes(wanted, _Sized("fine", _FINE), short)
    assert max(sizes) <= 1.02 * min(sizes)
    assert 6000 <= sizes[1] <= 6310


def test_sizes_that_cannot_meet_are_as_near_as_they_go_and_told() -> None:
    apart = _Sized("one", [4000, 9000]), _Sized("two", [5000, 20000])
    matches = match_sizes(apart, Image.new("RGB", (100, 80)), 9500)
    assert [len(match.data) for match in matches] == [4000, 5000]
    assert unlike(matches) == (
        "the codecs cannot meet one size within 2 %; nearest, in bits per pixel: "
        "one 4.000, two 5.000"
    )
