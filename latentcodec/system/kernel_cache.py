"""How many compiled kernels torch keeps."""

from __future__ import annotations

import os

# More than a picture of any size has; each takes a third of a megabyte.
_KERNELS = {"ONEDNN_PRIMITIVE_CACHE_CAPACITY": 192, "LRU_CACHE_CAPACITY": 16}


def limit_kernels() -> None:
    """Have oneDNN keep the kernels of the last few sizes of pictures alone.

    It compiles each for a size and keeps 1024, and torch (ideep) as many of the convolutions:
    11 MiB for every new size of a picture, more than a gigabyte for who serves pictures. Both read
    the environment when they are first used: nothing changes where they have been, or where a user
    has set them.
    """
    for name, count in _KERNELS.items():
        os.environ.setdefault(name, str(count))
