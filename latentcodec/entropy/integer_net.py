"""Layers on integers: the same result on every processor, whatever the order of summation.

Tensors hold integers in float64. A sum of products of such numbers is exact, with or without
fused multiply-add and in any order, as long as every partial sum stays below 2 ** 53; each
layer checks that bound over all inputs it can be given. Activations have 12 fractional bits
and lie in -LIMIT..LIMIT; weights are 16-bit integers with a fraction of their own.
"""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor
from torch.nn import functional

from latentcodec.errors import CorruptWeights

FRACTION_BITS = 12
LIMIT = (1 << 20) - 1
EXACT = float(1 << 53)


def check_exact(products: float, what: str) -> None:
    """Raise CorruptWeights unless sums of magnitude `products` are exact in float64."""
    if not products < EXACT:
        raise CorruptWeights(f"the layer {what} could exceed 2**53 and would not be exact")


def rescale(accumulator: Tensor, shift: int) -> Tensor:
    """floor(accumulator / 2 ** shift + 1/2), exactly; works in place."""
    return accumulator.mul_(2.0**-shift).add_(0.5).floor_()


def depth_to_space(x: Tensor, factor: int) -> Tensor:
    """[h, w, C] -> [factor h, factor w, C / factor / factor], row-major in the cell."""
    h, w, c = x.shape
    cells = x.view(h, w, factor, factor, c // (factor * factor))
    return cells.permute(0, 2, 1, 3, 4).reshape(h * factor, w * factor, -1)


@dataclasses.dataclass(frozen=True)
class IntegerLinear:
    """A matrix product, bias and shift. `weight`: [out, in], `bias`: [out], float64 integers.

    The bias is in units of the accumulator, 2 ** -(FRACTION_BITS + shift).
    """

    weight: Tensor
    bias: Tensor
    shift: int

    def check(self, name: str) -> None:
        worst = self.weight.abs().sum(dim=1) * LIMIT + self.bias.abs() + 2.0**self.shift
        check_exact(float(worst.max()), name)

    def __call__(self, x: Tensor, row: Tensor | None = None, relu: bool = False) -> Tensor:
        """[..., in] -> [..., out] in -LIMIT..LIMIT; `row` ([out], activation units) is added."""
        flat = torch.addmm(self.bias, x.reshape(-1, x.shape[-1]), self.weight.T)
        out = rescale(flat, self.shift)
        if row is not None:
            out += row
        return out.clamp_(0 if relu else -LIMIT, LIMIT).view(*x.shape[:-1], self.weight.shape[0])


@dataclasses.dataclass(frozen=True)
class IntegerDepthwise:
    """A 3x3 depthwise convolution with zero padding, as nine shifted products.

    Not handed to a convolution kernel: those may choose Winograd or FFT, which are not exact.
    """

    taps: Tensor  # [3, 3, C]
    bias: Tensor  # [C]
    shift: int

    def check(self, name: str) -> None:
        worst = self.taps.abs().sum(dim=(0, 1)) * LIMIT + self.bias.abs() + 2.0**self.shift
        check_exact(float(worst.max()), name)

    def __call__(self, x: Tensor) -> Tensor:
        """[H, W, C] -> [H, W, C] in -LIMIT..LIMIT."""
        h, w, _ = x.shape
        padded = functional.pad(x, (0, 0, 1, 1, 1, 1))
        out = self.bias.expand_as(x).clone()
        for row in range(3):
            for column in range(3):
                window = padded[row : row + h, column : column + w]
                out.addcmul_(window, self.taps[row, column])
        return rescale(out, self.shift).clamp_(-LIMIT, LIMIT)


@dataclasses.dataclass(frozen=True)
class IntegerBlock:
    """x + project(relu(expand(depthwise(x)))): the integer twin of `ResidualBlock`."""

    depthwise: IntegerDepthwise
    expand: IntegerLinear
    project: IntegerLinear

    def check(self, name: str) -> None:
        for part in ("depthwise", "expand", "project"):
            getattr(self, part).check(f"{name}.{part}")

    def __call__(self, x: Tensor) -> Tensor:
        h = self.project(self.expand(self.depthwise(x), relu=True))
        return h.add_(x).clamp_(-LIMIT, LIMIT)


class IntegerReader:
    """Builds layers from the named integer tensors of a weights file."""

    def __init__(self, tensors: dict[str, Tensor]) -> None:
        self._tensors = tensors

    def integers(self, name: str) -> Tensor:
        """The tensor `name` as float64. Raises CorruptWeights where it is missing or not int."""
        try:
            tensor = self._tensors[name]
        except KeyError:
            raise CorruptWeights(f"the weights lack the tensor {name}") from None
        if tensor.is_floating_point():
            raise CorruptWeights(f"the tensor {name} of the weights must hold integers")
        return tensor.double()

    def _shift(self, name: str) -> int:
        shift = int(self.integers(name))
        if not 0 <= shift <= 40:
            raise CorruptWeights(f"the shift {name} of the weights is out of range")
        return shift

    def linear(self, name: str) -> IntegerLinear:
        layer = IntegerLinear(
            self.integers(f"{name}.weight"),
            self.integers(f"{name}.bias"),
            self._shift(f"{name}.shift"),
        )
        layer.check(name)
        return layer

    def block(self, name: str) -> IntegerBlock:
        depthwise = IntegerDepthwise(
            self.integers(f"{name}.depthwise.weight"),
            self.integers(f"{name}.depthwise.bias"),
            self._shift(f"{name}.depthwise.shift"),
        )
        depthwise.check(f"{name}.depthwise")
        return IntegerBlock(
            depthwise, self.linear(f"{name}.expand"), self.linear(f"{name}.project")
        )
