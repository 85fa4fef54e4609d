"""Transparency without losses: a tile's alpha samples to the payload of an ALPHA chunk, and back.

Rows are filtered as in PNG and deflated. Only filters whose inverse is a running sum are used, so
that undoing them is quick without code of our own; docs/format.md specifies the payload.
"""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

from latentcodec.errors import CorruptAlpha

_CONSTANT, _DEFLATED = 0, 1  # the first byte of a payload
_NONE, _LEFT, _UP = 0, 1, 2  # the first byte of a row
_LEVEL = 9


def encode_alpha(plane: NDArray[np.uint8]) -> bytes:
    """The payload of alpha samples [H, W]."""
    if (plane == plane[0, 0]).all():
        return bytes([_CONSTANT, plane[0, 0]])
    left, up = plane.copy(), plane.copy()
    left[:, 1:] -= plane[:, :-1]  # modulo 256
    up[1:] -= plane[:-1]
    candidates = np.stack([plane, left, up])  # in the order of the filters' numbers
    # As libpng chooses: the filter whose residuals, taken as signed, are smallest in sum.
    costs = np.abs(candidates.view(np.int8).astype(np.int32)).sum(axis=2)
    chosen = costs.argmin(axis=0)
    rows = np.empty((plane.shape[0], 1 + plane.shape[1]), dtype=np.uint8)
    rows[:, 0] = chosen
    rows[:, 1:] = candidates[chosen, np.arange(plane.shape[0])]
    return bytes([_DEFLATED]) + zlib.compress(rows.tobytes(), _LEVEL)


def decode_alpha(payload: bytes, height: int, width: int) -> NDArray[np.uint8]:
    """Alpha samples [height, width]. Raises CorruptAlpha for what no encoder writes."""
    if len(payload) == 2 and payload[0] == _CONSTANT:
        return np.full((height, width), payload[1], dtype=np.uint8)
    if payload[:1] != bytes([_DEFLATED]):
        raise CorruptAlpha("the transparency of a tile is coded in an unknown way")
    wanted = height * (1 + width)
    inflater = zlib.decompressobj()
    try:
        data = inflater.decompress(payload[1:], wanted + 1)  # however much there may be
    except zlib.error as error:
        raise CorruptAlpha(f"the transparency of a tile is damaged: {error}") from None
    if len(data) != wanted or not inflater.eof or inflater.unused_data:
        raise CorruptAlpha("the transparency of a tile has another size than the tile")
    rows = np.frombuffer(data, dtype=np.uint8).reshape(height, 1 + width)
    if rows[:, 0].max() > _UP:
        raise CorruptAlpha("the transparency of a tile uses an unknown filter")
    plane = rows[:, 1:].copy()
    left = rows[:, 0] == _LEFT
    plane[left] = np.add.accumulate(plane[left], axis=1, dtype=np.uint8)
    for row in np.flatnonzero(rows[:, 0] == _UP):  # ascending: the row above is done
        if row:
            plane[row] += plane[row - 1]
    return plane
