"""A packaged model's networks on ONNX Runtime, built from the weights file when they are needed."""

from __future__ import annotations

import copy
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import onnxruntime
from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidGraph

from latentcodec.entropy.context_prior import ContextPrior
from latentcodec.errors import CorruptWeights, LatError
from latentcodec.models.config import TransformConfig
from latentcodec.runtime.onnx_prior import OnnxPrior
from latentcodec.runtime.onnx_transforms import TransformGraphs
from latentcodec.system.cpu import limit

_CELL_PX = 16
# At a time through a transform: two megapixels, of which the rows that are only seen are few.
_STRIP_CELLS = 8192
_PROVIDER_OF = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "directml": "DmlExecutionProvider",
}


def providers_of(device: Any) -> list[Any]:
    """The execution providers for a device such as "cpu", "cuda:1", "coreml" or "directml".

    Raises LatError for one that ONNX Runtime does not have as it is installed.
    """
    name, _, index = str(device).partition(":")
    provider = _PROVIDER_OF.get(name)
    if provider not in onnxruntime.get_available_providers() or not (index or "0").isdigit():
        available = set(onnxruntime.get_available_providers())
        known = ", ".join(name for name, p in _PROVIDER_OF.items() if p in available)
        raise LatError(f"the device {str(device)!r} cannot be used: ONNX Runtime here has {known}")
    options = {"device_id": int(index)} if index else {}
    return [(provider, options), *(["CPUExecutionProvider"] if name != "cpu" else [])]


class Sessions:
    """Those of one model on one device, by the names of their graphs, made when first used."""

    def __init__(self, device: Any, threads: int | None) -> None:
        self._providers, self._threads = providers_of(device), threads
        self._made: dict[tuple[int, str], Any] = {}
        self._lock = threading.Lock()

    def get(self, name: str, graph: Callable[[], bytes]) -> Any:
        """That of a graph; `graph` gives its bytes when it is first asked for.

        Raises CorruptWeights where the weights do not make one.
        """
        key = os.getpid(), name  # a forked process has none of the threads of a session
        with self._lock:
            if key not in self._made:
                options = onnxruntime.SessionOptions()
                options.log_severity_level = 3
                options.intra_op_num_threads = self._threads or limit() or 0
                # Threads that wait for the next operator would take cores from other sessions.
                options.add_session_config_entry("session.intra_op.allow_spinning", "0")
                # So weights in int8 are widened once, and not in each run.
                options.add_session_config_entry("session.disable_quant_qdq", "1")
                self._made[key] = self._session(name, graph, options)
            return self._made[key]

    def _session(self, name: str, graph: Callable[[], bytes], options: Any) -> Any:
        try:
            return onnxruntime.InferenceSession(graph(), options, providers=self._providers)
        except (KeyError, ValueError, InvalidGraph, Fail) as error:
            raise CorruptWeights(f"the weights make no graph {name}: {error}") from error


class OnnxNetworks:
    """`Networks` on ONNX Runtime."""

    differentiable = False

    def __init__(self, tensors: dict[str, np.ndarray], config: TransformConfig) -> None:
        """`tensors`: those of a weights file."""
        self._graphs = TransformGraphs(tensors, config)
        self._config = config
        self._cpu = self._transforms = Sessions("cpu", None)

    def on(self, device: Any, threads: int | None) -> OnnxNetworks:
        if str(device) == "cpu" and threads is None:
            return self
        moved = copy.copy(self)
        moved._cpu = moved._transforms = Sessions("cpu", threads)
        if str(device) != "cpu":
            moved._transforms = Sessions(device, threads)
        return moved

    def cores(self) -> int:
        return 1  # sessions have threads of their own

    def analyse_strips(self, pixels: Iterable[np.ndarray], level: float) -> Iterator[np.ndarray]:
        session = self._transforms.get("g_a", self._graphs.g_a)
        for rows, above, below in _windows(pixels, _CELL_PX, self._config.analysis_halo):
            (y,) = session.run(None, {"pixels": rows, "level": _level(level)})
            yield y[above : len(y) - below]

    def synthesise_strips(
        self, v_hat: Iterable[np.ndarray], level: float, scale: int
    ) -> Iterator[np.ndarray]:
        session = self._transforms.get(f"g_s_{scale}", lambda: self._graphs.g_s(scale))
        side = _CELL_PX // scale
        for rows, above, below in _windows(v_hat, 1, self._config.synthesis_halo):
            given = {"v_hat": rows.astype(np.float32), "level": _level(level)}
            (x,) = session.run(None, given)
            yield x[above * side : len(x) - below * side]

    def hyper_analysis(self, y: np.ndarray, level: float) -> np.ndarray:
        session = self._cpu.get("h_a", self._graphs.h_a)
        return session.run(None, {"y": y, "level": _level(level)})[0]

    def prior(self, prior: ContextPrior) -> OnnxPrior:
        return OnnxPrior(prior, self._cpu.get)


def _level(level: float) -> np.ndarray:
    return np.array([level], dtype=np.float32)


def _windows(
    strips: Iterable[np.ndarray], unit: int, halo: int
) -> Iterator[tuple[np.ndarray, int, int]]:
    """Strips of rows joined to what goes through a transform at a time, and how many positions at
    its top and at its end are only seen: those of the window before, and of the one after.

    unit: rows of each position.
    """
    kept: list[np.ndarray] = []
    rows, above = 0, 0  # positions in `kept`, and how many of them have been given out
    for strip in strips:
        kept.append(strip)
        rows += len(strip) // unit
        own = rows - above - halo
        if own * (strip.shape[1] // unit) < _STRIP_CELLS or own < 2 * halo:
            continue
        window = np.concatenate(kept)
        yield window, above, halo
        start = max(rows - 2 * halo, 0)
        kept, above, rows = [window[start * unit :]], rows - halo - start, rows - start
    if rows > above:
        yield np.concatenate(kept), above, 0


def networks_of(
    tensors: dict[str, np.ndarray], family: str, config: TransformConfig
) -> OnnxNetworks:
    """Those of a model of any family that codes files."""
    return OnnxNetworks(tensors, config)
