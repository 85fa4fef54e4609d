"""`Codec`, which encodes and decodes pictures; `encode` and `decode` are those of a default one.

torch or ONNX Runtime is imported, and a model is loaded, when the first picture needs it.
"""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal, overload

from latentcodec.errors import warn_of_loss
from latentcodec.format.source import Source, opened
from latentcodec.images.canvas import ArrayCanvas, Canvas, ImageCanvas, Result
from latentcodec.images.picture import one_by_one, source_of
from latentcodec.images.tensors import tensor_of
from latentcodec.options import DecodeOptions, EncodeOptions
from latentcodec.pipeline import decoder, rate_control
from latentcodec.runtime import choice, compute, model_store
from latentcodec.runtime.compute import ITEM_ERRORS, map_on_threads, threads

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray
    from PIL import Image
    from torch import Tensor
    from typing_extensions import Unpack

    from latentcodec.images.picture import AnyImage, PictureSource
    from latentcodec.options import DecodeKeywords, EncodeKeywords
    from latentcodec.runtime.base import Family
    from latentcodec.runtime.compute import Errors
    from latentcodec.runtime.model_store import ModelEntry, Tune

    Batch = Iterable[AnyImage] | NDArray[np.uint8] | Tensor
    Sources = Iterable[Source]
    Raise = Literal["raise"]


def encode(
    image: AnyImage,
    *,
    model: str | os.PathLike[str] | None = None,
    tune: Tune | None = None,
    **options: Unpack[EncodeKeywords],
) -> bytes:
    """Encode a picture as a `.lat` file.

    Args:
        image: a path or a URL; a Pillow image; a uint8 array [H, W], [H, W, 2], [H, W, 3] or
            [H, W, 4], whose second or fourth channel is alpha; or a tensor [C, H, W] of as many
            channels, uint8, or floats in 0..1, which are rounded to 256 levels. RGB and grey are
            stored as such, alpha without losses; metadata of files and Pillow images are kept. What
            has to be converted (16 bits, CMYK and other colour spaces) or has no place gives a
            `LossWarning`.
        model: name or family of a packaged model, or the path of a weights file, instead of a
            tune.
        tune: what the model is tuned for: "ssim", for the eye, or "psnr"; None: "ssim".
        options: `quality`, 1 (smallest) to 100 (best), or a goal instead, such as `target_size` in
            bytes or `target_psnr` in dB; and the others of `EncodeOptions`.

    Returns:
        The bytes of the file.

    Raises:
        latentcodec.LatError: the image cannot be encoded, no quality reaches the goal, or the
            model is not known.
        ValueError: an option has no such value, or both `model` and `tune` are given.
    """
    return Codec(model=model, tune=tune).encode(image, **options)


def decode(source: Source, **options: Unpack[DecodeKeywords]) -> Image.Image:
    """Decode a `.lat` file.

    Args:
        source: the bytes of a file; a path or a URL; or a file open for reading, which is read
            from where it stands. Of paths and open files no more is read than is needed, of URLs
            where there is a region.
        options: `region`, left, top, width and height in pixels; `scale`, 1, 2, 4, 8 or 16, by
            which width and height are divided; and the others of `DecodeOptions`.

    Returns:
        A Pillow image of mode RGB, RGBA, L or LA, with the metadata in `info`.

    Raises:
        latentcodec.LatError: it is not a `.lat` file, is damaged (with `salvage`: in its header,
            or in all of its tiles), is larger than `max_pixels`, or names a model that is not
            installed.
        ValueError: the region is not inside the picture, or the scale is none of the five.
        OSError: it cannot be read.
    """
    return Codec().decode(source, **options)


def decode_array(source: Source, **options: Unpack[DecodeKeywords]) -> NDArray[np.uint8]:
    """As `decode`, with the same options: a uint8 array [H, W], [H, W, 2] with alpha, [H, W, 3]
    or [H, W, 4]. Metadata is left out."""
    return Codec().decode_array(source, **options)


def decode_tensor(source: Source, **options: Unpack[DecodeKeywords]) -> Tensor:
    """As `decode_array`, channels first: a uint8 tensor [C, H, W] on the CPU."""
    return Codec().decode_tensor(source, **options)


class Codec:
    """Encodes and decodes many pictures. Threads may share one: calls do not affect each other."""

    def __init__(
        self,
        *,
        model: str | os.PathLike[str] | None = None,
        tune: Tune | None = None,
        device: str | torch.device = "cpu",
        threads: int | None = None,
        runtime: choice.Runtime | None = None,
    ) -> None:
        """Set up a codec; its model is loaded with the first picture.

        Args:
            model: as for `encode`. A file that is decoded names its own.
            tune: as for `encode`.
            device: where g_a and g_s run: as torch names it, or on ONNX Runtime "cpu", "cuda",
                "coreml" or "directml". Latents are the same on each, pixels within a grey level.
            threads: processor threads that a call may use; None: as many as the runtime likes.
            runtime: "torch", or "onnx" for ONNX Runtime; None: what the environment variable
                LATENTCODEC_RUNTIME names, or the first of the two that is installed.

        Raises:
            latentcodec.LatError: the model is not known, or device or runtime cannot be used.
            ValueError: an option has no such value (`threads` ends at 1024), or both `model` and
                `tune` are given.
        """
        compute.check_threads(threads)
        name = model_store.by_name(model_store.chosen(model, tune)).name
        self._runtime = choice.chosen(runtime)
        compute.check_device(device, self._runtime)
        self._model, self._device, self._threads = name, device, threads
        self._moved: dict[ModelEntry, Family] = {}
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        """Another process, such as that of a data loader, makes its own."""
        entry, device = model_store.by_name(self._model), str(self._device)
        return _remade, (entry, device, self._threads, self._runtime)

    def encode(self, image: AnyImage, **options: Unpack[EncodeKeywords]) -> bytes:
        """As `latentcodec.encode`, with the model of this codec."""
        wanted = EncodeOptions(**options)
        picture = source_of(image, wanted.strict, wanted.strip, wanted.resize)
        with threads(self._threads, self._runtime):
            return self._encoded(picture, wanted)

    @overload
    def encode_batch(
        self, images: Batch, *, errors: Raise = ..., **options: Unpack[EncodeKeywords]
    ) -> list[bytes]: ...
    @overload
    def encode_batch(
        self, images: Batch, *, errors: Errors, **options: Unpack[EncodeKeywords]
    ) -> list[bytes | Exception]: ...
    def encode_batch(
        self, images: Batch, *, errors: Errors = "raise", **options: Unpack[EncodeKeywords]
    ) -> Any:
        """Encode several pictures, one for each thread at a time; options as for `encode`.

        Args:
            images: whatever `encode` takes, in any mixture of sizes; or an array [B, H, W, C], or
                a tensor [B, C, H, W] or [C, H, W].
            errors: "raise", or "return" to put the error of what fails in its place.

        Returns:
            The files, the same bytes that `encode` gives with one thread.

        Raises:
            latentcodec.LatError, OSError, ValueError: as `encode` does, for the first picture that
                fails, whose place is the error's `index`.
        """
        single, wanted = list(one_by_one(images)), EncodeOptions(**options)

        def opened_picture(image: AnyImage) -> PictureSource | Exception:
            try:
                return source_of(image, wanted.strict, wanted.strip, wanted.resize)
            except ITEM_ERRORS as error:
                return error

        def encoded(picture: PictureSource | Exception) -> bytes:
            if isinstance(picture, Exception):
                raise picture
            return self._encoded(picture, wanted)

        # Read here, one by one: the same Pillow image may be in the batch twice.
        pictures = map(opened_picture, single)
        return map_on_threads(
            encoded, pictures, len(single), self._threads, self._runtime, errors=errors
        )

    def decode(self, source: Source, **options: Unpack[DecodeKeywords]) -> Image.Image:
        """As `latentcodec.decode`."""
        with threads(self._threads, self._runtime):
            return self._decoded(ImageCanvas, source, DecodeOptions(**options))

    def decode_array(self, source: Source, **options: Unpack[DecodeKeywords]) -> NDArray[np.uint8]:
        """As `latentcodec.decode_array`."""
        with threads(self._threads, self._runtime):
            return self._decoded(ArrayCanvas, source, DecodeOptions(**options))

    def decode_tensor(self, source: Source, **options: Unpack[DecodeKeywords]) -> Tensor:
        """As `latentcodec.decode_tensor`."""
        return tensor_of(self.decode_array(source, **options))

    @overload
    def decode_batch(
        self, sources: Sources, *, errors: Raise = ..., **options: Unpack[DecodeKeywords]
    ) -> list[Image.Image]: ...
    @overload
    def decode_batch(
        self, sources: Sources, *, errors: Errors, **options: Unpack[DecodeKeywords]
    ) -> list[Image.Image | Exception]: ...
    def decode_batch(
        self, sources: Sources, *, errors: Errors = "raise", **options: Unpack[DecodeKeywords]
    ) -> Any:
        """Decode several files, one for each thread at a time; options as for `decode`.

        errors: "raise", or "return" to put the error of what fails in its place. Raises as
        `decode` does, for the first file that fails, whose place is the error's `index`.
        """
        return self._decoded_batch(ImageCanvas, sources, errors, DecodeOptions(**options))

    @overload
    def decode_array_batch(
        self, sources: Sources, *, errors: Raise = ..., **options: Unpack[DecodeKeywords]
    ) -> list[NDArray[np.uint8]]: ...
    @overload
    def decode_array_batch(
        self, sources: Sources, *, errors: Errors, **options: Unpack[DecodeKeywords]
    ) -> list[NDArray[np.uint8] | Exception]: ...
    def decode_array_batch(
        self, sources: Sources, *, errors: Errors = "raise", **options: Unpack[DecodeKeywords]
    ) -> Any:
        """What `decode_array` gives of several files, as `decode_batch`."""
        return self._decoded_batch(ArrayCanvas, sources, errors, DecodeOptions(**options))

    @overload
    def decode_tensor_batch(
        self, sources: Sources, *, errors: Raise = ..., **options: Unpack[DecodeKeywords]
    ) -> list[Tensor]: ...
    @overload
    def decode_tensor_batch(
        self, sources: Sources, *, errors: Errors, **options: Unpack[DecodeKeywords]
    ) -> list[Tensor | Exception]: ...
    def decode_tensor_batch(
        self, sources: Sources, *, errors: Errors = "raise", **options: Unpack[DecodeKeywords]
    ) -> Any:
        """What `decode_tensor` gives of several files, as `decode_batch`."""
        found = self._decoded_batch(ArrayCanvas, sources, errors, DecodeOptions(**options))
        return [one if isinstance(one, Exception) else tensor_of(one) for one in found]

    def _encoded(self, picture: PictureSource, options: EncodeOptions) -> bytes:
        return rate_control.encode(picture, options, model=self._model, load=self._family).data

    def _decoded(
        self, canvas: type[Canvas[Result]], source: Source, options: DecodeOptions
    ) -> Result:
        with opened(source, in_part=options.region is not None) as data:
            decoded = decoder.decode(data, canvas, options, load=self._family)
        for problem in decoded.problems:
            warn_of_loss(problem)
        return decoded.picture

    def _decoded_batch(
        self,
        canvas: type[Canvas[Result]],
        sources: Sources,
        errors: Errors,
        options: DecodeOptions,
    ) -> list[Result | Exception]:
        files, decoded = list(sources), functools.partial(self._decoded, canvas, options=options)
        return map_on_threads(
            decoded, files, len(files), self._threads, self._runtime, errors=errors
        )

    def _family(self, entry: ModelEntry) -> Family:
        """The working model, its transforms on the device."""
        with self._lock:
            if entry not in self._moved:
                loaded = model_store.load_codec(entry, self._runtime)
                self._moved[entry] = loaded.on(self._device, self._threads)
            return self._moved[entry]


def _remade(entry: ModelEntry, device: str, threads: int | None, runtime: choice.Runtime) -> Codec:
    """A codec of another process; weights of one's own need not be registered here."""
    model = model_store.adopt(entry)
    return Codec(model=model, device=device, threads=threads, runtime=runtime)
