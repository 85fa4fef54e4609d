"""A model's files in an order of bytes that gzip makes less of; assets/files.js undoes it."""

from __future__ import annotations

import numpy as np

from latentcodec.runtime import tensor_file


def planes(data: bytes) -> bytes:
    """Each byte plus the top bit of the one before it, each fourth byte first.

    So the high bytes of small numbers are 0 whatever the sign, and beside each other.
    """
    whole = np.frombuffer(data, np.uint8).copy()
    whole[1:] += whole[:-1] >> 7
    return b"".join(whole[first::4].tobytes() for first in range(4))


def with_differences(tables: bytes) -> bytes:
    """A tables.safetensors whose tables of the qualities [100, n], int32, are second differences
    along the quality, modulo 2 ** 32, and transposed to [n, 100]: rows hardly differ in slope."""
    tensors, description = tensor_file.unpack(tables)
    for name, table in tensors.items():
        if name.startswith("quality.") and table.dtype == np.int32:
            slopes = np.diff(table, axis=0, prepend=table.dtype.type(0))
            bends = np.diff(slopes, axis=0, prepend=table.dtype.type(0))
            tensors[name] = bends.T
    return tensor_file.pack(tensors, description)
