"""Options of a wrong kind are refused, and not taken for what they might mean."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

import latentcodec
from latentcodec import Codec
from latentcodec.files.options import DecodeFileOptions, EncodeFileOptions
from latentcodec.options import DecodeOptions, EncodeOptions

CLASSES = (EncodeOptions, EncodeFileOptions, DecodeOptions, DecodeFileOptions)
NOT_CHECKED = ("scale", "format", "runtime")  # before a file is read
VALUED = [
    (kind, field.name)
    for kind in CLASSES
    for field in dataclasses.fields(kind)
    if not isinstance(field.default, bool) and field.name not in NOT_CHECKED
]


@pytest.mark.parametrize(("kind", "name"), VALUED)
def test_true_is_no_value(kind: type, name: str) -> None:
    """Which is 1 to Python, and so a quality, a size and an effort."""
    with pytest.raises(ValueError, match=r"\w"):
        kind(**{name: True})


def test_true_is_no_scale_and_no_number_of_threads(data: bytes) -> None:
    with pytest.raises(ValueError, match="scale"):
        latentcodec.decode(data, scale=True)
    with pytest.raises(ValueError, match="threads"):
        Codec(threads=True)


@pytest.mark.parametrize(
    "options",
    [
        {"target_size": 1.5},
        {"resize": (20.5, 0)},
        {"resize": (True, 0)},
        {"resize": "20"},
        {"effort": 2.5},
    ],
)
def test_parts_of_a_whole_are_not_cut_off(options: Any) -> None:
    with pytest.raises(ValueError, match=r"whole number|a size is"):
        EncodeOptions(**options)


@pytest.mark.parametrize("region", [(0, 0, 9.5, 8), (0, 0, True, 8), "0088", ("0", "0", "8", "8")])
def test_a_region_is_of_whole_numbers(region: Any) -> None:
    with pytest.raises(ValueError, match="a region is"):
        DecodeOptions(region=region)


def test_whole_numbers_of_any_type_are_taken(data: bytes) -> None:
    torch, np = pytest.importorskip("torch"), pytest.importorskip("numpy")
    for region in (np.array([0, 0, 8, 4]), np.array([0.0, 0, 8, 4]), torch.tensor([0, 0, 8, 4])):
        assert latentcodec.decode(data, region=region).size == (8, 4)
    assert EncodeOptions(target_size=60e3).target_size == 60000  # type: ignore[arg-type]
    assert EncodeOptions(target_size=np.int64(60)).target_size == 60
