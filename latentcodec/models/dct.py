"""The transforms of 16x16 blocks in YCbCr from which the linear shortcut of a model starts.

Either the DCT, or a basis that was fitted to photographs together with the filter across the
borders of blocks (`benchmarks/sparse_basis.py`): its coefficients are fewer at edges.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

BLOCK_PX = 16
# Chroma frequencies count 2.2 times as high as luma's when rows are ranked, and chroma is
# quantised more coarsely from the start: both were measured on photographs (docs/design.md).
CHROMA_RANK = 2.2
CHROMA_GAIN = 0.6

_RGB_TO_YCBCR = np.array(
    [
        [0.299, 0.587, 0.114],
        [-0.168736, -0.331264, 0.5],
        [0.5, -0.418688, -0.081312],
    ]
)


def dct_matrix(n: int) -> np.ndarray:
    """The orthonormal DCT-II: row k is the k-th cosine; float64 [n, n]."""
    k, i = np.mgrid[0:n, 0:n]
    rows = np.sqrt(2 / n) * np.cos(np.pi * k * (2 * i + 1) / (2 * n))
    rows[0] /= np.sqrt(2)
    return rows


def sparse_basis() -> tuple[np.ndarray, np.ndarray]:
    """Orthonormal rows from low to high frequency, and the prefilter: float64 [16, 16] each."""
    with np.load(Path(__file__).with_name("sparse_basis.npz")) as arrays:
        return arrays["basis"].astype(np.float64), arrays["prefilter"].astype(np.float64)


def shortcut_matrices(
    channels: int, rows: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Analysis [channels, 768] and synthesis [768, channels] of the truncated transform, float64.

    rows: the basis in each direction, [16, 16], lowest frequency first; without it the DCT's.
    The 768 inputs are a 16x16 cell in `space_to_depth` order (row, column, RGB). Rows come
    lowest frequency first. The synthesis is the exact inverse for the rows that are kept.
    """
    rows = dct_matrix(BLOCK_PX) if rows is None else rows
    basis = np.einsum("uy,vx,kc->kuvyxc", rows, rows, _RGB_TO_YCBCR)
    inverse = np.einsum("uy,vx,ck->yxckuv", rows, rows, np.linalg.inv(_RGB_TO_YCBCR))
    u, v = np.mgrid[0:BLOCK_PX, 0:BLOCK_PX]
    frequency = np.hypot(u, v)
    rank = np.stack([frequency, CHROMA_RANK * frequency, CHROMA_RANK * frequency])
    gain = np.stack([np.full_like(frequency, g) for g in (1.0, CHROMA_GAIN, CHROMA_GAIN)])
    keep = np.argsort(rank.ravel(), kind="stable")[:channels]
    cell = 3 * BLOCK_PX * BLOCK_PX
    analysis = (basis.reshape(cell, cell) * gain.reshape(cell, 1))[keep]
    synthesis = (inverse.reshape(cell, cell) / gain.reshape(1, cell))[:, keep]
    return analysis, synthesis
