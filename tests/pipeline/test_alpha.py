"""Transparency: exact, small, and safe against hostile payloads."""

from __future__ import annotations

import io
import zlib

import numpy as np
import pytest
from PIL import Image

from latentcodec.errors import CorruptAlpha
from latentcodec.pipeline.alpha import decode_alpha, encode_alpha
from latentcodec.pipeline.hidden_colours import HiddenColours


def smooth_hidden(pixels: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """A whole picture at once, uint8 [H, W, 3], with its alpha [H, W]."""
    return HiddenColours(alpha.shape, [(0, 0, pixels, alpha)]).smooth(0, 0, pixels, alpha)


def _planes() -> dict[str, np.ndarray]:
    random = np.random.default_rng(3)
    y, x = np.mgrid[0:90, 0:130]
    disc = np.clip((40 - np.hypot(y - 45, x - 60)) * 64, 0, 255)
    return {
        "noise": random.integers(0, 256, (33, 17), dtype=np.uint8),
        "disc": disc.astype(np.uint8),
        "down": np.broadcast_to(np.arange(90, dtype=np.uint8)[:, None], (90, 70)).copy(),
        "across": np.broadcast_to(np.arange(200, dtype=np.uint8), (40, 200)).copy(),
        "opaque": np.full((5, 9), 255, dtype=np.uint8),
        "a column": random.integers(0, 256, (50, 1), dtype=np.uint8),
        "a row": random.integers(0, 256, (1, 50), dtype=np.uint8),
        "a pixel": np.array([[7]], dtype=np.uint8),
    }


@pytest.mark.parametrize("name", _planes())
def test_alpha_comes_back(name: str) -> None:
    plane = _planes()[name]
    assert np.array_equal(decode_alpha(encode_alpha(plane), *plane.shape), plane)


@pytest.mark.parametrize("name", ["disc", "across", "noise"])
def test_alpha_is_no_larger_than_in_a_png(name: str) -> None:
    plane = _planes()[name]
    buffer = io.BytesIO()
    Image.fromarray(plane).save(buffer, "PNG", optimize=True)
    assert len(encode_alpha(plane)) < len(buffer.getvalue())


ROWS = b"\0ab\0cd"
HOSTILE = {
    "empty": b"",
    "a constant without its value": b"\0",
    "a constant of two values": b"\0\1\2",
    "an unknown kind": b"\2" + zlib.compress(ROWS),
    "not deflated": b"\1 nothing",
    "cut off": b"\1" + zlib.compress(ROWS)[:-3],
    "too short": b"\1" + zlib.compress(ROWS[:-1]),
    "too long": b"\1" + zlib.compress(ROWS + b"e"),
    "a bomb": b"\1" + zlib.compress(bytes(10**8), 9),
    "something behind": b"\1" + zlib.compress(ROWS) + b"x",
    "an unknown filter": b"\1" + zlib.compress(b"\3ab\0cd"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_payloads_are_refused(name: str) -> None:
    assert decode_alpha(b"\1" + zlib.compress(ROWS), 2, 2).tolist() == [[97, 98], [99, 100]]
    with pytest.raises(CorruptAlpha):
        decode_alpha(HOSTILE[name], 2, 2)


def test_hidden_colours_continue_what_is_seen(photo: np.ndarray) -> None:
    pixels = photo[:65, :97].copy()
    alpha = np.full(pixels.shape[:2], 255, dtype=np.uint8)
    alpha[20:50, 30:90] = 0
    pixels[alpha == 0] = (0, 255, 0)
    smooth = smooth_hidden(pixels, alpha)
    assert np.array_equal(smooth[alpha > 0], pixels[alpha > 0])
    seen = pixels[alpha > 0]
    assert (smooth[alpha == 0] >= seen.min(axis=0)).all()
    assert (smooth[alpha == 0] <= seen.max(axis=0)).all()
    jump = np.abs(smooth[19, 30:90].astype(int) - smooth[20, 30:90]).mean()
    assert jump < 0.3 * np.abs(pixels[19, 30:90].astype(int) - pixels[20, 30:90]).mean()
    assert np.array_equal(smooth_hidden(pixels, np.full_like(alpha, 9)), pixels)
    assert np.ptp(smooth_hidden(pixels, np.zeros_like(alpha))) == 0
