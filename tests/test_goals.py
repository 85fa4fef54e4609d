"""A size or a fidelity instead of a quality, in Python."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

import latentcodec
from latentcodec import Codec, errors
from latentcodec.runtime.base import Family


@pytest.fixture(scope="module")
def piece(photo: np.ndarray) -> np.ndarray:
    """uint8 [96, 128, 3]"""
    return photo[:96, :128]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("goal", "most"),
    [({"target_size": 1500}, 1500), ({"target_bpp": 1}, 1536), ({"ratio": 24}, 1536)],
)
def test_a_wanted_size_is_met(piece: np.ndarray, goal: Any, most: int) -> None:
    data = latentcodec.encode(piece, **goal)
    assert 0.96 * most <= len(data) <= most
    quality = latentcodec.read_info(data).quality
    assert latentcodec.encode(piece, quality=quality) == data


@pytest.mark.slow
def test_a_batch_reaches_the_goal_with_each_picture(photo: np.ndarray, piece: np.ndarray) -> None:
    codec, originals = Codec(threads=2), [piece, photo[200:280, 300:400]]
    files = codec.encode_batch(originals, target_psnr=40)
    for original, data in zip(originals, files, strict=True):
        error = np.square(codec.decode_array(data).astype(float) - original).mean()
        assert 40 <= 10 * np.log10(255**2 / error) < 40.5


def test_what_no_quality_reaches_is_an_error(crop: Image.Image) -> None:
    with pytest.raises(errors.GoalMissed, match="smallest file"):
        latentcodec.encode(crop, target_size=40)
    with pytest.raises(errors.GoalMissed, match="falls short"):
        latentcodec.encode(crop, target_psnr=90)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"quality": 60, "ratio": 20}, "one of quality, target_size"),
        ({"target_bpp": 1, "target_psnr": 30}, "one of quality"),
        ({"target_size": 0}, "target_size must be"),
        ({"target_bpp": float("nan")}, "target_bpp must be"),
        ({"target_psnr": float("inf")}, "target_psnr must be"),
        ({"ratio": -3}, "ratio must be"),
        ({"target_size": 1.5}, "target_size must be a whole number"),
    ],
)
def test_wrong_goals_are_refused_before_anything_is_read(options: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        latentcodec.encode("missing.png", **options)


def test_verify_compares_the_latents(crop: Image.Image, monkeypatch: pytest.MonkeyPatch) -> None:
    assert latentcodec.encode(crop, verify=True) == latentcodec.encode(crop)
    monkeypatch.setattr(Family, "decode_latents", lambda self, *_: np.zeros((1, 1, 1), np.int32))
    with pytest.raises(errors.VerificationFailed):
        latentcodec.encode(crop, verify=True)
    assert latentcodec.encode(crop)
