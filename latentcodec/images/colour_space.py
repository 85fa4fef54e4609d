"""What colours a picture has that says so without an ICC profile, as an ICC profile.

PNG has gamma and primaries in numbers (gAMA, cHRM) or by their codes in ITU-T H.273 (cICP), HEIF
and AVIF the latter. The profile is one of matrix and curves (ICC.1:2022, 8.3.3), or of a grey
curve.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from latentcodec.images.icc import Curve, grey_profile, matrix_profile

if TYPE_CHECKING:
    from PIL import Image

CICP = "cicp"  # where `note_cicp` puts the four bytes that PNG has
_UNSPECIFIED = 2
_SRGB_CODES = (1, 13)
_SRGB_GAMMA = 0.45455
_D65 = (0.3127, 0.329)
_BT709 = (0.64, 0.33, 0.3, 0.6, 0.15, 0.06)
_SMPTE_170M = (0.63, 0.34, 0.31, 0.595, 0.155, 0.07)
_P3 = (0.68, 0.32, 0.265, 0.69, 0.15, 0.06)
# White, then red, green and blue, in x and y, by the codes of H.273, table 2.
_PRIMARIES: dict[int, tuple[float, ...]] = {
    1: (*_D65, *_BT709),
    4: (0.31, 0.316, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08),
    5: (*_D65, 0.64, 0.33, 0.29, 0.6, 0.15, 0.06),
    6: (*_D65, *_SMPTE_170M),
    7: (*_D65, *_SMPTE_170M),
    8: (0.31, 0.316, 0.681, 0.319, 0.243, 0.692, 0.145, 0.049),
    9: (*_D65, 0.708, 0.292, 0.17, 0.797, 0.131, 0.046),
    11: (0.314, 0.351, *_P3),
    12: (*_D65, *_P3),
    22: (*_D65, 0.63, 0.34, 0.295, 0.605, 0.155, 0.077),
}
_CAMERA = Curve(1 / 0.45, 1 / 1.099, 0.099 / 1.099, 1 / 4.5, 0.081)
_SRGB = Curve(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
# From samples to light, by the codes of H.273, table 3. Those of HDR (16 and 18) are no curves that
# a profile of this kind could have.
_TRANSFERS: dict[int, Curve] = {
    **dict.fromkeys((1, 6, 14, 15), _CAMERA),
    4: Curve(2.2),
    5: Curve(2.8),
    8: Curve(1.0),
    13: _SRGB,
}
_GREY_MODES = ("1", "L", "LA", "I", "F")


@dataclasses.dataclass(frozen=True)
class ColourSpace:
    """Colours other than sRGB. words: as a person would be told of them. profile: None where none
    can say it."""

    words: str
    profile: bytes | None


def colour_space_of(image: Image.Image) -> ColourSpace | None:
    """What an image without a profile says of its colours; None for sRGB, or where it says nothing.

    As in PNG, codes come before the sRGB chunk, and that before gamma and primaries.
    """
    is_grey = image.mode.split(";")[0] in _GREY_MODES
    if coded := _codes_of(image):
        return _from_codes(coded, is_grey)
    if "srgb" in image.info:
        return None
    return _from_numbers(image.info.get("gamma"), image.info.get("chromaticity"), is_grey)


def _codes_of(image: Image.Image) -> tuple[int, int, int, int] | None:
    """Primaries, transfer, matrix and full range."""
    coded = image.info.get(CICP)
    if isinstance(coded, bytes) and len(coded) == 4:
        return coded[0], coded[1], coded[2], coded[3]
    nclx = image.info.get("nclx_profile")  # of pillow-heif, which has made it RGB
    if isinstance(nclx, dict):
        primaries, transfer = (
            nclx.get("color_primaries", 2),
            nclx.get("transfer_characteristics", 2),
        )
        return int(primaries), int(transfer), 0, 1
    return None


def _from_codes(coded: tuple[int, int, int, int], is_grey: bool) -> ColourSpace | None:
    primaries, transfer, matrix, full = coded
    primaries = _SRGB_CODES[0] if primaries == _UNSPECIFIED else primaries
    transfer = _SRGB_CODES[1] if transfer == _UNSPECIFIED else transfer
    if (primaries, transfer, matrix, full) == (*_SRGB_CODES, 0, 1):
        return None
    words = f"its colour space (cICP {'/'.join(map(str, coded))})"
    curve, points = _TRANSFERS.get(transfer), _PRIMARIES.get(primaries)
    if curve is None or points is None or (matrix, full) != (0, 1):
        return ColourSpace(words, None)
    return ColourSpace(words, _profile(f"cICP {primaries}/{transfer}", curve, points, is_grey))


def _from_numbers(gamma: object, chromaticity: object, is_grey: bool) -> ColourSpace | None:
    """gamma: the exponent of encoding; chromaticity: x and y of white, red, green and blue."""
    words, curve, points = [], _SRGB, _PRIMARIES[1]
    if isinstance(gamma, float) and abs(gamma - _SRGB_GAMMA) > 0.005:
        words.append(f"its gamma ({gamma:g})")
    if isinstance(chromaticity, tuple) and len(chromaticity) == 8 and not is_grey:
        points = tuple(map(float, chromaticity))
        if any(abs(a - b) > 0.002 for a, b in zip(points, _PRIMARIES[1], strict=True)):
            words.append("its primaries (cHRM)")
    if not words:
        return None
    if isinstance(gamma, float):
        if not 0.1 <= gamma <= 10:
            return ColourSpace(" and ".join(words), None)
        curve = Curve(1 / gamma)
    return ColourSpace(" and ".join(words), _profile("PNG gAMA, cHRM", curve, points, is_grey))


def _profile(name: str, curve: Curve, points: Sequence[float], is_grey: bool) -> bytes | None:
    if is_grey:
        return grey_profile(name, curve)
    try:
        return matrix_profile(name, curve, np.array(points).reshape(4, 2))
    except (np.linalg.LinAlgError, ValueError):  # of no triangle, or far outside of all colours
        return None
