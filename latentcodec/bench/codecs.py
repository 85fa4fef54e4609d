"""The codecs that are measured: latentcodec, and what Pillow offers beside it."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import PIL
from PIL import Image, features

import latentcodec
from latentcodec import model_store


class Codec(Protocol):
    """What the runner needs to know of a codec."""

    @property
    def name(self) -> str:
        """Short name, as in the option --codecs and in rd.csv."""

    @property
    def label(self) -> str:
        """Name for a person, in tables and plots."""

    @property
    def settings(self) -> tuple[float, ...]:
        """Qualities to measure, on the codec's own scale."""

    def missing(self) -> str | None:
        """Why this installation cannot run the codec, or None where it can."""

    def version(self) -> str:
        """The libraries that do the work, with their versions."""

    def encode(self, image: Image.Image, setting: float) -> bytes:
        """Encode an RGB image to the bytes of a file."""

    def decode(self, data: bytes) -> Image.Image:
        """Decode the bytes of a file to an RGB image."""


@dataclass(frozen=True)
class LatCodec:
    """latentcodec itself, through its two public functions."""

    name: str = "lat"
    label: str = "latentcodec"
    settings: tuple[float, ...] = (1, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 100)

    def missing(self) -> str | None:
        """None: the package is here, or this file would not be."""
        return None

    def version(self) -> str:
        """The version of the package, and its default model with the hash of its weights."""
        entry = model_store.by_name(model_store.DEFAULT_MODEL)
        return f"latentcodec {latentcodec.__version__}, {entry.name} {entry.sha256[:8]}"

    def encode(self, image: Image.Image, setting: float) -> bytes:
        """Encode at quality `setting`, 1 to 100."""
        return latentcodec.encode(image, quality=setting)

    def decode(self, data: bytes) -> Image.Image:
        """Decode a .lat file."""
        return latentcodec.decode(data).convert("RGB")


@dataclass(frozen=True)
class PillowCodec:
    """A format that Pillow writes.

    Attributes:
        file_format: Pillow's name of the format.
        feature: The name under which `PIL.features` knows it: jpg, webp or avif.
        options: What `Image.save` gets besides the quality.
    """

    name: str
    label: str
    settings: tuple[float, ...]
    file_format: str
    feature: str
    options: Mapping[str, Any]

    def missing(self) -> str | None:
        """One sentence if this Pillow was built without the format."""
        if features.check(self.feature):
            return None
        return f"Pillow {PIL.__version__} was built without {self.file_format}."

    def version(self) -> str:
        """Pillow's version and the library's."""
        return f"Pillow {PIL.__version__}, {_library(self.feature)}"

    def encode(self, image: Image.Image, setting: float) -> bytes:
        """Encode at the integer quality `setting` of the format's own scale."""
        buffer = io.BytesIO()
        image.save(buffer, self.file_format, quality=int(setting), **self.options)
        return buffer.getvalue()

    def decode(self, data: bytes) -> Image.Image:
        """Decode to RGB."""
        return Image.open(io.BytesIO(data), formats=[self.file_format]).convert("RGB")


def _library(feature: str) -> str:
    """Name and version of the library behind a format."""
    # mozjpeg and libjpeg-turbo answer to the same version number, but mozjpeg makes files several
    # percent smaller at the same quality, so a baseline must say which of them it is.
    for flavour in ("mozjpeg", "libjpeg_turbo"):
        if feature == "jpg" and features.check(flavour):
            return f"{flavour.replace('_', '-')} {features.version(flavour)}"
    return f"lib{feature} {features.version(feature)}"


_JPEG_QUALITIES = (5, 8, 12, 18, 25, 35, 45, 55, 65, 75, 82, 88, 92, 95, 97)
_WEBP_QUALITIES = (0, 1, 5, 10, 20, 30, 40, 50, 60, 70, 80, 85, 90, 95, 98)
_AVIF_QUALITIES = (5, 10, 15, 20, 27, 35, 43, 51, 60, 70, 80, 88, 93, 95)


def _jpeg(name: str, subsampling: str) -> PillowCodec:
    label = f"JPEG {subsampling}, optimised, progressive"
    options = {"subsampling": subsampling, "optimize": True, "progressive": True}
    return PillowCodec(name, label, _JPEG_QUALITIES, "JPEG", "jpg", options)


def _avif(name: str, speed: int) -> PillowCodec:
    label = f"AVIF 4:2:0, speed {speed}"
    options = {"subsampling": "4:2:0", "speed": speed}
    return PillowCodec(name, label, _AVIF_QUALITIES, "AVIF", "avif", options)


# The settings are spread so that every curve covers about 0.1 to 3.5 bpp on photographs.
CODECS: tuple[Codec, ...] = (
    LatCodec(),
    _jpeg("jpeg420", "4:2:0"),
    _jpeg("jpeg444", "4:4:4"),
    PillowCodec("webp", "WebP, method 6", _WEBP_QUALITIES, "WEBP", "webp", {"method": 6}),
    _avif("avif", speed=6),
    _avif("avif-slow", speed=2),
)
