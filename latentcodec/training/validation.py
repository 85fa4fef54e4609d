"""The loss of photographs that training never sees."""

from __future__ import annotations

import torch

from latentcodec.models.config import Config
from latentcodec.training.data import CropSampler, Photographs, augmentation_of
from latentcodec.training.objective import losses
from latentcodec.training.settings import Settings

_BATCHES = 8
_SEED = 1  # of crops and noise: the same at every look, and in every run


class Validation:
    """The same crops of held-out photographs, at qualities of the whole scale, at every look."""

    def __init__(self, settings: Settings, device: torch.device) -> None:
        """Raises ValueError where no photograph is large enough."""
        augmentation = augmentation_of(settings.family)
        smallest_px = augmentation.smallest_px(settings.crop_px)
        photographs = Photographs.load(settings.validation, smallest_px, device)
        self._sampler = CropSampler(photographs, settings.crop_px, _SEED, augmentation)
        self._settings = settings
        self._device = device

    @torch.no_grad()
    def measure(self, model: torch.nn.Module, config: Config) -> dict[str, float]:
        """Mean loss, bits per pixel and PSNR in dB. The state of torch's generators stays."""
        size = self._settings.batch
        level = torch.linspace(0, config.anchors - 1, size, device=self._device)
        devices = [self._device] if self._device.type == "cuda" else []
        with torch.random.fork_rng(devices):
            torch.manual_seed(_SEED)
            rows = [
                losses(model, self._sampler.batch(number, size), level, config, self._settings)
                for number in range(_BATCHES)
            ]
        means = [row.means() for row in rows]
        return {name: torch.stack([row[name] for row in means]).mean().item() for name in means[0]}
