"""A packaged model's transforms on torch."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from latentcodec.entropy.context_prior import ContextPrior
from latentcodec.entropy.integer_net import FRACTION_BITS
from latentcodec.entropy.prior import HyperPrior
from latentcodec.entropy.tables import MEAN_BITS
from latentcodec.models.config import TransformConfig
from latentcodec.models.packaged import (
    HyperTransforms,
    Transforms,
    VaeTransforms,
    in_precision,
)
from latentcodec.models.vae import LOG_SIGMA_RANGE
from latentcodec.runtime.precision import dtype_of, round_factors
from latentcodec.runtime.streaming import analysed, synthesised
from latentcodec.runtime.tensor_file import float_tensor
from latentcodec.runtime.torch_prior import TorchPrior

if TYPE_CHECKING:
    from torch import nn

    from latentcodec.runtime.vae import VaeFamily

NetT = TypeVar("NetT", bound="nn.Module")

_TRANSFORMS_OF = {"hyper": HyperTransforms, "ae": Transforms, "vae": VaeTransforms}


def weights_into(net: NetT, tensors: dict[str, np.ndarray]) -> NetT:
    """Fill a network on the meta device with the `float.*` tensors of a weights file.

    Raises KeyError for missing tensors, RuntimeError for misshapen ones.
    """
    floats = {name: torch.from_numpy(float_tensor(tensors, name)) for name in net.state_dict()}
    net.load_state_dict(floats, assign=True)
    return net.requires_grad_(False).eval()


def to_network(picture: np.ndarray) -> Tensor:
    """uint8 [H, W, 3] -> float32 [1, H, W, 3] in -1..1."""
    return torch.from_numpy(picture.astype(np.float32)).div_(127.5).sub_(1).unsqueeze(0)


def to_uint8(x: Tensor) -> np.ndarray:
    """float32 [1, H, W, 3] around -1..1 -> uint8 [H, W, 3]; x is overwritten."""
    # 127.5 (x + 1), and a half more, so that cutting the fraction off rounds; each pass counts.
    torch.add(x.new_tensor(128.0), x, alpha=127.5, out=x)
    return x[0].clamp_(0, 255).to(torch.uint8).cpu().numpy()


def first_prior(tensors: dict[str, np.ndarray], steps: int) -> tuple[HyperPrior, int]:
    """The prior of weights of the first generation, and the fractional bits of its z."""
    integers = {k: torch.from_numpy(v.copy()) for k, v in tensors.items() if v.dtype.kind == "i"}
    return HyperPrior(integers, steps), FRACTION_BITS


def _level_of(level: float) -> Tensor:
    """Float32 [1], on the CPU: whatever else the program has made torch's default."""
    return torch.tensor([level], dtype=torch.float32, device="cpu")


class TorchNetworks:
    """`Networks` on torch; a call uses as many threads as torch is set to."""

    differentiable = True

    def __init__(
        self, tensors: dict[str, np.ndarray], family: str, config: TransformConfig
    ) -> None:
        """`tensors`: those of a weights file. Raises KeyError or RuntimeError for others."""
        kind: Any = _TRANSFORMS_OF[family]
        with torch.device("meta"):
            net = kind(config)
        self.net = weights_into(net, tensors)
        # What a `vae` adds to its shortcut is large: bfloat16 would change samples by two levels.
        self._rounds = family != "vae"
        self._place(torch.device("cpu"))
        if family == "hyper":
            self._h_a = in_precision(self.net.h_a, dtype_of("cpu"))
        round_factors()

    def on(self, device: str | torch.device, threads: int | None) -> TorchNetworks:
        device = torch.device(device)
        if device == self.device:
            return self
        moved = copy.copy(self)
        moved._place(device)
        return moved

    def cores(self) -> int:
        return torch.get_num_threads()

    def _place(self, device: torch.device) -> None:
        """Have g_a and g_s on a device, in the precision that suits it."""
        dtype = dtype_of(device) if self._rounds else torch.float32
        self._g_a = in_precision(self.net.g_a, dtype).to(device)
        self._g_s = in_precision(self.net.g_s, dtype).to(device)
        self._y_std = self.net.y_std.to(device)
        self._postfilter = self._g_a.postfilter()

    @torch.inference_mode()
    def analyse_strips(self, pixels: Iterable[np.ndarray], level: float) -> Iterator[np.ndarray]:
        device = self._y_std.device
        at = _level_of(level).to(device)
        rows = (to_network(part).to(device) for part in pixels)
        for y in analysed(self._g_a, rows, at, self._y_std):
            yield y[0].cpu().numpy()

    @torch.inference_mode()
    def synthesise_strips(
        self, v_hat: Iterable[np.ndarray], level: float, scale: int
    ) -> Iterator[np.ndarray]:
        at, device = _level_of(level), self.device
        units = self.steps(level).cpu() / (1 << MEAN_BITS)
        rows = ((torch.from_numpy(v).float().unsqueeze(0) * units).to(device) for v in v_hat)
        for x in synthesised(self._g_s, rows, at.to(device), self._y_std, self._postfilter, scale):
            yield to_uint8(x)

    @property
    def device(self) -> torch.device:
        """Where the transforms run."""
        return self._y_std.device

    def steps(self, level: float) -> Tensor:
        """The quantisation steps of y_hat at a level, float32 [1, 1, 1, M]."""
        at = _level_of(level)
        return torch.exp(self.net.inverse_gain(at) - self.net.gain(at)).to(self.device)

    def synthesis(self, y_hat: Tensor, level: Tensor) -> Tensor:
        """g_s with gradients: pixels around -1..1, [1, 16 h, 16 w, 3], of y_hat [1, h, w, M]."""
        return self._g_s(y_hat, level, self._y_std, self._postfilter)

    @torch.inference_mode()
    def hyper_analysis(self, y: np.ndarray, level: float) -> np.ndarray:
        normal = torch.from_numpy(y).unsqueeze(0) / self.net.y_std
        return self._h_a(normal, _level_of(level))[0].numpy()

    def prior(self, prior: ContextPrior) -> TorchPrior:
        return TorchPrior(prior)


@torch.inference_mode()
def posterior(family: VaeFamily, pixels: np.ndarray, tenths: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean and ln sigma of q(z | x), float32 [h, w, M] each, of uint8 [16 h, 16 w, 3]."""
    assert isinstance(family.networks, TorchNetworks)
    net: Any = family.networks.net
    x, level = to_network(pixels), _level_of(family.level(tenths))
    features = net.g_a.features(x, level)
    y = net.g_a.latents(net.g_a.linear(x), features, net.y_std)[0].numpy()
    mean = family.steps_of(y, tenths) * family.unit_steps(tenths)
    log_sigma = net.log_sigma(level) + net.sigma_head(features)
    return mean, log_sigma.clamp(*LOG_SIGMA_RANGE)[0].numpy()


def networks_of(
    tensors: dict[str, np.ndarray], family: str, config: TransformConfig
) -> TorchNetworks:
    """Those of a model. Raises KeyError or RuntimeError for tensors that are not its own."""
    return TorchNetworks(tensors, family, config)
