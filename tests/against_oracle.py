"""Means, tables and latents of a prior against those of the oracles."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from latentcodec.entropy.coding_order import STEPS, latents_of_step
from latentcodec.entropy.context_prior import ContextPrior, PriorNetworks
from latentcodec.runtime.hyper import CodeStep
from tests.oracle import Oracle

# v_hat, [h, w, M], of z_hat, the quality in tenths, h, w, and what codes a step.
Coded = Callable[[np.ndarray, int, int, int, CodeStep], np.ndarray]


def coded_by(prior: ContextPrior, networks: PriorNetworks) -> Coded:
    """What a prior makes of hyper-latents and of what codes a step."""

    def coded(
        z_hat: np.ndarray, tenths: int, height: int, width: int, code: CodeStep
    ) -> np.ndarray:
        walk = prior.walk(networks, z_hat, tenths, height, width)
        for step in range(STEPS):
            walk.put(step, code(step, *walk.parameters(step)))
        return walk.v_hat

    return coded


def assert_exact(
    coded: Coded,
    oracle: Oracle,
    z_hat: np.ndarray,
    symbols: np.ndarray,
    tenths: int,
) -> None:
    """The prior and the oracle give the same for symbols [h, w, M] over z_hat [h/4, w/4, Z]."""
    height, width, _ = symbols.shape
    seen: list[tuple[np.ndarray, np.ndarray]] = []

    def code(step: int, means: np.ndarray, tables: np.ndarray) -> np.ndarray:
        seen.append((means, tables))
        return latents_of_step(symbols, step).astype(np.int32)

    def symbols_of(step: int, mean: np.ndarray, table: np.ndarray, mask: np.ndarray) -> np.ndarray:
        assert latents_of_step(mask, step).all() and mask.sum() == seen[step][0].size
        for ours, theirs in zip(seen[step], (mean, table), strict=True):
            assert np.array_equal(ours, latents_of_step(theirs, step))
        return symbols

    v_hat = coded(z_hat, tenths, height, width, code)
    psi = oracle.psi(z_hat, tenths, height, width)
    assert np.array_equal(v_hat, oracle.walk(psi, tenths, (height, width), symbols_of))
