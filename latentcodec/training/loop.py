"""The training loop of every family: read from top to bottom."""

from __future__ import annotations

import dataclasses
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from latentcodec import __version__
from latentcodec.models.config import Config
from latentcodec.models.dct import BLOCK_PX, shortcut_matrices
from latentcodec.models.families import build
from latentcodec.models.layers import space_to_depth
from latentcodec.system.git import commit
from latentcodec.training import checkpoint, equalisation, hidden_units
from latentcodec.training.averages import Averages
from latentcodec.training.data import CropSampler, Photographs, augmentation_of, with_grain
from latentcodec.training.distributed import Ranks
from latentcodec.training.interruption import caught_signals
from latentcodec.training.objective import losses
from latentcodec.training.optimiser import Optimisers, rate_share
from latentcodec.training.restore import Saved, model_state
from latentcodec.training.run_report import RunReport
from latentcodec.training.settings import Progress, Settings
from latentcodec.training.validation import Validation

QUANTISED_SHARE = 0.1  # of the training, its end, with the prior rounded as its integers will be
GRAPHICS_SHARE = 0.12  # of the crops, where there are any
_START_CROPS = 24  # whose statistics a new model starts from
_GRADIENT_NORM = 1.0
_SMALLEST_SPREAD = 1e-2  # of a coefficient of the DCT, as of y
_REPORT_STEPS = 50
_REVIVAL_STEPS = 500  # from one look for dead units to the next
_OBSERVED_BATCHES = 4  # in which a unit has to fire


class Trainer:
    """One model, its averages, its optimisers and its counters."""

    def __init__(
        self, settings: Settings, photographs: Photographs, ranks: Ranks | None = None
    ) -> None:
        self.settings = settings
        self.ranks = ranks or Ranks.join(settings.device)
        self.device = self.ranks.device
        self.progress = Progress()
        self.fresh_since = 0  # step at which the optimisers began without a past
        self.revived = 0  # hidden units since the last report
        self.quantised = False
        torch.manual_seed(settings.seed)
        augmentation = augmentation_of(settings.family)
        self.sampler = CropSampler(photographs, settings.crop_px, settings.seed, augmentation)
        saved = Saved.load(settings.resume, settings.family) if settings.resume else None
        if saved and settings.prune:
            saved = self._pruned(saved)
        self.config = saved.config if saved else settings.config
        self.model = build(settings.family, self.config).to(self.device)
        if saved is None:
            self._start(self.sampler.batch(0, _START_CROPS))
        self.averages = Averages(self.model, settings.averages)
        self.optimisers = Optimisers(self.model, self._whitening())
        if saved is not None:
            self._restore(saved)
        self.forward = self.ranks.share(self.model)
        if settings.compile:
            self.forward = torch.compile(self.forward, dynamic=False)  # type: ignore[assignment]
        self.progress.runs.append(self._new_run(len(photographs.images), saved is None))

    def _new_run(self, images: int, anew: bool) -> dict[str, Any]:
        """What the manifest will tell of this spell of training; the counters come as it goes."""
        settings = self.settings
        run: dict[str, Any] = {
            "device": _device_name(self.device),
            "crops": 0,
            "seconds": 0.0,
            "seed": settings.seed,
            "data": [path.name for path in settings.data],
            "images": images,
            "distortion": self.settings.distortion,
            "source": commit() or f"latentcodec {__version__}",
        }
        if settings.transforms and anew:
            run["transforms"] = settings.transforms.name
        return run

    def _start(self, photographs: Tensor) -> None:
        """From nothing but the DCT, or from the transforms of a trained model."""
        self.model.start(photographs)
        source = self.settings.transforms
        if source is None:
            return
        tensors, meta = checkpoint.load(source)
        state = (
            model_state(tensors, meta)
            if "trained" in meta
            else checkpoint.under(tensors, "average/")
        )
        try:
            self.model.start_from(photographs, {k: v.to(self.device) for k, v in state.items()})
        except ValueError as error:
            raise ValueError(f"cannot start from {source}: {error}") from error

    def _whitening(self) -> Tensor | None:
        """P of the pixels of a 16x16 cell: their DCT over its standard deviations."""
        if not hasattr(self.model, "g_a"):
            return None
        dct = torch.from_numpy(shortcut_matrices(3 * BLOCK_PX**2)[0]).float()
        cells = space_to_depth(self.sampler.batch(0, _START_CROPS).cpu(), BLOCK_PX)
        spread = (cells.flatten(0, 2) @ dct.T).std(0).clamp_min(_SMALLEST_SPREAD)
        return (dct / spread[:, None]).to(self.device)

    def _restore(self, saved: Saved) -> None:
        self.model.load_state_dict(checkpoint.under(saved.tensors, "model/"))
        self.averages.restore(saved.tensors)
        self.progress = Progress(**saved.progress)
        optimisers = checkpoint.under(saved.tensors, "optimiser/")
        self.optimisers.restore(optimisers)
        if not optimisers:
            self.fresh_since = self.progress.step

    def _pruned(self, saved: Saved) -> Saved:
        """The same with the hidden units that the asked-for sizes have room for."""
        model = build(self.settings.family, saved.config).to(self.device)
        model.load_state_dict(checkpoint.under(saved.tensors, "average/"))
        seen = self._activity(model, saved.progress["step"], saved.config)
        config = self.settings.config
        cut = hidden_units.pruned(saved.tensors, seen, build(self.settings.family, config))
        return dataclasses.replace(saved, tensors=cut, config=config)

    def _activity(
        self, model: torch.nn.Module, step: int, config: Config
    ) -> dict[str, hidden_units.Activity]:
        """What hidden units do on those crops."""
        return hidden_units.activity(model, *self._observed(step, config))

    def _observed(self, step: int, config: Config) -> tuple[Iterator[Tensor], Tensor]:
        """Crops, and levels of the whole scale for each batch: the same in all ranks."""
        size = self.settings.batch
        level = torch.linspace(0, config.anchors - 1, size, device=self.device)
        return (self.sampler.batch(step + i, size) for i in range(_OBSERVED_BATCHES)), level

    def _revive(self) -> None:
        """Draw hidden units anew that no longer fire."""
        torch.manual_seed(self.settings.seed * 1_000_003 + self.progress.step)
        seen = self._activity(self.model, self.progress.step, self.config)
        self.revived += hidden_units.revive(
            seen, [self.model, *self.averages.models()], self.optimisers.tensors()
        )

    def _quantise(self) -> None:
        """Round in the prior from now on, with activations as large as export makes them."""
        seen = equalisation.ranges(self.model, *self._observed(self.progress.step, self.config))
        for model in (self.model, *self.averages.models()):
            equalisation.equalise(model, seen)
        self.model.quantise()

    def save(self, path: Path) -> None:
        """Write a checkpoint; of several processes, the first does."""
        if self.ranks.rank:
            return
        tensors = {f"model/{k}": v for k, v in self.model.state_dict().items()}
        tensors |= self.averages.tensors()
        tensors |= {f"optimiser/{k}": v for k, v in self.optimisers.tensors().items()}
        meta = {
            "family": self.settings.family,
            "config": dataclasses.asdict(self.config),
            "progress": dataclasses.asdict(self.progress),
        }
        checkpoint.save(path, tensors, meta, self.settings.part_bytes)

    def share_done(self) -> float:
        """How much of the asked-for training lies behind, 0..1."""
        if self.settings.updates is not None:
            return self.progress.step / self.settings.updates
        assert self.settings.minutes is not None
        return self.progress.seconds / (60 * self.settings.minutes)

    def train_step(self) -> dict[str, Tensor]:
        """One batch; returns its detached loss, bits per pixel and PSNR (device scalars)."""
        s, step = self.settings, self.progress.step
        started = time.monotonic()
        if self.share_done() >= 1 - QUANTISED_SHARE and not self.quantised:
            self._quantise()
            self.quantised = True
        if step and step % _REVIVAL_STEPS == 0:
            self._revive()
        draw = step * self.ranks.count + self.ranks.rank
        torch.manual_seed(s.seed * 1_000_003 + draw)
        x = self.sampler.batch(draw, s.batch).to(self.device)
        # One level from each equal part of the scale: less noise than independent draws.
        level = (torch.randperm(s.batch) + torch.rand(s.batch)) / s.batch
        level = (level * (self.config.anchors - 1)).to(self.device)
        if s.grain:
            x = with_grain(x, level / (self.config.anchors - 1))
        batch = losses(self.forward, x, level, self.config, s)
        batch.loss.mean().backward()
        self.optimisers.after_backward()
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), _GRADIENT_NORM)
        if torch.isfinite(norm):
            self.optimisers.step(
                rate_share(step - self.fresh_since, self.share_done(), s.decay_share)
            )
            self.averages.update(self.model, step + 1)
        else:  # a rare overflow: the batch is left out
            self.model.zero_grad(set_to_none=True)
        self._count(time.monotonic() - started)
        return batch.means()

    def _count(self, seconds: float) -> None:
        # The schedule follows the first process's clock, so that all take the same steps.
        (seconds,) = self.ranks.broadcast(seconds)
        crops = self.settings.batch * self.ranks.count
        self.progress.step += 1
        self.progress.crops += crops
        self.progress.seconds += seconds
        self.progress.runs[-1]["crops"] += crops
        self.progress.runs[-1]["seconds"] += seconds


def _device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"


def train(settings: Settings, report: Callable[[str], None]) -> None:
    """Train until the budget is spent or a signal comes; the checkpoint is always written.

    Beside `out`, `out` with `.stable` before its suffix keeps the state from just before the
    learning rate descends: longer training resumes from there. Raises KeyboardInterrupt after
    Ctrl-C, when the checkpoint is there.
    """
    torch.set_flush_denormal(True)  # far tails of the rates are denormal numbers, which are slow
    ranks = Ranks.join(settings.device)
    smallest_px = augmentation_of(settings.family).smallest_px(settings.crop_px)
    photographs = Photographs.load(settings.data, smallest_px, ranks.device)
    if settings.graphics:
        graphics = Photographs.load(settings.graphics, smallest_px, ranks.device)
        photographs = photographs.with_graphics(graphics, GRAPHICS_SHARE)
    validation = Validation(settings, ranks.device) if settings.validation else None
    trainer = Trainer(settings, photographs, ranks)
    told = RunReport(_silent) if ranks.rank else RunReport(report, settings.log)
    parameters = sum(p.numel() for p in trainer.model.parameters())
    count = len(photographs.images)
    images = "1 image" if count == 1 else f"{count} images"
    told.tell(f"{images}, {parameters} parameters, from step {trainer.progress.step}")
    with caught_signals() as stop:
        _run(trainer, told, validation, stop)
    _save(trainer, told, validation)
    told.tell(f"stopped at step {trainer.progress.step}, checkpoint {settings.out}")
    ranks.leave()
    if signal.SIGINT in stop:
        raise KeyboardInterrupt


def _run(trainer: Trainer, told: RunReport, validation: Validation | None, stop: list[int]) -> None:
    """Steps, reports and checkpoints until the budget is spent or `stop` has an entry."""
    s = trainer.settings
    stable = s.out.with_name(f"{s.out.stem}.stable{s.out.suffix}")
    saved = time.monotonic()
    window: list[dict[str, Tensor]] = []
    while trainer.share_done() < 1 and not trainer.ranks.any_rank(bool(stop)):
        before = trainer.share_done()
        window.append(trainer.train_step())
        if before < 1 - s.decay_share <= trainer.share_done():
            trainer.save(stable)
        if trainer.progress.step % _REPORT_STEPS == 0:
            _tell(trainer, told, window)
            window.clear()
        if time.monotonic() - saved > 60 * s.save_minutes:
            _save(trainer, told, validation)
            saved = time.monotonic()


def _save(trainer: Trainer, told: RunReport, validation: Validation | None) -> None:
    """Write the checkpoint, and tell how good its average is."""
    trainer.save(trainer.settings.out)
    if validation and not trainer.ranks.rank:
        told.validation(
            trainer.progress, validation.measure(trainer.averages.first, trainer.config)
        )


def _silent(line: str) -> None:
    """What all processes but the first report."""


def _tell(trainer: Trainer, told: RunReport, window: list[dict[str, Tensor]]) -> None:
    mean = {k: torch.stack([row[k] for row in window]).mean().item() for k in window[0]}
    done = trainer.share_done()
    left = trainer.progress.seconds * (1 - done) / max(done, 1e-9)
    told.training(trainer.progress, mean, left, trainer.revived)
    trainer.revived = 0
