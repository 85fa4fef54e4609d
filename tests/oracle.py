"""The integer prior again, in NumPy int64, written from docs/format.md.

It shares no arithmetic with the package: shifts are integer shifts, groups and phases are masks
over a dense grid, and nothing is computed in floating point. It notes which clamps had to clamp.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

ORDER = (0, 3, 1, 2)

# Given a coding step and its means, tables and mask, dense [h, w, M]: symbols, dense [h, w, M].
SymbolsOf = Callable[[int, np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def half_even(x: np.ndarray, shift: np.ndarray | int) -> np.ndarray:
    """x / 2 ** shift, rounded to the nearest integer, halves to the even one."""
    x = x << np.maximum(-np.asarray(shift), 0)
    right = np.maximum(shift, 0)
    floor = x >> right
    twice, whole = (x - (floor << right)) << 1, np.int64(1) << right
    return floor + ((twice > whole) | ((twice == whole) & (floor & 1 == 1)))


def spread(x: np.ndarray) -> np.ndarray:
    """[h, w, 4 c] -> [2 h, 2 w, c]."""
    h, w, c = x.shape
    out = np.empty((2 * h, 2 * w, c // 4), dtype=np.int64)
    for phase in range(4):
        part = x[:, :, phase * (c // 4) : (phase + 1) * (c // 4)]
        out[phase // 2 :: 2, phase % 2 :: 2] = part
    return out


_THRESHOLDS = [math.ceil(16 * math.expm1((k - 0.5) / 64)) for k in range(1, 257)]


def magnitude(v_hat: np.ndarray) -> np.ndarray:
    """How many of the thresholds |v_hat| has reached."""
    return np.searchsorted(_THRESHOLDS, np.abs(v_hat), side="right")


class Oracle:
    """`weights`: the integer tensors of a weights file."""

    z_bits = 4  # fraction of z_hat
    steps = 4

    def __init__(self, weights: dict[str, np.ndarray]) -> None:
        self.w = {k: v.astype(np.int64) for k, v in weights.items() if v.dtype.kind == "i"}
        self.clamped: set[str] = set()  # such as "mean <" and "mean >"

    def clamp(self, x: np.ndarray, low: int, high: int, what: str) -> np.ndarray:
        if (x < low).any():
            self.clamped.add(f"{what} <")
        if (x > high).any():
            self.clamped.add(f"{what} >")
        return np.clip(x, low, high)

    def act(self, x: np.ndarray, shift: np.ndarray | int, what: str, low: int = -256) -> np.ndarray:
        return self.clamp(half_even(x, shift), low, 256, what)

    def shift(self, name: str) -> np.ndarray:
        return self.w[f"{name}.shift"]

    def layer(self, x: np.ndarray, name: str, phase: int | None = None) -> np.ndarray:
        """W x + b, of the matrix of a phase where there is one for each."""
        weight = self.w[f"{name}.weight"]
        out = x @ (weight if phase is None else weight[phase]).T
        if f"{name}.bias" in self.w:
            bias = self.w[f"{name}.bias"]
            out = out + (bias if phase is None else bias[phase])
        return out

    def depthwise(self, x: np.ndarray, name: str) -> np.ndarray:
        taps, (h, w, _) = self.w[f"{name}.weight"], x.shape
        padded = np.pad(x, ((1, 1), (1, 1), (0, 0)))
        windows = (padded[i : i + h, j : j + w] * taps[:, i, j] for i in range(3) for j in range(3))
        return sum(windows, np.zeros_like(x))

    def block(self, x: np.ndarray, name: str) -> np.ndarray:
        a = self.act(x, 8, "block")
        d = self.act(self.depthwise(a, f"{name}.depthwise"), self.shift(f"{name}.depthwise"), "d")
        e = self.act(self.layer(d, f"{name}.expand"), self.shift(f"{name}.expand"), "e", 0)
        return x + (self.layer(e, f"{name}.project") << 8 - self.shift(f"{name}.project"))

    def row(self, name: str, tenths: int) -> np.ndarray:
        rows, (low, part) = self.w[f"quality.{name}"], divmod(tenths - 10, 10)
        return (rows[low] * (10 - part) + rows[min(low + 1, 99)] * part + 5) // 10

    def psi(self, z_hat: np.ndarray, tenths: int, height: int, width: int) -> np.ndarray:
        """[h', w', C] for latents [height, width], of z_hat [h/4, w/4, Z]."""
        p = self.layer(self.clamp(z_hat.astype(np.int64), -256, 256, "z"), "h_s.up_32")
        level = self.row("h_s_level", tenths)
        a = self.act((p << 14 - self.shift("h_s.up_32")) + (level << 6), 14, "up_32", 0)
        x = self.block(spread(a) << 8, "h_s.block")
        out = self.layer(self.act(x, 8, "up_16"), "h_s.up_16")
        out = half_even(out, self.shift("h_s.up_16") - 8)
        psi = spread(self.clamp(out, -(1 << 21), 1 << 21, "psi"))
        return psi[: height + height % 2, : width + width % 2]

    def features(self, u: np.ndarray, step: int) -> np.ndarray:
        """What the heads see, [h', w', C]."""
        x = self.clamp(u + self.w[f"context.{step}.bias"], 0, 1 << 16, "u + bias")
        number = 0
        while f"context.{step}.blocks.{number}.expand.weight" in self.w:
            x = self.block(x, f"context.{step}.blocks.{number}")
            number += 1
        return self.act(x, 8, "head")

    def parameters(
        self, f: np.ndarray, step: int, tenths: int, phases: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Means, tables and which are coded: [h', w', M]."""
        to_step, offset = self.row("to_step", tenths), self.row("table_offset", tenths)
        group_of = np.arange(len(to_step)) // (len(to_step) // 4)
        mean, table = (np.zeros((*phases.shape, len(to_step)), dtype=np.int64) for _ in range(2))
        mask = np.zeros(mean.shape, dtype=bool)
        name = f"context.{step}.head"
        for phase in range(4):
            group = group_of == ORDER[step] ^ phase
            q = self.layer(f[phases == phase], name, phase)
            shift = self.shift(name)[phase]
            half = q.shape[1] // 2
            at = np.ix_((phases == phase).ravel(), group)
            means = half_even(q[:, :half] * to_step[group], 22 + shift[:half])
            tables = half_even((q[:, half:] << 14 - shift[half:]) + (offset[group] << 8), 17)
            limit = 32767 * 16
            mean.reshape(-1, len(to_step))[at] = self.clamp(means, -limit, limit, "mean")
            table.reshape(-1, len(to_step))[at] = self.clamp(tables, 0, 71, "table")
            mask.reshape(-1, len(to_step))[at] = True
        return mean, table, mask

    def contribution(
        self, v_hat: np.ndarray, step: int, tenths: int, phases: np.ndarray
    ) -> np.ndarray:
        """What is added to u, [h', w', C], of the v_hat that the step coded."""
        to_latent, name = self.row("to_latent", tenths), f"context.{step}.coded"
        n = self.clamp(half_even(v_hat * to_latent, 13), -(1 << 16), (1 << 16) - 1, "latent")
        group_of = np.arange(len(to_latent)) // (len(to_latent) // 4)
        out = np.zeros((*phases.shape, self.w[f"{name}.weight"].shape[1]), dtype=np.int64)
        for phase in range(4):
            group = ORDER[step] ^ phase
            own = n[phases == phase][:, group_of == group]
            high, shift = own >> 8, self.shift(name)[phase]
            out[phases == phase] = half_even(self.layer(high, name, phase), shift - 11)
            low = own - (high << 8)
            out[phases == phase] += half_even(self.layer(low, name, phase), shift - 3)
            size = magnitude(v_hat[phases == phase][:, group_of == group])
            shift = self.shift(f"context.{step}.magnitude")[phase]
            product = self.layer(size, f"context.{step}.magnitude", phase)
            out[phases == phase] += half_even(product, shift - 8)
        return out

    def walk(
        self, psi: np.ndarray, tenths: int, size: tuple[int, int], symbols_of: SymbolsOf
    ) -> np.ndarray:
        """v_hat, [h, w, M]."""
        height, width = size
        rows, columns = np.indices(psi.shape[:2])
        phases = 2 * (rows % 2) + columns % 2
        u, v_hat = psi, np.zeros((), dtype=np.int64)
        for step in range(self.steps):
            mean, table, mask = self.parameters(self.features(u, step), step, tenths, phases)
            symbols = np.zeros_like(mean)
            inside = np.s_[:height, :width]
            symbols[inside] = symbols_of(step, mean[inside], table[inside], mask[inside])
            v_hat = np.where(mask, 16 * symbols + mean, v_hat)
            if step + 1 < self.steps:
                u = u + self.contribution(v_hat, step, tenths, phases)
                u = self.clamp(u, -(1 << 21), 1 << 21, "u")
        return v_hat[:height, :width]
