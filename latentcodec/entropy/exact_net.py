"""Layers on integers held in float32: the same result on every processor, library and device.

A sum of products of integers is exact in float32, whatever its order and with or without fused
multiply-add, as long as every partial sum stays below 2 ** 24. Here activations that enter a
product lie in -256..256 (units of 2 ** -6), weights are integers in -256..256 times a power of two
for each output, and the bound is proved for every output when the weights are loaded. Numbers up
to 256 are also exact in bfloat16 and TF32, so that a product that rounds its factors to these, and
sums in float32, is exact as well.
"""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor

from latentcodec.errors import CorruptWeights

UNIT_BITS = 6  # activations are in units of 2 ** -UNIT_BITS
LIMIT = 256  # of an activation that enters a product, and of a weight's integer
MAX_SHIFT = 14  # fractional bits of a weight
STREAM_SHIFT = 8  # fractional bits of what a block is added to
EXACT = float(1 << 24)


def quantised(x: Tensor, low: float = -LIMIT) -> Tensor:
    """x rounded to integers (half to even) in low..LIMIT; in new memory."""
    return x.clamp(low, LIMIT).round_()


def check_exact(magnitude: Tensor, shift: Tensor | float, what: str) -> None:
    """Raise CorruptWeights unless sums up to `magnitude` in steps of 2 ** -shift are exact."""
    steps = magnitude.double() * 2.0**shift
    if not bool((steps < EXACT).all()):
        raise CorruptWeights(f"the layer {what} could exceed 2**24 and would not be exact")


def weight_shift(weight: Tensor, finest: int = MAX_SHIFT, added: Tensor | float = 0.0) -> Tensor:
    """The fractional bits of each output's weights, [..., out]: as many as the bounds admit.

    weight: [..., out, in]; added: the largest magnitude of what is added to the products.
    """
    largest = weight.double().abs().amax(-1).clamp_min(1e-9)
    total = weight.double().abs().sum(-1).clamp_min(1e-9) * LIMIT + added * 2.0**UNIT_BITS
    room = torch.minimum(LIMIT / largest, 0.98 * EXACT / total)
    return torch.log2(room).floor().clamp(0, finest)


@dataclasses.dataclass(frozen=True)
class ExactLinear:
    """A matrix product: integer inputs in -LIMIT..LIMIT to outputs in steps of 2 ** -shift.

    weight: float32 [..., in, out]; bias: float32 [..., out] or None; shift: float32 [..., out].
    """

    weight: Tensor
    bias: Tensor | None
    shift: Tensor

    def largest(self) -> Tensor:
        """The largest magnitude of each output: float64 [..., out]."""
        found = self.weight.double().abs().sum(-2) * LIMIT
        return found if self.bias is None else found + self.bias.double().abs()

    def check(self, name: str) -> None:
        """Raise CorruptWeights unless every sum is exact."""
        check_exact(self.largest(), self.shift.double(), name)

    def __call__(self, x: Tensor) -> Tensor:
        """[n, in] -> [n, out], or stacks of them."""
        if x.ndim == 2:
            return x @ self.weight if self.bias is None else torch.addmm(self.bias, x, self.weight)
        if self.bias is None:
            return torch.bmm(x, self.weight)
        return torch.baddbmm(self.bias.unsqueeze(-2), x, self.weight)


@dataclasses.dataclass(frozen=True)
class ExactBlock:
    """x + project(relu(expand(depthwise(x)))): the integer twin of `models.layers.BoundedBlock`.

    Between blocks x may have fractional bits, those of `project`: it is only added to.
    """

    taps: Tensor  # float32 [C, 1, 3, 3]
    expand: ExactLinear
    project: ExactLinear

    def check(self, name: str, taps_shift: Tensor, largest: Tensor) -> Tensor:
        """The bound of what comes out, float64 [C], of the bound of what goes in.

        Raises CorruptWeights where a sum could be inexact.
        """
        taps = self.taps.double().abs().sum(dim=(1, 2, 3)) * LIMIT
        check_exact(taps, taps_shift.double(), f"{name}.depthwise")
        self.expand.check(f"{name}.expand")
        total = self.project.largest() + largest
        check_exact(total, STREAM_SHIFT, f"{name}.project")
        return total

    def __call__(self, x: Tensor) -> Tensor:
        """[H, W, C] -> [H, W, C]."""
        # As [1, H, W, C] from the start: convolutions do not see channels last in other views.
        planes = quantised(x).unsqueeze(0).permute(0, 3, 1, 2)
        h = torch.conv2d(planes, self.taps, padding=1, groups=len(self.taps))
        rows = h.permute(0, 2, 3, 1).reshape(-1, len(self.taps))
        wide = self.expand(rows.clamp_(-LIMIT, LIMIT).round_()).clamp_(0, LIMIT).round_()
        return torch.addmm(x.view(rows.shape), wide, self.project.weight).view(x.shape)


class ExactReader:
    """Builds layers from the named integer tensors of a weights file."""

    def __init__(self, tensors: dict[str, Tensor]) -> None:
        self._tensors = tensors
        self._left = set(tensors)

    def has(self, name: str) -> bool:
        """Whether there is such a tensor."""
        return name in self._tensors

    def integers(self, name: str) -> Tensor:
        """The tensor `name` as float64. Raises CorruptWeights where it is missing or not int."""
        try:
            tensor = self._tensors[name]
        except KeyError:
            raise CorruptWeights(f"the weights lack the tensor {name}") from None
        self._left.discard(name)
        if tensor.is_floating_point():
            raise CorruptWeights(f"the tensor {name} of the weights must hold integers")
        return tensor.double()

    def finish(self, prefixes: tuple[str, ...]) -> None:
        """Raise CorruptWeights for tensors with these prefixes that nothing has read.

        They are what is left of a layer of which another tensor is missing.
        """
        for name in sorted(self._left):
            if name.startswith(prefixes):
                raise CorruptWeights(f"the weights have the tensor {name}, but not its layer")

    def _shift(self, name: str, finest: int = MAX_SHIFT) -> Tensor:
        shift = self.integers(name)
        if not bool(((shift >= 0) & (shift <= finest)).all()):
            raise CorruptWeights(f"the shift {name} of the weights is out of range")
        return shift

    def _weight(self, name: str) -> Tensor:
        weight = self.integers(name)
        if not bool((weight.abs() <= LIMIT).all()):
            raise CorruptWeights(f"the tensor {name} of the weights exceeds {LIMIT}")
        return weight

    def linear(self, name: str, bias: bool = True, finest: int = MAX_SHIFT) -> ExactLinear:
        """A layer, of [..., out, in] integers, or CorruptWeights where its sums may be inexact."""
        shift = self._shift(f"{name}.shift", finest)
        scale = 2.0**-shift
        layer = ExactLinear(
            (self._weight(f"{name}.weight").mT * scale.unsqueeze(-2)).float().contiguous(),
            (self.integers(f"{name}.bias") * scale).float() if bias else None,
            shift.float(),
        )
        layer.check(name)
        return layer

    def block(self, name: str, largest: Tensor) -> tuple[ExactBlock, Tensor]:
        """A block, and the bound of what comes out of it, of the bound of what goes in."""
        shift = self._shift(f"{name}.depthwise.shift")
        taps = self._weight(f"{name}.depthwise.weight") * (2.0**-shift)[:, None, None]
        block = ExactBlock(
            taps.float().unsqueeze(1),
            self.linear(f"{name}.expand"),
            # The sum that it is part of has no more fractional bits than these.
            self.linear(f"{name}.project", bias=False, finest=STREAM_SHIFT),
        )
        return block, block.check(name, shift, largest)
