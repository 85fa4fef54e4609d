"""Better latents for a tile, by coordinate descent on its bits and error: only the encoder's work.

Each update goes through the prior and the synthesis once, forward and backward, at latents as they
would be coded. The gradient of everything but a latent's own bits, the curvature of the error, and
the tables' own bits say what a symbol one lower or higher would cost, and all that gain are taken.
Iterated conditional modes (Besag 1986) with the quadratic model of Newton's method, in place of the
annealed noise of Yang, Bamler and Mandt 2020, "Improving Inference for Neural Image Compression",
which needs many more updates (docs/effort.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from torch import Tensor

from latentcodec.entropy.tables import MEAN_BITS
from latentcodec.models.distortion import LUMA, TotalSquaredError, TotalStructural
from latentcodec.models.float_prior import Choice, Costs, Rate
from latentcodec.runtime.networks import Networks
from latentcodec.runtime.tile_view import TileView
from latentcodec.runtime.torch_networks import TorchNetworks, to_network
from latentcodec.system.allocator import give_back

if TYPE_CHECKING:
    from latentcodec.runtime.base import TileCoder
    from latentcodec.runtime.model_store import Tune

_MOMENTUM = 0.2  # of the gradients
_LEARNED = 0.4  # of the curvature that a change shows, at each
_PATIENCE = 16  # updates without a better one, after which a short run ends
_LONG = 48  # updates, enough for noise to die down
_NOISE = 1.0  # bits, of what a change gains, at the start of a long run
_NOISY = 0.9  # of a long run
_PROBE = 0.25  # steps, for the curvature
_SEED = 0  # of its signs, and of noise
_LEAST_CURVATURE = 1.0  # bits per squared step


# Of pixels in -1..1, [1, h, w, 3]: the sum over them of the error at 255 scale, in parts.
Distortion = Callable[[Tensor], Iterable[Tensor]]


# To what is wanted.
_DISTORTION_OF: dict[str, Callable[[Tensor], Distortion]] = {
    "psnr": TotalSquaredError,
    "ssim": TotalStructural,
}


@torch.inference_mode()
def error_of(
    decoded: np.ndarray, pixels: np.ndarray, counted: np.ndarray | None, tune: Tune
) -> float:
    """The sum over pixels of the error at 255 scale: uint8 [h, w, 3], twice, and bool [h, w]."""
    if counted is not None:
        decoded = np.where(counted[..., None], decoded, pixels)
    if tune == "psnr":
        return float(np.square(decoded.astype(np.int32) - pixels).sum(dtype=np.int64)) / 3
    parts = TotalStructural(to_network(pixels))(to_network(decoded))
    return sum(part.item() for part in parts)


class Descent:
    """Refines one tile."""

    def __init__(
        self,
        networks: Networks,
        coder: TileCoder,
        view: TileView,
        *,
        level: float,
        lambda_: float,
        tune: Tune,
    ) -> None:
        """networks: torch's; coder: the tile's. lambda_: bits that an error of 1 in a pixel is
        worth, at 255 scale; tune: how the error is measured."""
        self._networks, self._lambda = cast(TorchNetworks, networks), lambda_
        self._own, self._shown_px, self._is_grey = (
            (view.rows, view.columns),
            view.shown,
            view.is_grey,
        )
        device = self._networks.device
        self._rate: Rate = coder.rate(device)
        self._level = torch.tensor([level], dtype=torch.float32, device=device)
        self._steps = self._networks.steps(level)
        around = torch.from_numpy(view.around).to(device)
        self._around = around.float().unsqueeze(0) / (1 << MEAN_BITS)
        self._wanted = to_network(view.pixels).to(device)
        self._distortion = _DISTORTION_OF[tune](self._wanted)
        self._counted: Tensor | None = None
        if view.counted is not None:
            self._counted = torch.from_numpy(view.counted).to(device)[None, :, :, None]

    def run(
        self, updates: int, after: Callable[[], None], learned: Tensor | None = None
    ) -> tuple[np.ndarray, Tensor]:
        """The best latents that some updates come by, float32 [h, w, M] in steps, and the curvature
        that they have learned, for the next run on the same tile.

        after: called after each update. A short run ends early where nothing gets better, a long
        one begins with noise. The same for the same number of threads and machine.
        """
        give_back()  # a tile takes seconds and much memory, and the next one other pieces of it
        best = v = self.start()
        curvature = Curvature(self.curvature_of(v) if learned is None else learned.float())
        slope: Tensor | None = None
        least, found = float("inf"), 0
        is_long, random = updates >= _LONG, torch.Generator("cpu").manual_seed(_SEED)
        for number in range(updates + 1):
            is_last = number == updates
            noise = _NOISE * max(0.0, 1 - number / (_NOISY * updates)) ** 2 if is_long else 0.0
            chooser = Chooser(v, slope, curvature.value, noise, random)
            v, cost, gradient = self.step(chooser, needs_slope=not is_last)
            if cost < least:
                best, least, found = v, cost, number
            if is_last or (not is_long and number - found > _PATIENCE):
                break
            curvature.learn(v, gradient)
            slope = gradient.clone() if slope is None else slope.lerp_(gradient, 1 - _MOMENTUM)
            after()
        return self._rate.grid(best)[0].cpu().numpy(), curvature.value.bfloat16()

    def start(self) -> Tensor:
        """The latents of the view, in coding order."""
        return self._rate.arranged(self._around[0][self._own].cpu().numpy())

    def step(self, choose: Choice, needs_slope: bool = True) -> tuple[Tensor, float, Tensor]:
        """What is chosen, in coding order, what it costs, and the slope of that by each latent,
        but for a latent's own bits."""
        leaves, bits = self._rate.code(choose)
        v_hat = torch.stack(leaves).detach()
        gradient = torch.zeros_like(v_hat)
        # One after the other, so that only one of both graphs is in memory.
        if needs_slope and bits.requires_grad:
            grown = torch.autograd.grad(bits, leaves, allow_unused=True, materialize_grads=True)
            gradient = torch.stack(grown)
        cost = bits.item()
        del leaves, bits
        if not needs_slope:
            with torch.no_grad():
                parts = self._distortion(self._shown(v_hat))
                return v_hat, cost + self._lambda * sum(part.item() for part in parts), gradient
        error, slope = self._error(v_hat)
        return v_hat, cost + error, gradient + slope

    def _error(self, v_hat: Tensor) -> tuple[float, Tensor]:
        """Lambda * the distortion of what is shown of v_hat, in coding order, and its slope."""
        leaf = v_hat.clone().requires_grad_(True)
        shown = self._shown(leaf)
        pixels = shown.detach().requires_grad_(True)
        error = 0.0
        for part in self._distortion(pixels):  # so that only one part's graph is in memory
            weighted = self._lambda * part
            weighted.backward()
            error += weighted.item()
        return error, torch.autograd.grad(shown, leaf, pixels.grad)[0]

    def _shown(self, v_hat: Tensor) -> Tensor:
        """The pixels of v_hat, in coding order, that count."""
        grid = self._around.clone()
        grid[0][self._own] = self._rate.grid(v_hat)[0]
        with torch.autocast(grid.device.type, torch.bfloat16):
            x = self._networks.synthesis(grid * self._steps, self._level)
        rows, columns = self._shown_px
        x = x[:, rows, columns].clamp(-1, 1)
        if self._is_grey:
            x = (x @ x.new_tensor(LUMA)).unsqueeze(-1).expand_as(x)
        if self._counted is not None:
            x = torch.where(self._counted, x, self._wanted)
        return x

    def curvature_of(self, v: Tensor) -> Tensor:
        """Half the second derivative of the error, in bits per squared step, of coding order.

        Hutchinson's estimate of the Hessian's diagonal by one probe, whose mean over places and
        over channels make up the whole (a product, as in Adafactor).
        """
        signs = _random(v, torch.Generator("cpu").manual_seed(_SEED)) < 0.5
        probe = signs.float().mul_(2 * _PROBE).sub_(_PROBE)
        change = self._error(v + probe)[1] - self._error(v - probe)[1]
        found = change.div_(4 * probe)
        axes = tuple(range(1, v.ndim - 1))
        of_channel = found.mean(axes, keepdim=True).clamp_min_(_LEAST_CURVATURE)
        of_place = (found / of_channel).mean(-1, keepdim=True)
        return of_channel * of_place.clamp(0.25, 4)


class Curvature:
    """Half the second derivative of the cost by each latent, in bits per squared step, as changes
    show it.

    The secant from one update to the next (a quasi-Newton method with a diagonal) holds what its
    neighbours, that change with it, do to a latent: where they mend the same error, all of them
    would go too far, back again, and so on.
    """

    def __init__(self, value: Tensor) -> None:
        """value: a first estimate."""
        self.value = value
        self._last: tuple[Tensor, Tensor] | None = None

    def learn(self, v: Tensor, gradient: Tensor) -> None:
        """What the latents have become, and the slope there."""
        if self._last is not None:
            moved = v - self._last[0]
            found = (gradient - self._last[1]).div_(2 * moved).clamp_min_(_LEAST_CURVATURE)
            found = torch.lerp(self.value, found, _LEARNED)
            self.value = torch.where(moved.abs() > 0.5, found, self.value)
        self._last = v, gradient


class Chooser:
    """What each latent becomes, by a quadratic model of the cost around the latents `v`."""

    def __init__(
        self,
        v: Tensor,
        slope: Tensor | None,
        curvature: Tensor,
        noise: float = 0.0,
        random: torch.Generator | None = None,
    ) -> None:
        """slope: None for the symbols nearest to v. noise: bits, of logistic noise on what changes
        cost, so that they are drawn as at that temperature (Geman and Geman 1984)."""
        self._v, self._slope, self._curvature = v, slope, curvature
        self._noise, self._random = noise, random

    def __call__(self, number: int, mean: Tensor, costs: Costs) -> Tensor:
        symbol = (self._v[number] - mean).round_()
        if self._slope is None:
            return mean + symbol
        up, down = self.gains(number, mean, symbol, costs)
        if self._noise:
            up, down = (x + self._noise * _logistic(x, self._random) for x in (up, down))
        rises, falls = (up < 0).logical_and_(up < down), (down < 0).logical_and_(down <= up)
        return symbol.add_(rises.float()).sub_(falls.float()).add_(mean)

    def gains(self, number: int, mean: Tensor, symbol: Tensor, costs: Costs) -> tuple[Tensor, ...]:
        """What one more and one less than a symbol cost more than it does, in bits."""
        assert self._slope is not None
        slope, curvature = self._slope[number], self._curvature[number]
        below, same, above = costs(symbol)
        # Of the error: curvature * ((moved +- 1)^2 - moved^2) +- slope.
        moved = mean + symbol - self._v[number]
        tilt = (2 * curvature * moved).add_(slope)
        up = above.sub_(same).add_(tilt).add_(curvature)
        down = below.sub_(same).sub_(tilt).add_(curvature)
        return up, down


def _logistic(like: Tensor, random: torch.Generator | None) -> Tensor:
    return torch.logit(_random(like, random), eps=1e-6)


def _random(like: Tensor, random: torch.Generator | None) -> Tensor:
    """Numbers in 0..1, the same on every device and whatever torch's default dtype is."""
    numbers = torch.rand(like.shape, generator=random, dtype=torch.float32, device="cpu")
    return numbers.to(like.device)
