"""In which step each latent is coded: channel groups rotated over the four spatial phases.

A position (row, column) has the phase 2 * (row % 2) + column % 2. The channels of y form four
equal groups. Group g is coded in step s at the phase ORDER[s] ^ g, so that in every step each
position codes one group, each group visits the four phases along the diagonals first, and every
latent is predicted from neighbours of its own group and from other groups at its own position
(the quadtree partition of Li et al. 2023, "Neural Video Compression with Diverse Contexts").
"""

from __future__ import annotations

import numpy as np

GROUPS = 4
PHASES = 4
STEPS = 4
ORDER = (0, 3, 1, 2)


def coded_in_step(step: int) -> list[tuple[int, int]]:
    """The (phase, group) pairs that a step codes, in coding order: each phase once."""
    return sorted((ORDER[step] ^ group, group) for group in range(GROUPS))


def latents_of_step(latents: np.ndarray, step: int) -> np.ndarray:
    """The entries of [h, w, M] that `step` codes, in coding order: [n]."""
    width = latents.shape[2] // GROUPS
    parts = [
        latents[p // 2 :: 2, p % 2 :: 2, g * width : (g + 1) * width].ravel()
        for p, g in coded_in_step(step)
    ]
    return np.concatenate(parts)
