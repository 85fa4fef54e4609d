"""JPEG as jpegli writes it: another encoder for the format that every program reads."""

from __future__ import annotations

import importlib.metadata
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from latentcodec.bench.codec_options import read_options


@dataclass(frozen=True)
class JpegliCodec:
    """jpegli through `pyjpegli`, which writes 4:2:0 and whole qualities; read by Pillow."""

    name: str = "jpegli"
    label: str = "JPEG by jpegli, 4:2:0"
    settings: Sequence[float] = (5, 10, 18, 28, 40, 55, 70, 82, 91, 97)
    fine_settings: Sequence[float] = tuple(range(1, 101))

    def missing(self) -> str | None:
        """One sentence if the package is not there."""
        try:
            import pyjpegli  # noqa: F401
        except ImportError:
            return "the package pyjpegli is not installed (the extra `bench` has it)."
        return None

    def version(self) -> str:
        """That of the package, which brings jpegli with it."""
        return f"pyjpegli {importlib.metadata.version('pyjpegli')}"

    def encode(self, image: Image.Image, setting: float) -> bytes:
        """Encode at quality `setting`, 1 to 100."""
        import pyjpegli

        # ascontiguousarray: pyjpegli reads the buffer as it lies in memory.
        pixels = np.ascontiguousarray(image)
        return bytes(pyjpegli.encode(pixels, image.width, image.height, quality=int(setting)))

    def decode(self, data: bytes) -> Image.Image:
        """Decode as every reader of JPEG does."""
        return Image.open(io.BytesIO(data), formats=["JPEG"]).convert("RGB")


def jpegli(option: str) -> JpegliCodec:
    """The codec; it has no options, and LatError is raised for any."""
    read_options("jpegli", option, ())
    return JpegliCodec()
