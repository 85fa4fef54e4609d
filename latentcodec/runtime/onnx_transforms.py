"""g_a, g_s and h_a as ONNX graphs, made of the tensors of a weights file: see docs/onnx.md.

The twins of `models/transforms.py` and of `HyperAnalysis`. Within a graph features are
[1, C, h, w], which ONNX's convolutions want. Weights in 8 bits or in half precision stay
so, and are widened by the graph itself.
"""

from __future__ import annotations

import math

import numpy as np

from latentcodec.entropy.tables import MEAN_BITS
from latentcodec.models.config import HyperConfig, TransformConfig
from latentcodec.runtime.onnx_file import Graph, data_type
from latentcodec.runtime.tensor_file import float_tensor

_FLOAT = data_type("float32")
_BLOCK_PX = 16
_HEAD_GAIN = 0.1  # of `models.transforms`
_GRID = ("h", "w")


class TransformGraphs:
    """Builds graphs of one model."""

    def __init__(self, tensors: dict[str, np.ndarray], config: TransformConfig) -> None:
        """`tensors`: those of a weights file; KeyError says which one is missing, and ValueError
        that no filter undoes the prefilter."""
        self._tensors, self._config = tensors, config
        self._latents = config.latents
        if config.lapped:
            self._prefilter = float_tensor(tensors, "g_a.prefilter")
            self._postfilter = np.linalg.inv(self._prefilter)
            if self._postfilter.shape != (2, _BLOCK_PX, _BLOCK_PX):
                raise ValueError("the prefilter is misshapen")

    def g_a(self) -> bytes:
        """Pixels to latents."""
        c, g = self._config, _Net(self._tensors, "g_a", "analysis: pixels to latents")
        pixels = g.input("pixels", "uint8", ("16 h", "16 w", 3), "RGB")
        level = g.level(c.anchors)
        x = g.op("Sub", g.op("Div", g.to_float(pixels), g.scalar(127.5)), g.scalar(1.0))
        x = g.planes(x)
        filtered = g.lapped(x, self._prefilter) if c.lapped else x
        linear = g.linear("g_a.shortcut", g.to_depth(filtered, _BLOCK_PX), bias=False)
        h = g.op("Add", g.linear("g_a.stem_8", g.to_depth(x, 8)), level("g_a.level_8"))
        h = g.blocks("g_a.blocks_8", h, c.blocks_8, c)
        h = g.op("Add", g.linear("g_a.stem_16", g.to_depth(h, 2)), level("g_a.level_16"))
        h = g.linear("g_a.head", g.blocks("g_a.blocks_16", h, c.blocks_16, c))
        y = g.op("Add", linear, g.op("Mul", h, g.column("y_std")))
        g.output(g.rows(y), "y", "float32", (*_GRID, self._latents), "latents, not quantised")
        return g.model()

    def g_s(self, scale: int = 1) -> bytes:
        """Latents to pixels, each the mean of scale x scale (1, 2, 4, 8 or 16)."""
        c, g = self._config, _Net(self._tensors, "g_s", "synthesis: latents to pixels")
        text = "dequantised latents in 1/16 of a quantisation step"
        v_hat = g.input("v_hat", "float32", (*_GRID, self._latents), text)
        level = g.level(c.anchors)
        step = g.op("Exp", g.op("Sub", level("inverse_gain"), level("gain")))
        step = g.op("Mul", step, g.scalar(2.0**-MEAN_BITS))
        y_hat = g.op("Mul", g.planes(v_hat), step)
        linear = self._linear(g, y_hat, scale)
        normal = g.op("Div", y_hat, g.column("y_std"))
        h = g.op("Add", g.linear("g_s.stem_16", normal), level("g_s.level_16"))
        h = g.blocks("g_s.blocks_16", h, c.synthesis_blocks_16, c)
        h = g.to_space(g.linear("g_s.stem_8", h), 2)
        h = g.op("Add", h, level("g_s.level_8"))
        h = g.blocks("g_s.blocks_8", h, c.synthesis_blocks_8, c)
        h = g.mean(h, 2 if scale > 8 else 1)
        within = min(scale, 8)
        correction = g.to_space(g.mean_blocks("g_s.head", h, within), 8 // within)
        x = g.op("Add", linear, g.op("Mul", correction, g.scalar(_HEAD_GAIN)))
        # 127.5 (x + 1), and a half more, so that cutting the fraction off rounds.
        x = g.op("Add", g.op("Mul", x, g.scalar(127.5)), g.scalar(128.0))
        x = g.op("Clip", x, g.scalar(0.0), g.scalar(255.0))
        x = g.op("Cast", g.rows(x), to=data_type("uint8"))
        side = _BLOCK_PX // scale
        g.output(x, "pixels", "uint8", (f"{side} h", f"{side} w", 3), "RGB")
        return g.model()

    def _linear(self, g: _Net, y_hat: str, scale: int) -> str:
        """The shortcut's part of the pixels."""
        if not self._config.lapped:
            return g.to_space(g.mean_blocks("g_s.shortcut", y_hat, scale), _BLOCK_PX // scale)
        x = g.to_space(g.linear("g_s.shortcut", y_hat, bias=False), _BLOCK_PX)
        x = g.lapped(x, self._postfilter)
        return g.mean(x, scale)

    def h_a(self) -> bytes:
        """Latents to z, which only the encoder needs."""
        c, g = self._config, _Net(self._tensors, "h_a", "hyper analysis: latents to z")
        assert isinstance(c, HyperConfig)
        y = g.input("y", "float32", ("4 h", "4 w", self._latents), "what g_a gives, zeros beyond")
        level = g.level(c.anchors)
        normal = g.op("Div", g.planes(y), g.column("y_std"))
        steps = g.op("Abs", g.op("Mul", g.planes(y), g.op("Exp", level("gain"))))
        magnitude = g.op("Log", g.op("Add", steps, g.scalar(1.0)))
        h = g.op("Add", g.linear("h_a.stem", normal), level("h_a.level"))
        h = g.op("Relu", g.op("Add", h, g.linear("h_a.magnitude", magnitude, bias=False)))
        h = g.block("h_a.block_16", h)
        h = g.op("Relu", g.linear("h_a.down_32", g.to_depth(h, 2)))
        h = g.block("h_a.block_32", h)
        z = g.linear("h_a.down_64", g.to_depth(h, 2))
        g.output(g.rows(z), "z", "float32", (*_GRID, c.hyper_latents), "not quantised")
        return g.model()


class _Level:
    """Rows of level tables at the graph's input `level`."""

    def __init__(self, net: _Net, anchors: int) -> None:
        text = f"position of the quality on the scale of the level tables, 0..{anchors - 1}"
        level = net.input("level", "float32", (1,), text)
        low = net.op("Clip", net.op("Floor", level), net.scalar(0.0), net.scalar(anchors - 2.0))
        self._net = net
        self._mix = net.op("Sub", level, low)
        self._low = net.op("Cast", low, to=data_type("int64"))
        self._high = net.op("Add", self._low, net.integers(1))

    def __call__(self, name: str) -> str:
        """The row of a table, [1, n, 1, 1]."""
        net = self._net
        rows = net.weight(name, "rows")
        low, high = net.op("Gather", rows, self._low), net.op("Gather", rows, self._high)
        row = net.op("Add", low, net.op("Mul", net.op("Sub", high, low), self._mix))
        return net.op("Reshape", row, net.integers(1, -1, 1, 1))


class _Net(Graph):
    """A graph of the layers of `models/layers.py`, with weights by their names in the file."""

    def __init__(self, tensors: dict[str, np.ndarray], name: str, text: str) -> None:
        super().__init__(name, text)
        self._tensors = tensors

    def level(self, anchors: int) -> _Level:
        return _Level(self, anchors)

    def tensor(self, name: str) -> np.ndarray:
        return float_tensor(self._tensors, name)

    def to_float(self, x: str) -> str:
        return self.op("Cast", x, to=_FLOAT)

    def stored(self, name: str, *shape: int) -> str:
        """A constant as the weights file has it, in single precision for what uses it."""
        array = self._tensors[f"float.{name}"]
        constant = self.constant(array.reshape(shape) if shape else array, name)
        if array.dtype == np.int8:
            scale = self.constant(self._tensors[f"float.{name}.scale"], f"{name}.scale")
            return self.op("DequantizeLinear", constant, scale, axis=0)
        return constant if array.dtype == np.float32 else self.to_float(constant)

    def weight(self, layer: str, kind: str) -> str:
        return self.stored(f"{layer}.{kind}")

    def column(self, name: str) -> str:
        """A number for each channel, [1, C, 1, 1]."""
        return self.stored(name, 1, -1, 1, 1)

    def planes(self, x: str) -> str:
        """[h, w, C] -> [1, C, h, w]."""
        return self.op("Unsqueeze", self.op("Transpose", x, perm=[2, 0, 1]), self.integers(0))

    def rows(self, x: str) -> str:
        """[1, C, h, w] -> [h, w, C]."""
        return self.op("Transpose", self.op("Squeeze", x, self.integers(0)), perm=[1, 2, 0])

    def to_depth(self, x: str, factor: int) -> str:
        return self.op("SpaceToDepth", x, blocksize=factor)

    def to_space(self, x: str, factor: int) -> str:
        return x if factor == 1 else self.op("DepthToSpace", x, blocksize=factor, mode="DCR")

    def linear(self, name: str, x: str, bias: bool = True) -> str:
        """A matrix product over the channels."""
        shape = self._tensors[f"float.{name}.weight"].shape
        inputs = [self.stored(f"{name}.weight", *shape, 1, 1)]
        if bias:
            inputs.append(self.weight(name, "bias"))
        return self.op("Conv", x, *inputs, kernel_shape=[1, 1])

    def mean(self, x: str, scale: int) -> str:
        """The means over scale x scale places."""
        if scale == 1:
            return x
        return self.op("AveragePool", x, kernel_shape=[scale] * 2, strides=[scale] * 2)

    def lapped(self, x: str, filters: np.ndarray) -> str:
        """`models.lapped.filtered`: columns, then rows."""
        for matrix, axis, name in ((filters[1], 3, "columns"), (filters[0], 2, "rows")):
            x = self._across(x, matrix, axis, f"lapped.{name}")
        return x

    def _across(self, x: str, matrix: np.ndarray, axis: int, name: str) -> str:
        """x [1, C, H, W] with a matrix over the 16 rows or columns around each border of blocks."""
        half = _BLOCK_PX // 2
        # Half a block of zeros at either end makes whole ones of what lies around the borders.
        pads = [half if dim % 4 == axis else 0 for dim in range(8)]
        shifted = self.op("Pad", x, self.integers(*pads))
        if axis == 3:
            taps = self.constant(np.ascontiguousarray(matrix.T), name)
            cells = self.op("Reshape", shifted, self.integers(0, 0, -1, _BLOCK_PX))
            made = self.op("MatMul", cells, taps)
        else:
            cells = self.op("Reshape", shifted, self.integers(3, -1, _BLOCK_PX, 0))
            made = self.op("MatMul", self.constant(matrix, name), cells)
        made = self.op("Reshape", made, self.op("Shape", shifted))
        # The outermost halves have no border beyond them, and stay.
        parts = ((x, 0, half), (made, _BLOCK_PX, -_BLOCK_PX), (x, -half, 1 << 31))
        ends = [
            self.op("Slice", part, *(self.integers(n) for n in (start, stop, axis)))
            for part, start, stop in parts
        ]
        return self.op("Concat", *ends, axis=axis)

    def mean_blocks(self, name: str, x: str, scale: int) -> str:
        """A layer to square blocks of pixels, averaged over scale x scale of them."""
        bias = f"float.{name}.bias" in self._tensors
        if scale == 1:
            return self.linear(name, x, bias)
        weight = self.tensor(f"{name}.weight")
        inputs = [self.constant(_means(weight, scale)[:, :, None, None], f"{name}.weight.mean")]
        if bias:
            means = _means(self.tensor(f"{name}.bias"), scale)
            inputs.append(self.constant(means, f"{name}.bias.mean"))
        return self.op("Conv", x, *inputs, kernel_shape=[1, 1])

    def block(self, name: str, x: str, activation: str = "relu") -> str:
        """x + project act(expand depthwise(x))."""
        taps = self.tensor(f"{name}.depthwise.weight")
        side = taps.shape[-1]
        biased = f"float.{name}.depthwise.bias" in self._tensors
        inputs = [self.weight(f"{name}.depthwise", "weight")]
        if biased:
            inputs.append(self.weight(f"{name}.depthwise", "bias"))
        h = self.op(
            "Conv",
            x,
            *inputs,
            group=len(taps),
            kernel_shape=[side, side],
            pads=[side // 2] * 4,
        )
        h = self.linear(f"{name}.expand", h)
        h = self.op("HardSwish" if activation == "hardswish" else "Relu", h)
        return self.op("Add", self.linear(f"{name}.project", h, biased), x)

    def blocks(self, name: str, x: str, count: int, config: TransformConfig) -> str:
        for index in range(count):
            x = self.block(f"{name}.{index}", x, config.activation)
        return x


def _means(rows: np.ndarray, scale: int) -> np.ndarray:
    """Rows for the pixels of a block, [3 side^2, ...], averaged over scale x scale pixels."""
    side = math.isqrt(len(rows) // 3) // scale
    blocks = rows.reshape(side, scale, side, scale, 3, -1).mean((1, 3))
    return blocks.reshape(3 * side**2, *rows.shape[1:])
