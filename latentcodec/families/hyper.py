"""The packaged `hyper` model at work: transforms in float32, latents and prior on integers."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from latentcodec import tensor_file
from latentcodec.entropy.coder import SymbolDecoder, SymbolEncoder, TableSet
from latentcodec.entropy.integer_net import FRACTION_BITS
from latentcodec.entropy.prior import HyperPrior, latents_of_step
from latentcodec.entropy.quantise import Quantiser
from latentcodec.entropy.tables import MEAN_BITS
from latentcodec.errors import CorruptWeights
from latentcodec.models.config import HyperConfig
from latentcodec.models.hyper import Analysis, HyperAnalysis, Synthesis
from latentcodec.models.layers import LevelTable

_Z_CELLS = 4  # latent positions per position of z, along a side


class _Transforms(nn.Module):
    """The floating-point part: what the encoder does before and the decoder after the integers."""

    y_std: Tensor

    def __init__(self, config: HyperConfig) -> None:
        super().__init__()
        self.g_a = Analysis(config)
        self.g_s = Synthesis(config)
        self.h_a = HyperAnalysis(config)
        self.gain = LevelTable(config.anchors, config.latents)
        self.inverse_gain = LevelTable(config.anchors, config.latents)
        self.register_buffer("y_std", torch.empty(config.latents))


class HyperFamily:
    """A loaded model. Nothing in it changes after loading: threads may share it."""

    def __init__(self, weights: bytes) -> None:
        """`weights`: a safetensors file as `training.export` writes it.

        Raises CorruptWeights for anything else.
        """
        try:
            tensors, description = tensor_file.unpack(weights)
            self.config = HyperConfig(**description["config"])
            with torch.device("meta"):
                self._net = _Transforms(self.config)
            floats = {
                name.removeprefix("float."): value.float()
                for name, value in tensors.items()
                if name.startswith("float.")
            }
            self._net.load_state_dict(floats, assign=True)
            self._tables = TableSet(
                tensors["tables.halves"].numpy(), tensors["tables.counts"].numpy()
            )
        except (KeyError, TypeError, ValueError, RuntimeError) as e:
            raise CorruptWeights(f"the weights cannot be loaded: {e}") from e
        self._quantiser = Quantiser(self._tables.counts)
        self._net.requires_grad_(False).eval()
        self._prior = HyperPrior(tensors, self.config.steps)
        # How far, in latent positions, a pixel sees into y and a latent is seen in pixels.
        self.analysis_halo = self.config.blocks_16 + math.ceil(self.config.blocks_8 / 2)
        self.synthesis_halo = self.config.blocks_16 + math.ceil((self.config.blocks_8 + 1) / 2)

    def _level(self, tenths: int) -> Tensor:
        return torch.tensor([(tenths / 10 - 1) / 99 * (self.config.anchors - 1)])

    @torch.inference_mode()
    def analyse(self, pixels: np.ndarray, tenths: int) -> np.ndarray:
        """g_a: uint8 [H, W, 3], H and W multiples of 16 -> y, float32 [H/16, W/16, M]."""
        x = torch.from_numpy(pixels.astype(np.float32)).div_(127.5).sub_(1).unsqueeze(0)
        return self._net.g_a(x, self._level(tenths), self._net.y_std)[0].numpy()

    def encode_latents(self, y: np.ndarray, tenths: int) -> tuple[bytes, np.ndarray]:
        """The payload of y (float32 [h, w, M]), and v_hat as the decoder will have it."""
        calls, v_hat = self.symbols(y, tenths)
        coder = SymbolEncoder(self._tables)
        for symbols, tables in calls:
            coder.put(symbols, tables)
        return coder.finish(), v_hat

    @torch.inference_mode()
    def symbols(
        self, y: np.ndarray, tenths: int
    ) -> tuple[list[tuple[np.ndarray, np.ndarray]], np.ndarray]:
        """What is coded for y: (symbols, tables) in decoding order, and v_hat."""
        height, width, _ = y.shape
        level = self._level(tenths)
        batch = torch.from_numpy(y).unsqueeze(0)
        normal = batch / self._net.y_std
        normal = functional.pad(normal, (0, 0, 0, -width % _Z_CELLS, 0, -height % _Z_CELLS))
        z = self._net.h_a(normal, level)[0].numpy()
        mean, table = self._prior.z_parameters(tenths, z.shape[0] * z.shape[1])
        # Means of z have more fractional bits than those of y.
        offset = z.ravel() - mean / (1 << FRACTION_BITS)
        symbols = self._quantiser.symbols(offset, np.zeros_like(mean), table)
        calls = [(symbols, table)]
        psi = self._prior.psi(_z_hat(symbols, mean, z.shape), tenths, height, width)
        v = (batch * self._net.gain(level).exp())[0].numpy()

        def code(step: int, means: np.ndarray, tables: np.ndarray) -> np.ndarray:
            wanted = latents_of_step(v, step, self.config.steps)
            chosen = self._quantiser.symbols(wanted, means, tables)
            calls.append((chosen, tables))
            return chosen

        return calls, self._prior.run(psi, tenths, code)

    @torch.inference_mode()
    def decode_latents(self, payload: bytes, tenths: int, height: int, width: int) -> np.ndarray:
        """v_hat, int32 [h, w, M] in 1/16 quantisation steps.

        Raises CorruptPayload for bytes that no encoder wrote.
        """
        coder = SymbolDecoder(payload, self._tables)
        z_shape = math.ceil(height / _Z_CELLS), math.ceil(width / _Z_CELLS)
        mean, table = self._prior.z_parameters(tenths, z_shape[0] * z_shape[1])
        symbols = coder.get(table)
        z_hat = _z_hat(symbols, mean, (*z_shape, self.config.hyper_latents))
        psi = self._prior.psi(z_hat, tenths, height, width)
        v_hat = self._prior.run(psi, tenths, lambda step, means, tables: coder.get(tables))
        coder.finish()
        return v_hat

    @torch.inference_mode()
    def synthesise(self, v_hat: np.ndarray, tenths: int) -> np.ndarray:
        """g_s: v_hat, int32 [h, w, M] in 1/16 steps -> uint8 [16 h, 16 w, 3]."""
        level = self._level(tenths)
        steps = torch.exp(self._net.inverse_gain(level) - self._net.gain(level))
        y_hat = torch.from_numpy(v_hat).float().unsqueeze(0) * (steps / (1 << MEAN_BITS))
        x = self._net.g_s(y_hat, level, self._net.y_std)[0]
        return x.add_(1).mul_(127.5).round_().clamp_(0, 255).to(torch.uint8).numpy()


def _z_hat(symbols: np.ndarray, mean: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """int64 [h/4, w/4, Z] with 12 fractional bits."""
    return ((symbols.astype(np.int64) << FRACTION_BITS) + mean).reshape(shape)
