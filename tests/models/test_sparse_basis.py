"""The basis that a lapped model starts from is orthonormal, and photographs cost less in it."""

from __future__ import annotations

import numpy as np
import torch

from latentcodec.models.dct import dct_matrix, sparse_basis
from latentcodec.models.families import build, sized
from latentcodec.models.lapped import filtered


def bits(luma: np.ndarray, rows: np.ndarray, prefilter: np.ndarray) -> float:
    """About what the coefficients of luma [H, W] cost at a step of 16 grey levels."""
    x = torch.from_numpy(luma)[None, :, :, None]
    x = filtered(x, torch.from_numpy(prefilter).expand(2, -1, -1))[0, :, :, 0]
    height, width = x.shape
    blocks = x.numpy().reshape(height // 16, 16, width // 16, 16).transpose(0, 2, 1, 3)
    return float(np.log2(1 + np.abs(rows @ blocks @ rows.T) / 16).sum())


def test_it_is_orthonormal_and_its_filter_has_an_inverse() -> None:
    rows, prefilter = sparse_basis()
    assert np.abs(rows @ rows.T - np.eye(16)).max() < 1e-5
    assert np.linalg.cond(prefilter) < 5
    assert (rows[0] > 0).all()  # the lowest frequency


def test_photographs_cost_less_than_with_the_dct(photo: np.ndarray) -> None:
    luma = photo[:320, :480] @ (0.299, 0.587, 0.114)
    usual = bits(luma, dct_matrix(16), np.eye(16))
    rows, prefilter = sparse_basis()
    assert bits(luma, rows, prefilter) < 0.96 * usual


def test_a_lapped_model_starts_from_it(photo: np.ndarray) -> None:
    model = build("hyper", sized("hyper", "small"))
    x = torch.from_numpy(photo[:128, :128].astype(np.float32) / 127.5 - 1)[None]
    model.start(x)
    rows, prefilter = sparse_basis()
    assert np.allclose(model.g_a.prefilter.detach(), [prefilter] * 2, atol=1e-6)
    # Of the first channel, the lowest frequency of luma in rows and columns.
    weight = model.g_a.shortcut.weight[0].detach().view(16, 16, 3).sum(-1)
    assert np.allclose(weight, np.outer(rows[0], rows[0]), atol=1e-5)
