"""`Codec`, which encodes and decodes pictures; `encode` and `decode` are those of a default one.

torch or ONNX Runtime is imported, and a model is loaded, when the first picture needs it.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from latentcodec.errors import warn_of_loss
from latentcodec.format.source import Source, opened
from latentcodec.images.canvas import ArrayCanvas, Canvas, ImageCanvas, Result
from latentcodec.images.picture import one_by_one, source_of
from latentcodec.images.tensors import tensor_of
from latentcodec.options import DecodeOptions, EncodeOptions
from latentcodec.pipeline import decoder, encoder
from latentcodec.runtime import choice, model_store
from latentcodec.runtime.compute import check_device, map_on_threads, threads

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
    from latentcodec.runtime.model_store import ModelEntry, Tune


def encode(
    image: AnyImage,
    *,
    model: str | None = None,
    tune: Tune | None = None,
    **options: Unpack[EncodeKeywords],
) -> bytes:
    """Encode a picture as a `.lat` file.

    Args:
        image: a path; a Pillow image; a uint8 array [H, W], [H, W, 2], [H, W, 3] or [H, W, 4],
            whose second or fourth channel is alpha; or a tensor [C, H, W] of as many channels,
            uint8, or floats in 0..1, which are rounded to 256 levels. RGB and grey are stored
            as such, alpha without losses; metadata of files and Pillow images are kept. What has
            to be converted (16 bits, CMYK and other colour spaces) or has no place gives a
            `LossWarning`.
        model: name or family of a packaged model, or what `register_weights` returned, instead of
            a tune.
        tune: what the model is tuned for: "ssim", for the eye, or "psnr"; None: "ssim".
        options: `quality`, 1 (smallest) to 100 (best), and the others of `EncodeOptions`.

    Returns:
        The bytes of the file.

    Raises:
        latentcodec.LatError: the image cannot be encoded, or the model is not known.
        ValueError: an option has no such value, or both `model` and `tune` are given.
    """
    return Codec(model=model, tune=tune).encode(image, **options)


def decode(source: Source, **options: Unpack[DecodeKeywords]) -> Image.Image:
    """Decode a `.lat` file.

    Args:
        source: the bytes of a file; a path; or a file open for reading, which is read from where
            it stands. Of the latter two no more is read than is needed.
        options: `region`, left, top, width and height in pixels; `scale`, 1, 2, 4, 8 or 16, by
            which width and height are divided; and the others of `DecodeOptions`.

    Returns:
        A Pillow image of mode RGB, RGBA, L or LA, with EXIF, ICC profile and XMP in `info`.

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
        model: str | None = None,
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
            ValueError: `threads` is less than 1, another option has no such value, or both
                `model` and `tune` are given.
        """
        if threads is not None and threads < 1:
            raise ValueError(f"threads must be 1 or more, not {threads}")
        name = model_store.by_name(model_store.chosen(model, tune)).name
        self._runtime = choice.chosen(runtime)
        check_device(device, self._runtime)
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
        picture = source_of(image, wanted.strict, wanted.strip)
        with threads(self._threads, self._runtime):
            return self._encoded(picture, wanted)

    def encode_batch(
        self,
        images: Iterable[AnyImage] | NDArray[np.uint8] | Tensor,
        **options: Unpack[EncodeKeywords],
    ) -> list[bytes]:
        """Encode several pictures, one for each thread at a time; options as for `encode`.

        Args:
            images: whatever `encode` takes, in any mixture of sizes; or an array [B, H, W, C], or
                a tensor [B, C, H, W] or [C, H, W].

        Returns:
            The files, the same bytes that `encode` gives with one thread.

        Raises:
            latentcodec.LatError, ValueError: as `encode` does, for the first picture that fails.
        """
        single, wanted = list(one_by_one(images)), EncodeOptions(**options)
        # Read here, one by one: the same Pillow image may be in the batch twice.
        pictures = (source_of(image, wanted.strict, wanted.strip) for image in single)
        encoded = functools.partial(self._encoded, options=wanted)
        return map_on_threads(encoded, pictures, len(single), self._threads, self._runtime)

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

    def decode_batch(
        self, sources: Iterable[Source], **options: Unpack[DecodeKeywords]
    ) -> list[Image.Image]:
        """Decode several files, one for each thread at a time; options as for `decode`.

        Raises as `decode` does, for the first file that fails, whose place is the error's `index`.
        """
        return self._decoded_batch(ImageCanvas, sources, DecodeOptions(**options))

    def decode_array_batch(
        self, sources: Iterable[Source], **options: Unpack[DecodeKeywords]
    ) -> list[NDArray[np.uint8]]:
        """What `decode_array` gives of several files, as `decode_batch`."""
        return self._decoded_batch(ArrayCanvas, sources, DecodeOptions(**options))

    def decode_tensor_batch(
        self, sources: Iterable[Source], **options: Unpack[DecodeKeywords]
    ) -> list[Tensor]:
        """What `decode_tensor` gives of several files, as `decode_batch`."""
        return [tensor_of(array) for array in self.decode_array_batch(sources, **options)]

    def _encoded(self, picture: PictureSource, options: EncodeOptions) -> bytes:
        return encoder.encode(picture, options, model=self._model, load=self._family)

    def _decoded(
        self, canvas: type[Canvas[Result]], source: Source, options: DecodeOptions
    ) -> Result:
        with opened(source) as data:
            decoded = decoder.decode(data, canvas, options, load=self._family)
        for problem in decoded.problems:
            warn_of_loss(problem)
        return decoded.picture

    def _decoded_batch(
        self, canvas: type[Canvas[Result]], sources: Iterable[Source], options: DecodeOptions
    ) -> list[Result]:
        files, decoded = list(sources), functools.partial(self._decoded, canvas, options=options)
        return map_on_threads(decoded, files, len(files), self._threads, self._runtime)

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
