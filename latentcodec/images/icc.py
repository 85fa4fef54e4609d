"""Small ICC profiles, written from a curve and primaries (ICC.1:2022, version 4)."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

_D50 = (0.9642, 1.0, 0.8249)  # of the profile connection space, 7.2.16
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
_HEADER_BYTES = 128
_MOST = 32767.0  # of a s15Fixed16Number


@dataclasses.dataclass(frozen=True)
class Curve:
    """From a sample in 0..1 to light: (a x + b)^g from d on, c x below it (10.18, type 3)."""

    g: float
    a: float = 1.0
    b: float = 0.0
    c: float = 0.0
    d: float = 0.0


def grey_profile(name: str, curve: Curve) -> bytes:
    """The profile of grey samples with a curve."""
    return _profile(b"GRAY", name, {b"kTRC": _parametric(curve)})


def matrix_profile(name: str, curve: Curve, points: Matrix) -> bytes:
    """The profile of RGB samples with a curve and primaries.

    points: [4, 2], x and y of white, red, green and blue (CIE 1931). Raises ValueError and
    numpy.linalg.LinAlgError where no colours are made of them.
    """
    if points[:, 1].min() <= 0 or not np.isfinite(points).all():
        raise ValueError("a chromaticity has no y")
    white, *primaries = np.column_stack(
        [points[:, 0] / points[:, 1], np.ones(4), (1 - points.sum(1)) / points[:, 1]]
    )
    columns = np.stack(primaries, axis=1)
    from_rgb = columns * np.linalg.solve(columns, white)
    adaptation = _adaptation(white)
    colorants = adaptation @ from_rgb
    if abs(colorants).max() >= _MOST or abs(adaptation).max() >= _MOST:
        raise ValueError("the primaries are too far outside")
    tags = {b"chad": b"sf32" + bytes(4) + _fixed(*adaptation.ravel())}
    for letter, colorant in zip(b"rgb", colorants.T, strict=True):
        tags[bytes([letter]) + b"XYZ"] = _xyz(*colorant)
        tags[bytes([letter]) + b"TRC"] = _parametric(curve)
    return _profile(b"RGB ", name, tags)


def _adaptation(white: Matrix) -> Matrix:
    """From XYZ under a white point to those under D50, by Bradford's matrix (annex E)."""
    gains = (_BRADFORD @ np.array(_D50)) / (_BRADFORD @ white)
    return np.linalg.inv(_BRADFORD) @ (gains[:, None] * _BRADFORD)


def _profile(space: bytes, name: str, tags: dict[bytes, bytes]) -> bytes:
    tags = {
        b"desc": _text(name),
        b"cprt": _text("CC0"),
        b"wtpt": _xyz(*_D50),
        **tags,
    }
    table, data = len(tags).to_bytes(4, "big"), b""
    begin = _HEADER_BYTES + 4 + 12 * len(tags)
    places: dict[bytes, int] = {}  # equal tags share their bytes
    for signature, value in tags.items():
        if value not in places:
            places[value] = begin + len(data)
            data += value + bytes(-len(value) % 4)
        table += signature + places[value].to_bytes(4, "big") + len(value).to_bytes(4, "big")
    header = (
        (begin + len(data)).to_bytes(4, "big")
        + bytes(4)
        + b"\x04\x40\0\0mntr"
        + space
        + b"XYZ "
        + b"".join(number.to_bytes(2, "big") for number in (2026, 1, 1, 0, 0, 0))
        + b"acsp"
        + bytes(28)
        + _fixed(*_D50)
    )
    return header.ljust(_HEADER_BYTES, b"\0") + table + data


def _text(text: str) -> bytes:
    """10.15, one record in English."""
    words = text.encode("utf-16-be")
    record = b"enUS" + len(words).to_bytes(4, "big") + (28).to_bytes(4, "big")
    return b"mluc" + bytes(4) + (1).to_bytes(4, "big") + (12).to_bytes(4, "big") + record + words


def _xyz(*values: float) -> bytes:
    return b"XYZ " + bytes(4) + _fixed(*values)


def _parametric(curve: Curve) -> bytes:
    numbers: Sequence[float] = dataclasses.astuple(curve)
    return b"para" + bytes(4) + b"\0\3\0\0" + _fixed(*numbers)


def _fixed(*values: float) -> bytes:
    """s15Fixed16Number (4.6)."""
    return b"".join(round(65536 * float(one)).to_bytes(4, "big", signed=True) for one in values)
