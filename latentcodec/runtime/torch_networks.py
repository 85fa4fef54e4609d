"""A packaged model's transforms on torch."""

from __future__ import annotations

import copy
import functools
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from latentcodec.entropy.context_prior import ContextPrior
from latentcodec.entropy.tables import MEAN_BITS
from latentcodec.models.config import TransformConfig
from latentcodec.models.first_layers import FirstLayers
from latentcodec.models.hyper import HyperAnalysis, magnitude_of
from latentcodec.models.lapped import with_ends
from latentcodec.models.packaged import (
    HyperTransforms,
    Transforms,
    VaeTransforms,
    set_precision,
)
from latentcodec.models.transforms import Analysis, Synthesis
from latentcodec.models.vae import LOG_SIGMA_RANGE
from latentcodec.runtime.precision import dtype_of, keep_factors, round_factors
from latentcodec.runtime.streaming import analysed, synthesised
from latentcodec.runtime.tensor_file import float_tensor
from latentcodec.runtime.torch_prior import TorchPrior
from latentcodec.system.kernel_cache import limit_kernels

if TYPE_CHECKING:
    from torch import nn

    from latentcodec.runtime.vae import VaeFamily

NetT = TypeVar("NetT", bound="nn.Module")

_TRANSFORMS_OF = {"hyper": HyperTransforms, "ae": Transforms, "vae": VaeTransforms}


def weights_into(net: NetT, tensors: dict[str, np.ndarray], part: str = "") -> NetT:
    """Fill a network on the meta device with the `float.*` tensors of a weights file, or with those
    whose names begin with `part` behind that.

    Raises KeyError for missing tensors, RuntimeError for misshapen ones.
    """
    floats = {
        name: torch.from_numpy(float_tensor(tensors, f"{part}{name}")) for name in net.state_dict()
    }
    net.load_state_dict(floats, assign=True)
    return net.requires_grad_(False).eval()


def to_network(picture: np.ndarray) -> Tensor:
    """uint8 [H, W, 3] -> float32 [1, H, W, 3] in -1..1."""
    like = torch.empty(0, dtype=torch.float32, device="cpu")
    x = with_ends(1, *picture.shape, like=like)
    np.copyto(x[0].numpy(), picture)
    return x.div_(127.5).sub_(1)


def to_uint8(x: Tensor) -> np.ndarray:
    """float32 [1, H, W, 3] around -1..1 -> uint8 [H, W, 3]; x is overwritten."""
    # 127.5 (x + 1), and a half more, so that cutting the fraction off rounds; each pass counts.
    torch.add(x.new_tensor(128.0), x, alpha=127.5, out=x)
    return x[0].clamp_(0, 255).to(torch.uint8).cpu().numpy()


def _level_of(level: float) -> Tensor:
    """Float32 [1], on the CPU: whatever else the program has made torch's default."""
    return torch.tensor([level], dtype=torch.float32, device="cpu")


def _check_shapes(blank: nn.Module, tensors: dict[str, np.ndarray]) -> None:
    """Raise KeyError or RuntimeError unless a weights file has all of a network."""
    for name, wanted in blank.state_dict().items():
        stored = tensors[f"float.{name}"]
        if stored.shape != wanted.shape:
            raise RuntimeError(f"{name} has the shape {stored.shape}, not {tuple(wanted.shape)}")
        if stored.dtype == np.int8 and len(tensors[f"float.{name}.scale"]) != len(stored):
            raise RuntimeError(f"{name} has no scale for each output")


class TorchNetworks:
    """`Networks` on torch; a call uses as many threads as torch is set to."""

    differentiable = True

    def __init__(
        self, tensors: dict[str, np.ndarray], family: str, config: TransformConfig
    ) -> None:
        """`tensors`: those of a weights file. Raises KeyError or RuntimeError for others."""
        limit_kernels()
        kind: Any = _TRANSFORMS_OF[family]
        with torch.device("meta"):
            self._blank = kind(config)
        self._tensors = {
            name: tensor for name, tensor in tensors.items() if name.startswith("float.")
        }
        _check_shapes(self._blank, tensors)
        # What a `vae` adds to its shortcut is large: bfloat16 would change samples by two levels.
        self._rounds = family != "vae"
        self.device = torch.device("cpu")  # where the transforms run
        self._dtype = self._cpu_dtype = self._dtype_on(self.device)
        self._gain, self._inverse_gain = self.part("gain"), self.part("inverse_gain")
        self.y_std = torch.from_numpy(float_tensor(tensors, "y_std"))
        self._first_of: tuple[tuple[float, int, str], FirstLayers] | None = None
        self._postfilter = None
        if config.lapped:
            prefilter = torch.from_numpy(float_tensor(tensors, "g_a.prefilter"))
            self._postfilter = torch.linalg.inv(prefilter)
        if self._rounds:
            round_factors()
        else:
            keep_factors()

    def part(self, name: str) -> Any:
        """A new module of the model, in float32 on the CPU."""
        return weights_into(copy.deepcopy(getattr(self._blank, name)), self._tensors, f"{name}.")

    def on(self, device: str | torch.device, threads: int | None) -> TorchNetworks:
        device = torch.device(device)
        if device == self.device:
            return self
        moved = copy.copy(self)
        for name in ("g_a", "g_s"):
            moved.__dict__.pop(name, None)
        moved._first_of = None
        moved.device, moved._dtype = device, self._dtype_on(device)
        moved.y_std = self.y_std.to(device)
        if self._postfilter is not None:
            moved._postfilter = self._postfilter.to(device)
        return moved

    def cores(self) -> int:
        return torch.get_num_threads()

    # Each is made when it is first needed: who decodes has no use for g_a and h_a.

    @functools.cached_property
    def g_a(self) -> Analysis:
        made: Analysis = self._made("g_a", self._dtype, self.device)
        return made

    @functools.cached_property
    def g_s(self) -> Synthesis:
        made: Synthesis = self._made("g_s", self._dtype, self.device)
        return made

    @functools.cached_property
    def h_a(self) -> HyperAnalysis:
        made: HyperAnalysis = self._made("h_a", self._cpu_dtype, "cpu")
        return made

    @torch.inference_mode(False)  # who refines needs gradients of what was made for others
    def _made(self, name: str, dtype: torch.dtype, device: str | torch.device) -> Any:
        return set_precision(self.part(name), dtype).to(device)

    def _dtype_on(self, device: torch.device) -> torch.dtype:
        """That of features in the precision that suits a device."""
        return dtype_of(device) if self._rounds else torch.float32

    @torch.inference_mode()
    def analyse_strips(self, pixels: Iterable[np.ndarray], level: float) -> Iterator[np.ndarray]:
        at = _level_of(level).to(self.device)
        rows = (to_network(part).to(self.device) for part in pixels)
        for y in analysed(self.g_a, rows, at, self.y_std):
            yield y[0].cpu().numpy()

    @torch.inference_mode()
    def synthesise_strips(
        self, v_hat: Iterable[np.ndarray], level: float, scale: int
    ) -> Iterator[np.ndarray]:
        at = _level_of(level).to(self.device)
        first = self._first(level, scale if self._postfilter is None else 1)
        rows = (torch.from_numpy(v).unsqueeze(0).to(self.device) for v in v_hat)
        for x in synthesised(self.g_s, first, rows, at, self._postfilter, scale):
            yield to_uint8(x)

    def _first(self, level: float, scale: int) -> FirstLayers:
        """The synthesis' first layers, kept for the next picture, which is often of one quality."""
        key = level, scale, torch.get_float32_matmul_precision()
        kept = self._first_of
        if kept is None or kept[0] != key:
            units, at = self.steps(level).view(-1) / (1 << MEAN_BITS), _level_of(level)
            made = FirstLayers(self.g_s, units, self.y_std, at.to(self.device), scale)
            kept = self._first_of = key, made
        return kept[1]

    def steps(self, level: float) -> Tensor:
        """The quantisation steps of y_hat at a level, float32 [1, 1, 1, M]."""
        at = _level_of(level)
        return torch.exp(self._inverse_gain(at) - self._gain(at)).to(self.device)

    def synthesis(self, y_hat: Tensor, level: Tensor) -> Tensor:
        """g_s with gradients: pixels around -1..1, [1, 16 h, 16 w, 3], of y_hat [1, h, w, M]."""
        return self.g_s(y_hat, level, self.y_std, self._postfilter)

    @torch.inference_mode()
    def hyper_analysis(self, y: np.ndarray, level: float) -> np.ndarray:
        grid, at = torch.from_numpy(y).unsqueeze(0), _level_of(level)
        magnitude = magnitude_of(grid * self._gain(at).exp())
        return self.h_a(grid / self.y_std.cpu(), magnitude, at)[0].numpy()

    def prior(self, prior: ContextPrior) -> TorchPrior:
        return TorchPrior(prior)


@torch.inference_mode()
def posterior(family: VaeFamily, pixels: np.ndarray, tenths: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean and ln sigma of q(z | x), float32 [h, w, M] each, of uint8 [16 h, 16 w, 3]."""
    assert isinstance(family.networks, TorchNetworks)
    networks = family.networks
    x, level, g_a = to_network(pixels), _level_of(family.level(tenths)), networks.part("g_a")
    features = g_a.features(x, level)
    y = g_a.latents(g_a.linear(x), features, networks.y_std.cpu())[0].numpy()
    mean = family.steps_of(y, tenths) * family.unit_steps(tenths)
    log_sigma = networks.part("log_sigma")(level) + networks.part("sigma_head")(features)
    return mean, log_sigma.clamp(*LOG_SIGMA_RANGE)[0].numpy()


def networks_of(
    tensors: dict[str, np.ndarray], family: str, config: TransformConfig
) -> TorchNetworks:
    """Those of a model. Raises KeyError or RuntimeError for tensors that are not its own."""
    return TorchNetworks(tensors, family, config)
