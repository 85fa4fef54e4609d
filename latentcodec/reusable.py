"""A codec that is set up once and used for many pictures, on a device and with some threads."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

import numpy as np
import torch
from torch import Tensor

from latentcodec.errors import LatError, UnsupportedImage
from latentcodec.format.container import Region
from latentcodec.images.picture import Picture, Source, array_of, image_of, source_of
from latentcodec.images.tensors import is_tensor, tensor_of
from latentcodec.pipeline.encoder import encode_picture
from latentcodec.pipeline.scaled import decode_at
from latentcodec.runtime import model_store

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

    from latentcodec.images.metadata import MetadataName
    from latentcodec.runtime.base import Family
    from latentcodec.runtime.model_store import ModelEntry

    AnyImage = Image.Image | NDArray[np.uint8] | Tensor

T = TypeVar("T")
R = TypeVar("R")
Form = Literal["pil", "numpy", "torch"]
_FORMS: dict[str, Callable[[Picture], Any]] = {
    "pil": image_of,
    "numpy": array_of,
    "torch": lambda picture: tensor_of(array_of(picture)),
}


class Codec:
    """Encodes and decodes many pictures. Threads may share one: calls do not affect each other."""

    def __init__(
        self, model: str = "hyper", device: str | torch.device = "cpu", threads: int | None = None
    ) -> None:
        """Load the model.

        Args:
            model: name or family of a packaged model, for encoding. A file that is decoded names
                its own.
            device: where g_a and g_s run, as torch names it. The rest, integers and coder, stays
                on the CPU, so that files decode to the same latents whatever the device; pixels
                may differ by one grey level.
            threads: processor threads that a call may use; None: as many as torch is set to.

        Raises:
            latentcodec.LatError: the model is not known or the device cannot be used.
            ValueError: `threads` is less than 1.
        """
        if threads is not None and threads < 1:
            raise ValueError(f"threads must be 1 or more, not {threads}")
        self._device, self._threads = _usable(device), threads
        self._model = model
        self._moved: dict[ModelEntry, Family] = {}
        self._lock = threading.Lock()
        self._family(model_store.by_name(model))

    def __reduce__(self) -> tuple[Any, ...]:
        """Another process, such as that of a data loader, makes its own."""
        return Codec, (self._model, str(self._device), self._threads)

    def encode(
        self,
        image: AnyImage,
        quality: float = 50,
        *,
        strict: bool = False,
        strip: Collection[MetadataName] = (),
    ) -> bytes:
        """As `latentcodec.encode`, with the model of this codec."""
        picture = source_of(image, strict).without(strip)
        with _torch_threads(self._threads):
            return self._encoded(picture, quality)

    def encode_batch(
        self, images: Iterable[AnyImage] | NDArray[np.uint8] | Tensor, quality: float = 50
    ) -> list[bytes]:
        """Encode several pictures, one for each thread at a time.

        Args:
            images: whatever `encode` takes, in any mixture of sizes; or an array [B, H, W, C], or
                a tensor [B, C, H, W] or [C, H, W].
            quality: 1 to 100, of all of them.

        Returns:
            The files, the same bytes that `encode` gives with one thread.

        Raises:
            latentcodec.LatError, ValueError: as `encode` does, for the first picture that fails.
        """
        single = list(_one_by_one(images))
        # Read here, one by one: the same Pillow image may be in the batch twice.
        pictures = map(source_of, single)
        return self._each(lambda picture: self._encoded(picture, quality), pictures, len(single))

    @overload
    def decode(
        self,
        data: bytes,
        region: tuple[int, int, int, int] | None = None,
        *,
        scale: int = ...,
        max_pixels: int | None = ...,
        to: Literal["pil"] = ...,
    ) -> Image.Image: ...
    @overload
    def decode(
        self,
        data: bytes,
        region: tuple[int, int, int, int] | None = None,
        *,
        scale: int = ...,
        max_pixels: int | None = ...,
        to: Literal["numpy"],
    ) -> NDArray[np.uint8]: ...
    @overload
    def decode(
        self,
        data: bytes,
        region: tuple[int, int, int, int] | None = None,
        *,
        scale: int = ...,
        max_pixels: int | None = ...,
        to: Literal["torch"],
    ) -> Tensor: ...
    def decode(
        self,
        data: bytes,
        region: tuple[int, int, int, int] | None = None,
        *,
        scale: int = 1,
        max_pixels: int | None = None,
        to: Form = "pil",
    ) -> Any:
        """As `latentcodec.decode`, or without Pillow.

        Args:
            data: the bytes of a file.
            region: left, top, width and height in pixels of the part that is wanted.
            scale: 1, 2, 4, 8 or 16, by which width and height are divided; not with a region.
            max_pixels: refuse larger pictures; None: 2^28.
            to: "pil"; "numpy" for a uint8 array [H, W], [H, W, 2] with alpha, [H, W, 3] or
                [H, W, 4]; "torch" for a uint8 tensor [C, H, W] on the CPU.

        Raises:
            latentcodec.LatError: as `latentcodec.decode` does.
            ValueError: as there, and where `to` is none of the three.
        """
        form, part = _form(to), Region(*region) if region else None
        with _torch_threads(self._threads):
            return form(decode_at(data, scale, part, self._family, max_pixels))

    @overload
    def decode_batch(
        self,
        files: Iterable[bytes],
        to: Literal["pil"] = ...,
        *,
        scale: int = ...,
        max_pixels: int | None = ...,
    ) -> list[Image.Image]: ...
    @overload
    def decode_batch(
        self,
        files: Iterable[bytes],
        to: Literal["numpy"],
        *,
        scale: int = ...,
        max_pixels: int | None = ...,
    ) -> list[NDArray[np.uint8]]: ...
    @overload
    def decode_batch(
        self,
        files: Iterable[bytes],
        to: Literal["torch"],
        *,
        scale: int = ...,
        max_pixels: int | None = ...,
    ) -> list[Tensor]: ...
    def decode_batch(
        self,
        files: Iterable[bytes],
        to: Form = "pil",
        *,
        scale: int = 1,
        max_pixels: int | None = None,
    ) -> list[Any]:
        """Decode several files, one for each thread at a time; options as for `decode`.

        Raises LatError, for the first file that fails, and ValueError.
        """
        form, files = _form(to), list(files)

        def decoded(data: bytes) -> Any:
            return form(decode_at(data, scale, None, self._family, max_pixels))

        return self._each(decoded, files, len(files))

    def _encoded(self, picture: Source, quality: float) -> bytes:
        return encode_picture(picture, quality, self._model, load=self._family)

    def _family(self, entry: ModelEntry) -> Family:
        """The working model, its transforms on the device."""
        with self._lock:
            if entry not in self._moved:
                self._moved[entry] = model_store.load_codec(entry).on(self._device)
            return self._moved[entry]

    def _each(self, work: Callable[[T], R], items: Iterable[T], count: int) -> list[R]:
        """The results for all `count` items, in their order."""
        usual = torch.get_num_threads()
        total = self._threads or usual
        workers = min(total, count)
        if workers < 2:
            with _torch_threads(total):
                return [work(item) for item in items]
        try:
            start = torch.set_num_threads, (total // workers,)
            with ThreadPoolExecutor(workers, "latentcodec", *start) as pool:
                return list(pool.map(work, items))
        finally:
            torch.set_num_threads(usual)  # for threads that begin later


def _form(to: str) -> Callable[[Picture], Any]:
    if to not in _FORMS:
        raise ValueError(f"pictures are decoded to {', '.join(_FORMS)}, not to {to!r}")
    return _FORMS[to]


def _usable(device: str | torch.device) -> torch.device:
    """The device. Raises LatError unless tensors can be sent there and brought back."""
    try:
        chosen = torch.device(device)
        torch.zeros(1, device=chosen).cpu()
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise LatError(f"the device {str(device)!r} cannot be used: {reason}") from error
    return chosen


def _one_by_one(images: Iterable[AnyImage] | NDArray[np.uint8] | Tensor) -> Iterable[AnyImage]:
    """The pictures of a batch. Raises UnsupportedImage for arrays that are no batch."""
    if is_tensor(images):
        return images.unsqueeze(0) if images.ndim == 3 else images
    if isinstance(images, np.ndarray) and images.ndim != 4:
        raise UnsupportedImage("an array of several pictures must have the shape [B, H, W, C]")
    return images


@contextlib.contextmanager
def _torch_threads(count: int | None) -> Iterator[None]:
    """Set torch's number of threads, which it keeps for each thread of the program."""
    usual = torch.get_num_threads()
    if count is None or count == usual:
        yield
        return
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(usual)
