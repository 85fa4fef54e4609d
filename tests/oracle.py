"""The integer prior again, in NumPy int64, written from docs/format.md: plain and slow.

It shares no arithmetic with the package: shifts are integer shifts, channel groups are masks,
and nothing is computed in floating point.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tests.context_oracle import spread

LIMIT = (1 << 20) - 1
ORDER = (0, 3, 1, 2)


def half_up(accumulator: np.ndarray, shift: int) -> np.ndarray:
    """floor(accumulator / 2 ** shift + 1/2)."""
    return (accumulator + ((1 << shift) >> 1)) >> shift


def clamp(x: np.ndarray, low: int = -LIMIT) -> np.ndarray:
    return np.clip(x, low, LIMIT)


class Oracle:
    """The prior of the first generation.

    `weights`: the integer tensors of a weights file; `steps`: coding steps of the model."""

    z_bits = 12  # fraction of z_hat

    def __init__(self, weights: dict[str, np.ndarray], steps: int) -> None:
        self.w = {k: v.astype(np.int64) for k, v in weights.items()}
        self.steps = steps

    def linear(self, x: np.ndarray, name: str, row: np.ndarray | int = 0) -> np.ndarray:
        w, b, s = (self.w[f"{name}.{part}"] for part in ("weight", "bias", "shift"))
        return clamp(half_up(x @ w.T + b, int(s)) + row)

    def block(self, x: np.ndarray, name: str) -> np.ndarray:
        taps = self.w[f"{name}.depthwise.weight"]
        padded = np.pad(x, ((1, 1), (1, 1), (0, 0)))
        total = np.zeros_like(x) + self.w[f"{name}.depthwise.bias"]
        for i in range(3):
            for j in range(3):
                total += padded[i : i + x.shape[0], j : j + x.shape[1]] * taps[i, j]
        h = clamp(half_up(total, int(self.w[f"{name}.depthwise.shift"])))
        h = np.maximum(self.linear(h, f"{name}.expand"), 0)
        return clamp(x + self.linear(h, f"{name}.project"))

    def row(self, name: str, tenths: int) -> np.ndarray:
        rows, (low, part) = self.w[f"quality.{name}"], divmod(tenths - 10, 10)
        return (rows[low] * (10 - part) + rows[min(low + 1, 99)] * part + 5) // 10

    def psi(self, z_hat: np.ndarray, tenths: int, height: int, width: int) -> np.ndarray:
        x = self.linear(clamp(z_hat), "h_s.up_32", self.row("h_s_level", tenths))
        x = self.block(spread(np.maximum(x, 0)), "h_s.block")
        return spread(self.linear(x, "h_s.up_16"))[:height, :width]

    def walk(
        self,
        psi: np.ndarray,
        tenths: int,
        size: tuple[int, int],
        symbols_of: Callable[[int, np.ndarray, np.ndarray, np.ndarray], np.ndarray],
    ) -> np.ndarray:
        """v_hat [h, w, M]; `symbols_of(step, mean, table, mask)` is dense, [h, w, M] like these."""
        height, width = size
        latents = self.w["context.coded.weight"].shape[1]
        group_of = np.arange(latents) // (latents // 4)
        rows, columns = np.mgrid[0:height, 0:width]
        phase_of = 2 * (rows % 2) + columns % 2
        v_hat = np.zeros((height, width, latents), dtype=np.int64)
        u = psi
        for step in range(self.steps):
            share = 4 // self.steps
            quarters = ORDER[step * share : (step + 1) * share]
            mask = np.zeros((height, width, latents), dtype=bool)
            for quarter in quarters:
                mask |= (quarter ^ group_of)[None, None, :] == phase_of[:, :, None]
            biased = np.maximum(clamp(u + self.w["context.step_bias"][step]), 0)
            mean, table = self.parameters(biased, tenths)
            v_hat = np.where(mask, 16 * symbols_of(step, mean, table, mask) + mean, v_hat)
            u = clamp(u + self.contribution(np.where(mask, v_hat, 0), tenths))
        return v_hat

    def parameters(self, u: np.ndarray, tenths: int) -> tuple[np.ndarray, np.ndarray]:
        out = self.linear(self.block(u, "context.block"), "context.head")
        out = out.reshape(*u.shape[:2], 4, 2, -1)  # group, mean or scale, channel
        mean = out[:, :, :, 0].reshape(*u.shape[:2], -1)
        log_scale = out[:, :, :, 1].reshape(*u.shape[:2], -1)
        mean = half_up(mean * self.row("to_step", tenths), 24)
        table = half_up(log_scale + self.row("table_offset", tenths), 9)
        return np.clip(mean, -32767 * 16, 32767 * 16), np.clip(table, 0, 71)

    def contribution(self, v_hat: np.ndarray, tenths: int) -> np.ndarray:
        unit = clamp(half_up(v_hat * self.row("to_unit", tenths), 12))
        weight, shift = self.w["context.coded.weight"], int(self.w["context.coded.shift"])
        width = weight.shape[1] // 4
        parts = [slice(g * width, (g + 1) * width) for g in range(4)]
        return np.sum(
            [clamp(half_up(unit[:, :, p] @ weight[:, p].T, shift)) for p in parts], axis=0
        )
