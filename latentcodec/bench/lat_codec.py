"""latentcodec as a codec of the benchmark, through its two public functions."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

import latentcodec
from latentcodec import defaults
from latentcodec.bench.operations import operation_counter
from latentcodec.errors import LatError, UnknownModel
from latentcodec.runtime import model_store

_EFFORTS = tuple("123456789")
# From this effort on a file takes seconds, and half of the settings do (docs/benchmark.md).
_SLOW_EFFORT = 5
_FEW_SETTINGS = 1, 20, 40, 72, 100
_TENTHS = tuple(tenths / 10 for tenths in range(10, 1001))


@dataclasses.dataclass(frozen=True)
class LatCodec:
    """latentcodec with one of its models.

    Attributes:
        name: As on the command line.
        label: The package, and the tune or the model that was asked for.
        model: Name or family of a packaged model, or a path given to `register_weights`.
        effort: Of the encoder, 1 to 9.
        settings: Qualities, 1 to 100.
    """

    name: str
    label: str
    model: str
    effort: int = defaults.EFFORT
    settings: Sequence[float] = (1, 10, 20, 30, 40, 50, 60, 72, 85, 100)
    fine_settings: Sequence[float] = _TENTHS

    def missing(self) -> str | None:
        """One sentence where the package has no such model."""
        try:
            model_store.by_name(self.model)
        except UnknownModel as error:
            return str(error)
        return None

    def version(self) -> str:
        """The version of the package, and the model with the hash of its weights."""
        entry = model_store.by_name(self.model)
        return f"latentcodec {latentcodec.__version__}, {Path(entry.name).stem} {entry.sha256[:8]}"

    def encode(self, image: Image.Image, setting: float) -> bytes:
        """Encode at quality `setting`, 1 to 100."""
        return latentcodec.encode(image, quality=setting, model=self.model, effort=self.effort)

    def decode(self, data: bytes) -> Image.Image:
        """Decode a .lat file."""
        return latentcodec.decode(data).convert("RGB")

    def decoder_kmac(self, image: Image.Image) -> float:
        """Thousands of multiplications a pixel that decoding this image takes.

        Those of matrix products and convolutions, counted by torch while a file is decoded; the few
        of elementwise operations are not.
        """
        data = self.encode(image, self.settings[len(self.settings) // 2])
        return _multiplications(data) / 1000 / (image.width * image.height)


def _multiplications(data: bytes) -> float:
    """What decoding a file takes, in products of float32, whatever the processor prefers."""
    import torch

    counter = operation_counter()
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")  # others make three products of one
    try:
        with counter:
            # torch counts in the thread that it is told to, so that all has to be done there.
            latentcodec.Codec(threads=1).decode(data)
    finally:
        torch.set_float32_matmul_precision(before)
    return counter.get_total_flops() / 2  # a multiplication and an addition are two to torch


def lat(option: str) -> LatCodec:
    """latentcodec with a tune, a model or a weights file as its option, and an effort after that.

    By default each is as it comes. Raises LatError for a weights file that cannot be used.
    """
    which, _, last = option.rpartition(":")
    if last not in _EFFORTS:
        return _of_model(option)
    codec = _of_model(which)
    effort = int(last)
    return dataclasses.replace(
        codec,
        name=f"{codec.name}:{last}",
        label=f"{codec.label}, effort {last}",
        effort=effort,
        settings=_FEW_SETTINGS if effort >= _SLOW_EFFORT else codec.settings,
    )


def _of_model(option: str) -> LatCodec:
    if not option:
        return LatCodec("lat", "latentcodec", model_store.chosen())
    name, label = f"lat:{option}", "latentcodec, {}".format
    for tune in model_store.TUNES:
        if option == tune:
            return LatCodec(name, label(f"tune {tune}"), model_store.chosen(tune=tune))
    model = option
    if option.endswith(".safetensors"):
        try:
            model = model_store.register_weights(Path(option))
        except OSError as error:
            raise LatError(f"{option} cannot be read: {error.strerror}") from error
    return LatCodec(name, label(Path(model).stem), model)
