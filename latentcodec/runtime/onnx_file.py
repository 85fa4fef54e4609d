"""Writes ONNX models: the few messages of onnx.proto that the graphs of this package are made of.

The package `onnx` writes them as well, and the tests hold what is written here against its
checker; but it is half the size of ONNX Runtime, and takes as long to import, for what is a list
of nodes and tensors. Numbers of fields and types: onnx/onnx.proto.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence

import numpy as np

OPSET = 17
_IR_VERSION = 8  # of ONNX 1.12, which brought opset 17
_TYPES = {"float32": 1, "uint8": 2, "int8": 3, "int16": 5, "int32": 6, "int64": 7, "float16": 10}
_TYPES["float64"] = 11
_VARINT, _BYTES, _FLOAT = 0, 2, 5  # wire types of protocol buffers

Attribute = int | float | str | Sequence[int]


def data_type(dtype: str) -> int:
    """ONNX's number of an element type, such as "float32"."""
    return _TYPES[dtype]


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _integer(field: int, value: int) -> bytes:
    return _varint(field << 3 | _VARINT) + _varint(value)


def _message(field: int, content: bytes | str) -> bytes:
    data = content.encode() if isinstance(content, str) else content
    return _varint(field << 3 | _BYTES) + _varint(len(data)) + data


def _tensor(name: str, array: np.ndarray) -> bytes:
    """A TensorProto."""
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    dims = b"".join(_integer(1, size) for size in array.shape)
    kind = _integer(2, data_type(array.dtype.name))
    return dims + kind + _message(8, name) + _message(9, little.tobytes())


def _attribute(name: str, value: Attribute) -> bytes:
    """An AttributeProto."""
    start = _message(1, name)
    if isinstance(value, float):
        return start + _varint(2 << 3 | _FLOAT) + struct.pack("<f", value) + _integer(20, 1)
    if isinstance(value, int):
        return start + _integer(3, value) + _integer(20, 2)
    if isinstance(value, str):
        return start + _message(4, value) + _integer(20, 3)
    return start + b"".join(_integer(8, item) for item in value) + _integer(20, 7)


def _value(name: str, dtype: str, shape: Iterable[int | str], text: str) -> bytes:
    """A ValueInfoProto; dimensions that are not fixed have a name."""
    dims = b"".join(
        _message(1, _message(2, size) if isinstance(size, str) else _integer(1, size))
        for size in shape
    )
    tensor = _integer(1, data_type(dtype)) + _message(2, dims)
    return _message(1, name) + _message(2, _message(1, tensor)) + _message(3, text)


class Graph:
    """A graph that is being built: every operator gives the name of its result."""

    def __init__(self, name: str, text: str) -> None:
        self.name, self._text = name, text
        self._nodes: list[bytes] = []
        self._constants: dict[str, bytes] = {}
        self._inputs: list[bytes] = []
        self._outputs: list[bytes] = []
        self._count = 0

    def input(self, name: str, dtype: str, shape: Iterable[int | str], text: str) -> str:
        """Declare an input, of which `text` says what it is."""
        self._inputs.append(_value(name, dtype, shape, text))
        return name

    def output(
        self, source: str, name: str, dtype: str, shape: Iterable[int | str], text: str
    ) -> None:
        """Give out a result under a name of its own."""
        self._nodes.append(self._node("Identity", [source], [name], {}))
        self._outputs.append(_value(name, dtype, shape, text))

    def constant(self, array: np.ndarray, name: str | None = None) -> str:
        """A tensor that is part of the model; one of a name is there once."""
        if name is None:
            name = f"{array.dtype.name}{list(array.shape)}:{array.tobytes().hex()}"
        self._constants.setdefault(name, _tensor(name, array))
        return name

    def integers(self, *values: int) -> str:
        """A short list, int64, for operators whose parameters are inputs."""
        return self.constant(np.array(values, dtype=np.int64))

    def scalar(self, value: float, dtype: str = "float32") -> str:
        """A number."""
        return self.constant(np.array(value, dtype=dtype))

    def op(self, kind: str, *inputs: str, **attributes: Attribute) -> str:
        """The result of an operator of ONNX."""
        return self.ops(kind, 1, *inputs, **attributes)[0]

    def ops(self, kind: str, outputs: int, *inputs: str, **attributes: Attribute) -> list[str]:
        """The results of an operator that has several."""
        results = [f"{kind}.{self._count + index}" for index in range(outputs)]
        self._count += outputs
        self._nodes.append(self._node(kind, inputs, results, attributes))
        return results

    @staticmethod
    def _node(
        kind: str, inputs: Sequence[str], outputs: Sequence[str], attributes: dict[str, Attribute]
    ) -> bytes:
        return (
            b"".join(_message(1, name) for name in inputs)
            + b"".join(_message(2, name) for name in outputs)
            + _message(3, outputs[0])
            + _message(4, kind)
            + b"".join(_message(5, _attribute(k, v)) for k, v in attributes.items())
        )

    def model(self) -> bytes:
        """The bytes of a ModelProto."""
        graph = (
            b"".join(_message(1, node) for node in self._nodes)
            + _message(2, self.name)
            + b"".join(_message(5, tensor) for tensor in self._constants.values())
            + _message(10, self._text)
            + b"".join(_message(11, value) for value in self._inputs)
            + b"".join(_message(12, value) for value in self._outputs)
        )
        opset = _message(1, "") + _integer(2, OPSET)
        head = _integer(1, _IR_VERSION) + _message(2, "latentcodec")
        return head + _message(7, graph) + _message(8, opset)
