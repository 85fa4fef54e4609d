"""What a runtime has to run of a packaged model: torch and ONNX Runtime have a module each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

import numpy as np

from latentcodec.entropy.context_prior import ContextPrior, PriorNetworks


class Networks(Protocol):
    """The transforms of a model, and the networks of its prior. Threads may share one.

    level: the quality on the scale of the level tables, 0..anchors - 1.
    """

    differentiable: bool  # whether the encoder can refine latents with them

    def cores(self) -> int:
        """How many cores a call in this thread computes on; 1 where threads of the caller's own
        would add nothing."""

    def on(self, device: Any, threads: int | None) -> Networks:
        """The same, whose g_a and g_s run on a device, and all on so many threads."""

    def analyse_strips(self, pixels: Iterable[np.ndarray], level: float) -> Iterator[np.ndarray]:
        """g_a: uint8 [H, W, 3], in strips of 16 n rows from the top down, -> y, float32
        [h, W/16, M], in strips. The rows of y that see the next strip come with it."""

    def synthesise_strips(
        self, v_hat: Iterable[np.ndarray], level: float, scale: int
    ) -> Iterator[np.ndarray]:
        """g_s: v_hat, [h, w, M] in 1/16 steps, in strips of rows, -> uint8 [h, 16 w / scale, 3],
        in strips. The pixels that are also made of the next strip come with it."""

    def hyper_analysis(self, y: np.ndarray, level: float) -> np.ndarray:
        """h_a: y, float32 [h, w, M], whose sides 4 divides, -> z, float32 [h/4, w/4, Z]."""

    def prior(self, prior: ContextPrior) -> PriorNetworks:
        """The networks of the prior, on the CPU whatever the device."""
