"""The exact networks of the `hyper` family's prior as ONNX graphs, and these at work.

docs/onnx.md says what each takes and gives. Everything is made of products, sums, clamping and
rounding half to even (ONNX's Round) of integers that float32 holds exactly, and of products of two
integers that float64 does: the results are the same in every runtime that follows IEEE 754.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from latentcodec.entropy import context_prior
from latentcodec.entropy.coding_order import GROUPS, PHASES, coded_in_step
from latentcodec.entropy.context_prior import ContextPrior, StepRows
from latentcodec.entropy.exact_net import LIMIT, STREAM_SHIFT, ExactBlock, ExactLinear
from latentcodec.entropy.tables import SCALE_COUNT
from latentcodec.runtime.onnx_file import Graph, data_type

_FLOAT, _DOUBLE = data_type("float32"), data_type("float64")


def h_s_graph(prior: ContextPrior) -> bytes:
    """z_hat to psi, the features that the coding steps begin with."""
    net = _ExactNet("h_s", "hyper synthesis: z_hat to the features of the coding steps")
    z = net.input("z_hat", "int32", ("h", "w", prior.up_32.weight.shape[-1]), "in 1/16")
    row = net.input("h_s_level", "int32", (len(prior.up_32.weight),), "row of the quality")
    z = net.op("Cast", net.op("Transpose", z, perm=[2, 0, 1]), to=_FLOAT)
    z = net.clip(net.op("Unsqueeze", z, net.integers(0)), -LIMIT, LIMIT)
    level = net.op("Mul", net.op("Cast", row, to=_FLOAT), net.scalar(2.0**-STREAM_SHIFT))
    level = net.op("Reshape", level, net.integers(1, -1, 1, 1))
    x = net.op("Add", net.linear("h_s.up_32", prior.up_32, z), level)
    x = net.to_space(net.quantised(x, 0))
    x = net.quantised(net.block("h_s.block", prior.block, x))
    x = net.linear("h_s.up_16", prior.up_16, x)
    x = net.op("Round", net.op("Mul", x, net.scalar(2.0**STREAM_SHIFT)))
    limit = context_prior.STREAM_LIMIT
    psi = net.to_space(net.clip(x, -limit, limit))
    channels = len(prior.up_16.weight) // 4
    net.output(psi, "u", "float32", (1, channels, "4 h", "4 w"), "features in 2 ** -14")
    return net.model()


def step_graph(prior: ContextPrior, step: int) -> bytes:
    """One coding step: means and tables of what it codes, from what the step before has coded."""
    net = _ExactNet(f"context_{step}", f"coding step {step}: means and tables of what it codes")
    features = (1, len(prior.steps[step].bias), "2 h", "2 w")
    phased = (PHASES, "h w", prior.group)
    u = net.input("u", "float32", features, "features in 2 ** -14")
    latents = GROUPS * prior.group
    rows = {}
    for name in StepRows._fields[: 2 if step == 0 else 3]:
        rows[name] = net.input(name, "int32", (latents,), "row of the quality")
    if step:
        text = "what the step before coded, mean + 16 * symbol, in 1/16 of a step"
        values = net.input("values", "int32", phased, text)
        u = _updated(net, prior, step - 1, u, values, rows["to_latent"])
        net.output(u, "u_next", "float32", features, "features for the step after this one")
    mean, log_scale = _parameters(net, prior, step, u)
    limit = context_prior.MEAN_LIMIT
    factor = net.phase_row(rows["to_step"], step, context_prior.MEAN_SCALE)
    mean = net.op("Round", net.op("Mul", mean, factor))
    mean = net.op("Cast", net.clip(mean, -limit, limit, "float64"), to=data_type("int32"))
    net.output(mean, "mean", "int32", phased, "means in 1/16 of a quantisation step")
    offset = net.phase_row(rows["table_offset"], step, context_prior.OFFSET_SCALE)
    scaled = net.op("Mul", log_scale, net.scalar(context_prior.TABLE_SCALE, "float64"))
    table = net.op("Round", net.op("Add", scaled, offset))
    table = net.clip(table, 0, SCALE_COUNT - 1, "float64")
    net.output(
        net.op("Cast", table, to=data_type("uint8")), "table", "uint8", phased, "probability table"
    )
    return net.model()


def _parameters(net: _ExactNet, prior: ContextPrior, step: int, u: str) -> tuple[str, str]:
    """Mean and log scale, float64 [PHASES, n, M/4] in 2 ** -6."""
    networks = prior.steps[step]
    bias = (networks.bias * 2.0**-STREAM_SHIFT).astype(np.float32).reshape(1, -1, 1, 1)
    h = net.op("Mul", u, net.scalar(2.0**-STREAM_SHIFT))
    h = net.clip(net.op("Add", h, net.constant(bias, f"context.{step}.bias")), 0, LIMIT)
    for index, block in enumerate(networks.blocks):
        h = net.block(f"context.{step}.blocks.{index}", block, h)
    h = net.quantised(net.op("SpaceToDepth", h, blocksize=2))
    out = net.linear(f"context.{step}.head", networks.head, h)
    out = net.op("Reshape", out, net.integers(PHASES, 2 * prior.group, -1))
    out = net.op("Cast", net.op("Transpose", out, perm=[0, 2, 1]), to=_DOUBLE)
    mean, log_scale = net.ops("Split", 2, out, axis=2)
    return mean, log_scale


def _updated(
    net: _ExactNet, prior: ContextPrior, step: int, u: str, values: str, to_latent: str
) -> str:
    """The features u after what `step` has coded."""
    networks = prior.steps[step]
    assert networks.coded is not None
    factor = net.phase_row(to_latent, step, context_prior.LATENT_SCALE)
    x = net.op("Round", net.op("Mul", net.op("Cast", values, to=_DOUBLE), factor))
    limit = context_prior.LATENT_LIMIT
    x = net.op("Cast", net.clip(x, -limit, limit - 1, "float64"), to=_FLOAT)
    size = net.op("Slice", net.op("Shape", u), net.integers(2), net.integers(4))
    channels = net.integers(1, PHASES * prior.group)
    half = net.op("Div", size, net.integers(2))
    shape = net.op("Concat", channels, half, axis=0)
    x = net.op("Reshape", net.op("Transpose", x, perm=[0, 2, 1]), shape)
    high = net.op("Floor", net.op("Mul", x, net.scalar(1 / LIMIT)))
    low = net.op("Sub", x, net.op("Mul", high, net.scalar(LIMIT)))
    name, scale = f"context.{step}.coded", context_prior.CODED_SCALE
    first = net.op("Round", net.linear(name, networks.coded, high, scale * LIMIT))
    second = net.op("Round", net.linear(name, networks.coded, low, scale))
    known = context_prior.magnitudes().astype(np.float32)
    place = net.op("Min", net.op("Abs", values), net.scalar(len(known) - 1, "int32"))
    m = net.op("Gather", net.constant(known, "magnitudes"), place)
    m = net.op("Reshape", net.op("Transpose", m, perm=[0, 2, 1]), shape)
    name, scale = f"context.{step}.magnitude", context_prior.MAGNITUDE_SCALE
    third = net.op("Round", net.linear(name, networks.magnitude, m, scale))
    added = net.to_space(net.op("Add", net.op("Add", first, second), third))
    bound = context_prior.STREAM_LIMIT
    return net.clip(net.op("Add", u, added), -bound, bound)


class _ExactNet(Graph):
    """A graph of the layers of `entropy/exact_net.py`; features are [1, C, h, w]."""

    def clip(self, x: str, low: float, high: float, dtype: str = "float32") -> str:
        return self.op("Clip", x, self.scalar(low, dtype), self.scalar(high, dtype))

    def quantised(self, x: str, low: float = -LIMIT) -> str:
        return self.op("Round", self.clip(x, low, LIMIT))

    def to_space(self, x: str) -> str:
        return self.op("DepthToSpace", x, blocksize=2, mode="DCR")

    def phase_row(self, row: str, step: int, scale: float) -> str:
        """Of a row, int32 [M], what each phase needs: float64 [PHASES, 1, M/4]."""
        groups = [group for _, group in coded_in_step(step)]
        parts = self.op("Reshape", row, self.integers(GROUPS, 1, -1))
        parts = self.op("Gather", parts, self.integers(*groups))
        return self.op("Mul", self.op("Cast", parts, to=_DOUBLE), self.scalar(scale, "float64"))

    def weight(self, name: str, layer: ExactLinear, shape: tuple[int, ...], scale: float) -> str:
        """The layer's integers, which the graph itself multiplies by 2 ** -shift and `scale`."""
        integers = self.constant(layer.weight.reshape(shape), f"{name}.weight")
        factor = (layer.scale * np.float32(scale)).reshape(-1, 1, 1, 1)
        factors = self.constant(factor, f"{name}.scale:{scale:g}")
        return self.op("Mul", self.op("Cast", integers, to=_FLOAT), factors)

    def linear(self, name: str, layer: ExactLinear, x: str, scale: float = 1.0) -> str:
        """A product over the channels; of stacked layers, of each one's share of them."""
        inputs = layer.weight.shape[-1]
        inputs_of = [self.weight(name, layer, (-1, inputs, 1, 1), scale)]
        if layer.bias is not None:
            bias = (layer.bias * layer.scale).astype(np.float32).ravel()
            inputs_of.append(self.constant(bias, f"{name}.bias"))
        group = layer.weight.shape[0] if layer.weight.ndim == 3 else 1
        return self.op("Conv", x, *inputs_of, group=group, kernel_shape=[1, 1])

    def block(self, name: str, block: ExactBlock, x: str) -> str:
        taps = self.weight(f"{name}.depthwise", block.depthwise, (-1, 1, 3, 3), 1.0)
        channels = len(block.depthwise.weight)
        h = self.op(
            "Conv",
            self.quantised(x),
            taps,
            group=channels,
            kernel_shape=[3, 3],
            pads=[1] * 4,
        )
        wide = self.linear(f"{name}.expand", block.expand, self.quantised(h))
        return self.op(
            "Add", self.linear(f"{name}.project", block.project, self.quantised(wide, 0)), x
        )


class OnnxPrior:
    """`PriorNetworks` on ONNX Runtime, whose features are arrays [1, C, h, w]."""

    def __init__(
        self, prior: ContextPrior, session: Callable[[str, Callable[[], bytes]], Any]
    ) -> None:
        """session: gives that of a graph by its name, made of the bytes when first asked for."""
        self._prior, self._session = prior, session

    def psi(self, z_hat: np.ndarray, h_s_level: np.ndarray, height: int, width: int) -> np.ndarray:
        # What is beyond int32 is clamped in the graph to the same.
        z = np.clip(z_hat, -LIMIT, LIMIT).astype(np.int32)
        session = self._session("h_s", lambda: h_s_graph(self._prior))
        (u,) = session.run(["u"], {"z_hat": z, "h_s_level": h_s_level})
        return np.ascontiguousarray(u[:, :, :height, :width])

    def step(
        self, step: int, u: np.ndarray, values: np.ndarray | None, rows: StepRows
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        given: dict[str, np.ndarray] = {"u": u, **rows._asdict()}
        session = self._session(f"context_{step}", lambda: step_graph(self._prior, step))
        if values is None:
            del given["to_latent"]
            return u, *session.run(["mean", "table"], given)
        found = session.run(["u_next", "mean", "table"], given | {"values": values})
        return found[0], found[1], found[2]
