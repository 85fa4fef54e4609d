"""Other ways to refine latents, at equal numbers of updates: the second table of docs/effort.md.

    python benchmarks/effort_trials.py FOLDER --tune psnr --limit 4

Each cell is the cost lambda * error + bits of the best latents that so many updates came by,
against that of effort 2: the mean over the middles of the pictures and over the qualities.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
import torch
from PIL import Image
from torch import Tensor

from latentcodec.models.float_prior import Costs
from latentcodec.runtime import model_store
from latentcodec.runtime.base import Family
from latentcodec.runtime.tile_view import TileView
from latentcodec.runtime.torch_refinement import Chooser, Curvature, Descent

_CHECKPOINTS = (3, 6, 12, 24, 48)
_CELL_PX = 16


@dataclasses.dataclass(frozen=True)
class Trial:
    """Coordinate descent, otherwise than the encoder does it.

    share: of the changes that gain, a random part that is made. momentum: of the old slope.
    learns: whether the curvature follows what changes show, and curvature: a factor of it.
    threshold: bits that a change must gain. noise: bits, of the scale of logistic noise on what a
    change gains, which goes down to nothing.
    """

    share: float = 1.0
    momentum: float = 0.2
    learns: bool = True
    curvature: float = 1.0
    threshold: float = 0.0
    noise: float = 0.0


TRIALS: dict[str, Trial | None] = {
    "as the encoder does it": Trial(),
    "slopes not averaged": Trial(momentum=0.0),
    "slopes averaged, 0.5 of the old": Trial(momentum=0.5),
    "curvature not learned": Trial(learns=False),
    "curvature not learned, 0.3 of the old slopes": Trial(learns=False, momentum=0.3),
    "curvature not learned, times 1.5": Trial(learns=False, curvature=1.5),
    "curvature not learned, a random half of the changes": Trial(learns=False, share=0.5),
    "a random 70 % of the changes": Trial(share=0.7),
    "changes that gain a bit and more": Trial(threshold=1.0),
    "noise of half a bit, going down": Trial(noise=0.5),
    "stochastic Gumbel annealing": None,
}


class _Changed(Chooser):
    """A `Chooser` with a trial's changes."""

    def __init__(
        self, v: Tensor, slope: Tensor | None, curvature: Tensor, trial: Trial, left: float
    ) -> None:
        super().__init__(v, slope, curvature * trial.curvature, trial.noise * left)
        self._trial = trial

    def gains(self, number: int, mean: Tensor, symbol: Tensor, costs: Costs) -> tuple[Tensor, ...]:
        changes = []
        for change in super().gains(number, mean, symbol, costs):
            change = change + self._trial.threshold
            if self._trial.share < 1:
                change = change.masked_fill(torch.rand(change.shape) > self._trial.share, math.inf)
            changes.append(change)
        return tuple(changes)


def _logistic(shape: torch.Size) -> Tensor:
    uniform = torch.rand(shape).clamp_(1e-6, 1 - 1e-6)
    return torch.log(uniform) - torch.log1p(-uniform)


class Trials(Descent):
    """Of one tile."""

    def costs(self, trial: Trial | None, updates: int) -> list[float]:
        """The cost of the latents before the first update and after each."""
        torch.manual_seed(1)
        found = self._annealed(updates) if trial is None else self._descended(trial, updates)
        return list(found)

    def _descended(self, trial: Trial, updates: int) -> Iterator[float]:
        v = self.start()
        curvature = Curvature(self.curvature_of(v))
        slope: Tensor | None = None
        for number in range(updates + 1):
            left = max(0.0, 1 - number / (0.8 * updates))
            chooser = _Changed(v, slope, curvature.value, trial, left)
            v, cost, gradient = self.step(chooser)
            yield cost
            if trial.learns:
                curvature.learn(v, gradient)
            slope = gradient if slope is None else slope.lerp(gradient, 1 - trial.momentum)

    def _annealed(self, updates: int) -> Iterator[float]:
        """Yang, Bamler and Mandt 2020: Adam on latents whose rounding is drawn.

        It needs to know the number of its updates before, so that each has a run of its own.
        """
        start = self.start()
        yield self.step(Chooser(start, None, start))[1]
        for total in range(1, updates + 1):
            if total not in _CHECKPOINTS:
                yield math.inf
                continue
            yield self._annealed_cost(start.clone(), total)

    def _annealed_cost(self, v: Tensor, updates: int) -> float:
        first, second = torch.zeros_like(v), torch.zeros_like(v)
        for number in range(updates):
            part = number / max(updates - 1, 1)
            rounding = _Annealed(v, 0.5 * (0.1 ** max(0.0, (part - 0.3) / 0.7)))
            _, _, gradient = self.step(rounding)
            gradient = (gradient + torch.stack(rounding.own)) * torch.stack(rounding.change)
            first.lerp_(gradient, 0.1)
            second.lerp_(gradient.square(), 0.01)
            rate = 0.02 * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * part)))
            spread = (second / (1 - 0.99 ** (number + 1))).sqrt_().add_(1e-8)
            v.addcdiv_(first / (1 - 0.9 ** (number + 1)), spread, value=-rate)
        return self.step(Chooser(v, None, v))[1]


class _Annealed:
    """Draws between the symbols below and above; knows own slopes and how v changes v_hat."""

    def __init__(self, v: Tensor, tau: float) -> None:
        self._v, self._tau = v, tau
        self.own: list[Tensor] = []
        self.change: list[Tensor] = []

    def __call__(self, number: int, mean: Tensor, costs: Costs) -> Tensor:
        offset = self._v[number] - mean
        low = offset.floor()
        part = (offset - low).clamp_(1e-4, 1 - 1e-4)
        logit = (torch.atanh(part) - torch.atanh(1 - part)) / self._tau
        share = torch.sigmoid((logit + _logistic(part.shape)) / self._tau)
        by_part = 1 / (1 - part.square()) + 1 / (part * (2 - part))
        _, below, above = costs(low)
        self.own.append(above - below)
        self.change.append(share * (1 - share) * by_part / self._tau**2)
        return mean + low + share


def trials_of(family: Family, pixels: np.ndarray, quality: float, tune: model_store.Tune) -> Trials:
    """Those of a picture of one tile, uint8 [16 h, 16 w, 3]."""
    tenths = round(10 * quality)
    y = family.analyse(pixels, tenths)
    coder = family.tile(y, tenths)
    _, v_hat = coder.encode(family.steps_of(y, tenths))
    rows, columns = (slice(0, side) for side in v_hat.shape[:2])
    whole = slice(0, pixels.shape[0]), slice(0, pixels.shape[1])
    view = TileView(v_hat, rows, columns, whole, pixels, None)
    level = family.level(tenths)
    lambda_ = family.config.lambda_of(level)
    return Trials(family.networks, coder, view, level=level, lambda_=lambda_, tune=tune)


def crop_of(path: Path, side_px: int) -> np.ndarray:
    """The middle of a picture."""
    pixels = np.asarray(Image.open(path).convert("RGB"))
    top, left = (pixels.shape[0] - side_px) // 2, (pixels.shape[1] - side_px) // 2
    return np.ascontiguousarray(pixels[top : top + side_px, left : left + side_px])


def line(name: str, gains: list[list[float]]) -> str:
    """A line of the table: gains of each picture and quality at the checkpoints, in percent."""
    return (
        f"| {name} | "
        + " | ".join(f"{np.mean(one):+.2f} %" for one in zip(*gains, strict=True))
        + " |"
    )


@click.command()
@click.argument("images", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--tune", type=click.Choice(model_store.TUNES), default="psnr", show_default=True)
@click.option("--weights", type=click.Path(exists=True, path_type=Path), help="Instead of a tune.")
@click.option("--quality", "qualities", type=float, multiple=True, default=(30, 70))
@click.option("--limit", type=int, default=4, show_default=True, help="So many of the pictures.")
@click.option("--crop", "crop_px", type=int, default=192, show_default=True)
def main(
    images: Path,
    tune: model_store.Tune,
    weights: Path | None,
    qualities: tuple[float, ...],
    limit: int,
    crop_px: int,
) -> None:
    """Pictures are the .png files of the folder IMAGES."""
    model = model_store.register_weights(weights) if weights else model_store.chosen(tune=tune)
    entry = model_store.by_name(model)
    family = model_store.load_codec(entry, "torch")
    crops = [crop_of(path, crop_px) for path in sorted(images.glob("*.png"))[:limit]]
    problems = [
        trials_of(family, crop, quality, model_store.tune_of(entry))
        for crop in crops
        for quality in qualities
    ]
    click.echo("| updates | " + " | ".join(map(str, _CHECKPOINTS)) + " |")
    click.echo("|---" * (len(_CHECKPOINTS) + 1) + "|")
    for name, trial in TRIALS.items():
        gains = []
        for problem in problems:
            costs = problem.costs(trial, _CHECKPOINTS[-1])
            gains.append([100 * (min(costs[: n + 1]) / costs[0] - 1) for n in _CHECKPOINTS])
        click.echo(line(name, gains))


if __name__ == "__main__":
    main()
