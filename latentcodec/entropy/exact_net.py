"""Layers on integers held in float32: the same result on every processor, library and device.

A sum of products of integers is exact in float32, whatever its order and with or without fused
multiply-add, as long as every partial sum stays below 2 ** 24. Here activations that enter a
product lie in -256..256 (units of 2 ** -6), weights are integers in -256..256 times a power of two
for each output, and the bound is proved for every output when the weights are loaded. Numbers up
to 256 are also exact in bfloat16 and TF32, so that a product that rounds its factors to these, and
sums in float32, is exact as well.

These are the weights and the proof. What runs them is a matter of the runtime.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from latentcodec.errors import CorruptWeights

UNIT_BITS = 6  # activations are in units of 2 ** -UNIT_BITS
LIMIT = 256  # of an activation that enters a product, and of a weight's integer
MAX_SHIFT = 14  # fractional bits of a weight
STREAM_SHIFT = 8  # fractional bits of what a block is added to
EXACT = float(1 << 24)


def check_exact(magnitude: np.ndarray, shift: np.ndarray | float, what: str) -> None:
    """Raise CorruptWeights unless sums up to `magnitude` in steps of 2 ** -shift are exact."""
    if not (magnitude * np.exp2(np.asarray(shift, dtype=np.float64)) < EXACT).all():
        raise CorruptWeights(f"the layer {what} could exceed 2**24 and would not be exact")


@dataclasses.dataclass(frozen=True)
class ExactLinear:
    """A matrix product: integer inputs in -LIMIT..LIMIT to outputs in steps of 2 ** -shift.

    weight: integers [..., out, in]; bias: integers [..., out] or None; shift: integers [..., out].
    Weights and biases are these times 2 ** -shift.
    """

    weight: np.ndarray
    bias: np.ndarray | None
    shift: np.ndarray

    @property
    def scale(self) -> np.ndarray:
        """2 ** -shift, float32 [..., out]."""
        return np.exp2(-self.shift.astype(np.float32))

    def largest(self, positive: bool = False) -> np.ndarray:
        """The largest magnitude of each output: float64 [..., out].

        positive: of inputs in 0..LIMIT. What has a positive weight then pulls no other way, and no
        part of a sum is larger than all weights of one sign make it.
        """
        weight = self.weight.astype(np.float64)
        found = np.abs(weight).sum(-1)
        if positive:
            found = np.maximum(weight.clip(0).sum(-1), (-weight).clip(0).sum(-1))
        found *= LIMIT
        if self.bias is not None:
            found += np.abs(self.bias.astype(np.float64))
        return found * self.scale

    def check(self, name: str) -> None:
        """Raise CorruptWeights unless every sum is exact."""
        check_exact(self.largest(), self.shift, name)


@dataclasses.dataclass(frozen=True)
class ExactBlock:
    """x + project(relu(expand(depthwise(x)))): the integer twin of `models.layers.BoundedBlock`.

    What enters each product is clamped to -LIMIT..LIMIT (0..LIMIT before `project`) and rounded,
    half to even. Between blocks x may have fractional bits, those of `project`: it is only added
    to. depthwise: a row for each channel, [C, 9], of 3 x 3 taps.
    """

    depthwise: ExactLinear
    expand: ExactLinear
    project: ExactLinear

    def check(self, name: str, largest: np.ndarray) -> np.ndarray:
        """The bound of what comes out, float64 [C], of the bound of what goes in.

        Raises CorruptWeights where a sum could be inexact.
        """
        self.depthwise.check(f"{name}.depthwise")
        self.expand.check(f"{name}.expand")
        total = self.project.largest(positive=True) + largest
        check_exact(total, STREAM_SHIFT, f"{name}.project")
        return total


class ExactReader:
    """Builds layers from the named integer tensors of a weights file."""

    def __init__(self, tensors: dict[str, np.ndarray]) -> None:
        self._tensors = tensors
        self._left = set(tensors)

    def has(self, name: str) -> bool:
        """Whether there is such a tensor."""
        return name in self._tensors

    def integers(self, name: str) -> np.ndarray:
        """The tensor `name`. Raises CorruptWeights where it is missing or not of integers."""
        try:
            tensor = self._tensors[name]
        except KeyError:
            raise CorruptWeights(f"the weights lack the tensor {name}") from None
        if tensor.dtype.kind not in "iu":
            raise CorruptWeights(f"the tensor {name} of the weights must hold integers")
        self._left.discard(name)
        return tensor

    def finish(self, prefixes: tuple[str, ...]) -> None:
        """Raise CorruptWeights for tensors with these prefixes that nothing has read.

        They are what is left of a layer of which another tensor is missing.
        """
        for name in sorted(self._left):
            if name.startswith(prefixes):
                raise CorruptWeights(f"the weights have the tensor {name}, but not its layer")

    def _shift(self, name: str, finest: int = MAX_SHIFT) -> np.ndarray:
        shift = self.integers(name)
        if not ((shift >= 0) & (shift <= finest)).all():
            raise CorruptWeights(f"the shift {name} of the weights is out of range")
        return shift

    def _weight(self, name: str) -> np.ndarray:
        weight = self.integers(name)
        if not ((weight >= -LIMIT) & (weight <= LIMIT)).all():
            raise CorruptWeights(f"the tensor {name} of the weights exceeds {LIMIT}")
        return weight

    def linear(self, name: str, bias: bool = True, finest: int = MAX_SHIFT) -> ExactLinear:
        """A layer, or CorruptWeights where its sums may be inexact."""
        layer = ExactLinear(
            self._weight(f"{name}.weight"),
            self.integers(f"{name}.bias") if bias else None,
            self._shift(f"{name}.shift", finest),
        )
        outputs = layer.weight.shape[:-1]
        if layer.shift.shape != outputs or (layer.bias is not None and layer.bias.shape != outputs):
            raise CorruptWeights(f"the tensors {name} of the weights are misshapen")
        layer.check(name)
        return layer

    def block(self, name: str, largest: np.ndarray) -> tuple[ExactBlock, np.ndarray]:
        """A block, and the bound of what comes out of it, of the bound of what goes in."""
        taps = self._weight(f"{name}.depthwise.weight")
        if taps.ndim != 3 or taps.shape[1:] != (3, 3):
            raise CorruptWeights(f"the tensor {name}.depthwise.weight of the weights is misshapen")
        shift = self._shift(f"{name}.depthwise.shift")
        block = ExactBlock(
            ExactLinear(taps.reshape(-1, 9), None, shift),
            self.linear(f"{name}.expand"),
            # The sum that it is part of has no more fractional bits than these.
            self.linear(f"{name}.project", bias=False, finest=STREAM_SHIFT),
        )
        return block, block.check(name, largest)
