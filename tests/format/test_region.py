"""Rectangles, held against the sets of their pixels."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from latentcodec.format.region import Region

SIDE = st.integers(0, 6)
REGIONS = st.builds(Region, SIDE, SIDE, SIDE, SIDE)


def pixels(region: Region) -> set[tuple[int, int]]:
    return {
        (x, y)
        for x in range(-20, 30)
        for y in range(-20, 30)
        if region.left <= x < region.right and region.top <= y < region.bottom
    }


@given(REGIONS, REGIONS)
def test_an_intersection_is_what_both_have(one: Region, other: Region) -> None:
    common = one.intersection(other)
    assert pixels(common) == pixels(one) & pixels(other)
    assert common.is_empty == (not pixels(common))


@given(REGIONS, SIDE, SIDE, st.integers(0, 9))
def test_pixels_of_it_and_around_it(one: Region, x: int, y: int, margin: int) -> None:
    assert one.contains(x, y) == ((x, y) in pixels(one))
    grown = one.grown(margin)
    assert (grown.left, grown.top) == (one.left - margin, one.top - margin)
    assert (grown.right, grown.bottom) == (one.right + margin, one.bottom + margin)


@given(REGIONS, REGIONS)
def test_counted_from_another(one: Region, other: Region) -> None:
    relative = one.relative_to(other)
    assert pixels(relative) == {(x - other.left, y - other.top) for x, y in pixels(one)}
