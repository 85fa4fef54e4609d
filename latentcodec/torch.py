"""`.lat` files as training data: a dataset of tar shards, and a decoder for WebDataset.

>>> from torch.utils.data import DataLoader
>>> from latentcodec.torch import LatDataset
>>> loader = DataLoader(LatDataset(shards, scale=4), batch_size=None, num_workers=8)
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from torch.utils.data import IterableDataset, get_worker_info

from latentcodec.codec import Codec
from latentcodec.errors import LatError, warn_of_loss
from latentcodec.format.container import MAX_PIXELS
from latentcodec.images.tensors import tensor_of
from latentcodec.storage.shards import samples

if TYPE_CHECKING:
    from torch import Tensor

    from latentcodec.runtime.choice import Runtime

Mode = Literal["RGB", "L"]


class LatDecoder:
    """Decodes the `.lat` members of samples; for `WebDataset(...).decode(LatDecoder())`.

    It may be sent to other processes, and used in forked ones.
    """

    def __init__(
        self,
        *,
        scale: int = 1,
        mode: Mode | None = "RGB",
        max_pixels: int = MAX_PIXELS,
        runtime: Runtime | None = None,
    ) -> None:
        """Set up a decoder; models are loaded with the first picture.

        Args:
            scale: 1, 2, 4, 8 or 16, by which width and height are divided, as for `decode`.
            mode: Pillow's name of what every picture becomes, so that all have as many channels;
                None: what it is. Alpha is dropped by both.
            max_pixels: as for `decode`.
            runtime: as for `Codec`.
        """
        self._codec = Codec(runtime=runtime)
        self._scale, self._mode, self._max_pixels = scale, mode, max_pixels

    def __call__(self, extension: str, data: bytes) -> Tensor | None:
        """A member of a sample: a uint8 tensor [C, H, W], or None where it is no `.lat` file.

        Pixels are as they are stored: not turned as EXIF may say. Raises LatError, and ValueError
        for another scale.
        """
        if extension.lower().rpartition(".")[2] != "lat":
            return None
        image = self._codec.decode(data, scale=self._scale, max_pixels=self._max_pixels)
        return tensor_of(np.array(image.convert(self._mode) if self._mode else image))


class LatDataset(IterableDataset[dict[str, Any]]):
    """The samples of tar shards in the layout of WebDataset, their `.lat` members decoded.

    A sample is a dictionary: "__key__" is its name, "__url__" its shard, and every member stands
    under its extension, `.lat` as a uint8 tensor [C, H, W] and others as bytes.

    Each worker of a DataLoader, and each process of torch.distributed, reads shards of its own:
    give several times as many shards as there are workers in all. Their order is the given one.
    """

    def __init__(
        self,
        shards: Sequence[str | os.PathLike[str]],
        *,
        scale: int = 1,
        mode: Mode | None = "RGB",
        transform: Callable[[Tensor], Any] | None = None,
        errors: Literal["raise", "skip"] = "raise",
        max_pixels: int = MAX_PIXELS,
        runtime: Runtime | None = None,
    ) -> None:
        """Name the shards; none is read yet.

        Args:
            shards: paths or URLs of tar files, compressed or not.
            scale: as for `LatDecoder`.
            mode: as for `LatDecoder`.
            transform: what becomes of each picture; workers that are spawned must be able to
                import it.
            errors: "skip" leaves out samples that do not decode, with a `LossWarning`.
            max_pixels: as for `decode`.
            runtime: as for `Codec`.

        Raises:
            ValueError: there is no shard, or `errors` is neither of the two.
        """
        if not shards:
            raise ValueError("there is no shard")
        if errors not in ("raise", "skip"):
            raise ValueError(f"errors must be raise or skip, not {errors!r}")
        self._shards = [os.fspath(shard) for shard in shards]
        self._decoder = LatDecoder(scale=scale, mode=mode, max_pixels=max_pixels, runtime=runtime)
        self._transform, self._errors = transform, errors

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Samples of this worker's shards. Raises OSError and LatError."""
        first, step = _reader()
        for shard in self._shards[first::step]:
            for key, members in samples(shard):
                try:
                    decoded = {name: self._member(name, data) for name, data in members.items()}
                except LatError as error:
                    if self._errors == "raise":
                        raise LatError(f"{shard}: {key}: {error}") from error
                    warn_of_loss(f"{shard}: {key} is left out: {error}")
                    continue
                yield {"__key__": key, "__url__": shard} | decoded

    def _member(self, extension: str, data: bytes) -> Any:
        picture = self._decoder(extension, data)
        if picture is None:
            return data
        return self._transform(picture) if self._transform else picture


def _reader() -> tuple[int, int]:
    """Which of all workers of all processes this is, and how many there are."""
    rank, ranks = 0, 1
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        rank, ranks = torch.distributed.get_rank(), torch.distributed.get_world_size()
    worker = get_worker_info()
    if worker is None:
        return rank, ranks
    return rank * worker.num_workers + worker.id, ranks * worker.num_workers
