"""What every packaged model does in floating point: pixels to y before the integers, and back."""

from __future__ import annotations

import abc
import copy
import math
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from latentcodec.entropy.coder import SymbolDecoder, SymbolSampler, SymbolSource, TableSet
from latentcodec.entropy.tables import MEAN_BITS
from latentcodec.models.config import TransformConfig
from latentcodec.models.packaged import Transforms
from latentcodec.runtime.streaming import analysed, synthesised

if TYPE_CHECKING:
    from torch import nn


NetT = TypeVar("NetT", bound="nn.Module")
FamilyT = TypeVar("FamilyT", bound="Family")
TransformsT = TypeVar("TransformsT", bound=Transforms)


def weights_into(net: NetT, tensors: dict[str, Tensor]) -> NetT:
    """Fill a network on the meta device with the `float.*` tensors of a weights file.

    Raises KeyError for missing tensors, RuntimeError for misshapen ones.
    """
    floats = {name: tensors[f"float.{name}"].float() for name in net.state_dict()}
    net.load_state_dict(floats, assign=True)
    return net.requires_grad_(False).eval()


def filled(kind: type[TransformsT], config: Any, tensors: dict[str, Tensor]) -> TransformsT:
    """Transforms with the tensors of a weights file; raises as `weights_into` does."""
    with torch.device("meta"):
        net = kind(config)
    return weights_into(net, tensors)


def to_network(picture: np.ndarray) -> Tensor:
    """uint8 [H, W, 3] -> float32 [1, H, W, 3] in -1..1."""
    return torch.from_numpy(picture.astype(np.float32)).div_(127.5).sub_(1).unsqueeze(0)


def to_uint8(x: Tensor) -> np.ndarray:
    """float32 [1, H, W, 3] around -1..1 -> uint8 [H, W, 3]; x is overwritten."""
    # 127.5 (x + 1), and a half more, so that cutting the fraction off rounds; each pass counts.
    torch.add(x.new_tensor(128.0), x, alpha=127.5, out=x)
    return x[0].clamp_(0, 255).to(torch.uint8).cpu().numpy()


class Family(abc.ABC):
    """A loaded model, as the chain sees it. Nothing in it changes: threads may share it."""

    def __init__(self, net: Transforms, tables: TableSet, config: TransformConfig) -> None:
        self.net, self.tables, self.config = net, tables, config
        self._g_a, self._g_s, self._y_std = net.g_a, net.g_s, net.y_std
        # How far, in latent positions, a pixel sees into y and a latent is seen in pixels.
        reach = config.kernel // 2
        self.analysis_halo = reach * config.blocks_16 + math.ceil(reach * config.blocks_8 / 2)
        self.synthesis_halo = reach * config.blocks_16 + math.ceil(
            reach * (config.blocks_8 + 1) / 2
        )

    def on(self: FamilyT, device: str | torch.device) -> FamilyT:
        """The same model, whose g_a and g_s run on a device.

        What is coded comes from the CPU all the same: gains, prior and tables stay there.
        """
        device = torch.device(device)
        if device == self._y_std.device:
            return self
        moved = copy.copy(self)
        moved._g_a = copy.deepcopy(self._g_a).to(device)
        moved._g_s = copy.deepcopy(self._g_s).to(device)
        moved._y_std = self._y_std.to(device)
        return moved

    def level(self, tenths: int) -> Tensor:
        """A quality in tenths (10..1000) on the scale of the level tables: float [1]."""
        return torch.tensor([self.config.level_of(tenths / 10)])

    def analyse(self, pixels: np.ndarray, tenths: int) -> np.ndarray:
        """g_a: uint8 [H, W, 3], H and W multiples of 16 -> y, float32 [H/16, W/16, M]."""
        return np.concatenate(list(self.analyse_strips([pixels], tenths)))

    @torch.inference_mode()
    def analyse_strips(self, pixels: Iterable[np.ndarray], tenths: int) -> Iterator[np.ndarray]:
        """The same of a picture that comes in strips of rows, from the top down.

        Each has a multiple of 16 rows. The rows of y that see the next strip come with it.
        """
        device = self._y_std.device
        level = self.level(tenths).to(device)
        rows = (to_network(part).to(device) for part in pixels)
        for y in analysed(self._g_a, rows, level, self._y_std):
            yield y[0].cpu().numpy()

    def synthesise(self, v_hat: np.ndarray, tenths: int, scale: int = 1) -> np.ndarray:
        """g_s: v_hat, [h, w, M] in 1/16 steps -> uint8 [16 h / scale, 16 w / scale, 3].

        scale: 1, 2, 4, 8 or 16; each pixel is the mean of scale x scale.
        """
        return np.concatenate(list(self.synthesise_strips([v_hat], tenths, scale)))

    @torch.inference_mode()
    def synthesise_strips(
        self, v_hat: Iterable[np.ndarray], tenths: int, scale: int = 1
    ) -> Iterator[np.ndarray]:
        """The same of latents that come in strips of rows, from the top down.

        The pixels that are also made of the next strip come with it.
        """
        level, device = self.level(tenths), self._y_std.device
        steps = torch.exp(self.net.inverse_gain(level) - self.net.gain(level))
        units = steps / (1 << MEAN_BITS)
        rows = ((torch.from_numpy(v).float().unsqueeze(0) * units).to(device) for v in v_hat)
        for x in synthesised(self._g_s, rows, level.to(device), self._y_std, scale):
            yield to_uint8(x)

    def unit_steps(self, tenths: int) -> np.ndarray:
        """How many units of a channel's spread one quantisation step is: float32 [M].

        The measure in which latents of different channels are compared and mixed.
        """
        gain = self.net.gain(self.level(tenths))
        return (torch.exp(-gain) / self.net.y_std)[0, 0, 0].numpy()

    def steps_of(self, y: np.ndarray, tenths: int) -> np.ndarray:
        """v: y (float32 [h, w, M]) in quantisation steps."""
        return y * self.net.gain(self.level(tenths)).exp()[0].numpy()

    @abc.abstractmethod
    def encode_latents(self, y: np.ndarray, tenths: int) -> tuple[bytes, np.ndarray]:
        """The payload of y (float32 [h, w, M]), and v_hat as the decoder will have it."""

    def decode_latents(self, payload: bytes, tenths: int, height: int, width: int) -> np.ndarray:
        """v_hat, int32 [h, w, M] in 1/16 quantisation steps: the same on every machine.

        Raises CorruptPayload for bytes that no encoder wrote.
        """
        coder = SymbolDecoder(payload, self.tables)
        v_hat = self.read_latents(coder, tenths, height, width)
        coder.finish()
        return v_hat

    @abc.abstractmethod
    def read_latents(
        self, source: SymbolSource, tenths: int, height: int, width: int
    ) -> np.ndarray:
        """v_hat as `decode_latents` gives it, from wherever the symbols come."""

    def draw(self, random: np.random.Generator, tenths: int, height: int, width: int) -> np.ndarray:
        """Latents drawn from the tables that would code them: float32 [h, w, M], in units.

        Ancestral sampling in coding order, which is what decoding random bits gives.
        """
        v_hat = self.read_latents(SymbolSampler(self.tables, random), tenths, height, width)
        return v_hat * (self.unit_steps(tenths) / (1 << MEAN_BITS))

    def embed(self, pixels: np.ndarray, tenths: int) -> np.ndarray:
        """Latents in units, not quantised: float32 [h, w, M] of uint8 [16 h, 16 w, 3]."""
        return self.steps_of(self.analyse(pixels, tenths), tenths) * self.unit_steps(tenths)

    def render(self, latents: np.ndarray, tenths: int) -> np.ndarray:
        """The picture, uint8 [16 h, 16 w, 3], of latents [h, w, M] in units."""
        return self.synthesise(latents * ((1 << MEAN_BITS) / self.unit_steps(tenths)), tenths)
