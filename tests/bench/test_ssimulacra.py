"""SSIMULACRA2 with what is known of the original, against the package that defines it."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("ssimulacra2", reason="the extra `bench` is not installed")

from ssimulacra2 import compute_ssimulacra2

from latentcodec.bench import ssimulacra


def as_file(pixels: np.ndarray) -> io.BytesIO:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PPM")
    buffer.seek(0)
    return buffer


@pytest.mark.parametrize("kept", [True, False], ids=["kept", "too-large-to-be-kept"])
def test_scores_are_those_of_the_package(
    photo: np.ndarray, monkeypatch: pytest.MonkeyPatch, kept: bool
) -> None:
    """Of several copies of several originals, with odd sides and down to the smallest."""
    if not kept:
        monkeypatch.setattr(ssimulacra, "_KEPT_PIXELS", 0)
    random = np.random.default_rng(0)
    for original in (photo[:101, :67], photo[1:102, :67], photo[:8, :19]):
        for sigma in (1, 30):
            noise = random.normal(0, sigma, original.shape)
            copy = (original + noise).round().clip(0, 255).astype(np.uint8)
            expected = compute_ssimulacra2(as_file(original), as_file(copy))
            assert ssimulacra.score(original, copy) == expected
