"""What a JPEG XL codestream says of itself and its Pillow plugin does not (ISO/IEC 18181-1)."""

from __future__ import annotations

import dataclasses
from typing import IO, TYPE_CHECKING

from latentcodec.images.jxl_boxes import boxes

if TYPE_CHECKING:
    from PIL import Image

_HEAD_BYTES = 64  # more than the fields that are read take
_CODESTREAM = b"\xff\x0a"
_PLACES = {b"jxlc": 0, b"jxlp": 4}  # of the codestream in boxes
# As U32 of the standard: for each of four selectors what is added to how many bits; one alone has
# no selector.
_Choices = tuple[tuple[int, int], ...]
_SIDE = ((1, 9), (1, 13), (1, 18), (1, 30))
_EIGHTHS = ((1, 5),)
_PREVIEW_SIDE = ((1, 6), (65, 8), (321, 10), (1345, 12))
_PREVIEW_EIGHTHS = ((16, 0), (32, 0), (1, 5), (33, 9))
_DEPTH = ((8, 0), (10, 0), (12, 0), (1, 6))
_FLOAT_DEPTH = ((32, 0), (16, 0), (24, 0), (1, 6))


@dataclasses.dataclass(frozen=True)
class JxlHeader:
    """bits: per channel. is_animated: whether there may be further frames."""

    bits: int = 8
    is_animated: bool = False


class _Bits:
    """Bits from the least significant one of the first byte on; zeros behind the last."""

    def __init__(self, data: bytes) -> None:
        self._rest = int.from_bytes(data, "little")

    def take(self, count: int) -> int:
        value = self._rest & ((1 << count) - 1)
        self._rest >>= count
        return value

    def number(self, choices: _Choices) -> int:
        offset, count = choices[self.take(2) if len(choices) > 1 else 0]
        return offset + self.take(count)


def header_of(image: Image.Image) -> JxlHeader:
    """That of an opened file which is not loaded yet; of other formats the usual one."""
    stream: IO[bytes] | None = getattr(image, "fp", None)
    if image.format != "JXL" or stream is None or not stream.seekable():
        return JxlHeader()
    back = stream.tell()
    try:
        return _read(stream)
    finally:
        stream.seek(back)


def _read(stream: IO[bytes]) -> JxlHeader:
    stream.seek(0)
    head = stream.read(_HEAD_BYTES)
    if not head.startswith(_CODESTREAM):
        head = _in_boxes(stream)
    if not head.startswith(_CODESTREAM):
        return JxlHeader()
    bits = _Bits(head[len(_CODESTREAM) :])
    _skip_size(bits, _SIDE, _EIGHTHS)
    if bits.take(1):  # all is as usual
        return JxlHeader()
    is_animated = bool(bits.take(1)) and _has_animation(bits)
    return JxlHeader(bits.number(_FLOAT_DEPTH if bits.take(1) else _DEPTH), is_animated)


def _in_boxes(stream: IO[bytes]) -> bytes:
    for kind, _ in boxes(stream):
        if kind in _PLACES:
            return stream.read(_HEAD_BYTES)[_PLACES[kind] :]
    return b""


def _skip_size(bits: _Bits, side: _Choices, eighths: _Choices) -> None:
    """Height, ratio, and the width where it does not follow from the two."""
    choices = eighths if bits.take(1) else side
    bits.number(choices)
    if not bits.take(3):
        bits.number(choices)


def _has_animation(bits: _Bits) -> bool:
    """From the extra fields, all of which are read."""
    bits.take(3)  # the orientation
    if bits.take(1):
        _skip_size(bits, _SIDE, _EIGHTHS)
    if bits.take(1):
        _skip_size(bits, _PREVIEW_SIDE, _PREVIEW_EIGHTHS)
    if not bits.take(1):
        return False
    bits.number(((100, 0), (1000, 0), (1, 10), (1, 30)))  # ticks per second, as a fraction
    bits.number(((1, 0), (1001, 0), (1, 8), (1, 10)))
    bits.number(((0, 0), (0, 3), (0, 16), (0, 32)))  # repetitions
    bits.take(1)  # whether there are timecodes
    return True
