"""The rivals: what Pillow writes by itself, and what its plugins add."""

from __future__ import annotations

import importlib.metadata
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import PIL
from PIL import Image, features

from latentcodec.errors import LatError


@dataclass(frozen=True)
class PillowCodec:
    """A format that Pillow writes and reads.

    Attributes:
        name: As on the command line.
        label: Name for a person.
        settings: What is measured, from the smallest file to the largest.
        fine_settings: What a search for a size may use, in the same order.
        file_format: Pillow's name of the format.
        feature: The name under which `PIL.features` knows it, or the plugin's package.
        save_options: Gives the keywords of `Image.save` for a setting.
        plugin: Registers the format with Pillow; None for Pillow's own formats.
    """

    name: str
    label: str
    settings: Sequence[float]
    fine_settings: Sequence[float]
    file_format: str
    feature: str
    save_options: Callable[[float], Mapping[str, Any]]
    plugin: Callable[[], str] | None = field(default=None)

    def missing(self) -> str | None:
        """One sentence if the format cannot be written here."""
        if self.plugin is None:
            if features.check(self.feature):
                return None
            return f"Pillow {PIL.__version__} was built without {self.file_format}."
        try:
            self.plugin()
        except ImportError:
            return f"the package {self.feature} is not installed (the extra `bench` has it)."
        return None

    def version(self) -> str:
        """Pillow's version and the library's."""
        library = self.plugin() if self.plugin else _library(self.feature)
        return f"Pillow {PIL.__version__}, {library}"

    def encode(self, image: Image.Image, setting: float) -> bytes:
        """Encode at `setting` of the format's own scale."""
        self._register()
        buffer = io.BytesIO()
        image.save(buffer, self.file_format, **self.save_options(setting))
        return buffer.getvalue()

    def decode(self, data: bytes) -> Image.Image:
        """Decode to RGB."""
        self._register()
        return Image.open(io.BytesIO(data), formats=[self.file_format]).convert("RGB")

    def _register(self) -> None:
        if self.plugin:
            self.plugin()


def _library(feature: str) -> str:
    """Name and version of the library behind one of Pillow's own formats."""
    # mozjpeg and libjpeg-turbo answer to the same version number, but mozjpeg makes files several
    # percent smaller at the same quality, so a baseline must say which of them it is.
    for flavour in ("mozjpeg", "libjpeg_turbo"):
        if feature == "jpg" and features.check(flavour):
            return f"{flavour.replace('_', '-')} {features.version(flavour)}"
    library = {"jpg_2000": "OpenJPEG"}.get(feature, f"lib{feature}")
    return f"{library} {features.version(feature)}"


def _jpeg_options(quality: float, subsampling: str) -> dict[str, Any]:
    """Optimised and progressive. libjpeg knows whole qualities; in between, its own tables."""
    shape = {"subsampling": subsampling, "optimize": True, "progressive": True}
    if quality == int(quality):
        return {"quality": int(quality), **shape}
    # As libjpeg's jpeg_quality_scaling and jpeg_add_quant_table do it for whole qualities.
    percent = 5000 / quality if quality < 50 else 200 - 2 * quality
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "JPEG", quality=50)  # where the scale is 100 %
    with Image.open(buffer) as plain:
        standard: dict[int, list[int]] = plain.quantization
    scaled = [
        np.clip(np.floor(np.array(table) * percent / 100 + 0.5), 1, 255).astype(int).tolist()
        for table in standard.values()
    ]
    return {"qtables": scaled, **shape}


def _jpeg(option: str) -> PillowCodec:
    subsampling = {"": "4:2:0", "420": "4:2:0", "444": "4:4:4"}.get(option)
    if subsampling is None:
        raise LatError(f"jpeg can be jpeg:420 or jpeg:444, not jpeg:{option}")
    return PillowCodec(
        name=_full_name("jpeg", option),
        label=f"JPEG {subsampling}, optimised, progressive",
        settings=(5, 10, 18, 28, 40, 55, 70, 82, 91, 96),
        fine_settings=_steps(1, 100, 0.1),
        file_format="JPEG",
        feature="jpg",
        save_options=lambda quality: _jpeg_options(quality, subsampling),
    )


def _webp(option: str) -> PillowCodec:
    _no_option("webp", option)
    return PillowCodec(
        name="webp",
        label="WebP, method 6",
        settings=(0, 5, 15, 30, 45, 60, 75, 85, 92, 97),
        fine_settings=_steps(0, 100, 0.1),
        file_format="WEBP",
        feature="webp",
        save_options=lambda quality: {"quality": quality, "method": 6},
    )


def _avif(option: str) -> PillowCodec:
    speed = _whole("avif", option, 6, 0, 10)
    return PillowCodec(
        name=_full_name("avif", option),
        label=f"AVIF 4:2:0, speed {speed}",
        settings=(5, 12, 20, 30, 40, 50, 60, 72, 84, 94),
        fine_settings=_steps(0, 100, 1),
        file_format="AVIF",
        feature="avif",
        save_options=lambda quality: {
            "quality": int(quality),
            "subsampling": "4:2:0",
            "speed": speed,
        },
    )


def _jpeg2000(option: str) -> PillowCodec:
    _no_option("jpeg2000", option)
    return PillowCodec(
        name="jpeg2000",
        label="JPEG 2000, irreversible",
        settings=(240, 150, 100, 65, 42, 28, 18, 12, 8.5, 6),
        # Compression ratios, 0.5 % apart.
        fine_settings=tuple(round(1000 * 0.995**step, 3) for step in range(1300)),
        file_format="JPEG2000",
        feature="jpg_2000",
        save_options=lambda ratio: {
            "irreversible": True,
            "quality_mode": "rates",
            "quality_layers": [ratio],
        },
    )


def _jxl(option: str) -> PillowCodec:
    effort = _whole("jxl", option, 7, 1, 10)
    return PillowCodec(
        name=_full_name("jxl", option),
        label=f"JPEG XL, effort {effort}",
        settings=(5, 20, 35, 50, 65, 78, 86, 91, 94, 96.5),
        fine_settings=_steps(1, 99, 0.1),
        file_format="JXL",
        feature="pillow-jxl-plugin",
        save_options=lambda quality: {"quality": quality, "effort": effort},
        plugin=_jxl_plugin,
    )


def _heic(option: str) -> PillowCodec:
    _no_option("heic", option)
    return PillowCodec(
        name="heic",
        label="HEIC 4:2:0, x265",
        settings=(5, 12, 20, 28, 36, 44, 52, 60, 68, 76),
        fine_settings=_steps(0, 100, 1),
        file_format="HEIF",
        feature="pillow-heif",
        save_options=lambda quality: {"quality": int(quality), "chroma": "420"},
        plugin=_heic_plugin,
    )


def _jxl_plugin() -> str:
    import pillow_jxl  # noqa: F401  (registers the format)

    return f"pillow-jxl-plugin {importlib.metadata.version('pillow-jxl-plugin')}"


def _heic_plugin() -> str:
    import pillow_heif

    pillow_heif.register_heif_opener()
    encoder = pillow_heif.libheif_info()["HEIF"]
    return f"libheif {pillow_heif.libheif_version()}, {encoder}"


# The settings are spread so that every curve covers about 0.1 to 3.5 bpp on photographs.
FACTORIES: dict[str, Callable[[str], PillowCodec]] = {
    "jpeg": _jpeg,
    "webp": _webp,
    "avif": _avif,
    "jxl": _jxl,
    "jpeg2000": _jpeg2000,
    "heic": _heic,
}


def _steps(first: float, last: float, step: float) -> tuple[float, ...]:
    return tuple(round(first + k * step, 1) for k in range(round((last - first) / step) + 1))


def _full_name(name: str, option: str) -> str:
    return f"{name}:{option}" if option else name


def _no_option(name: str, option: str) -> None:
    if option:
        raise LatError(f"{name} has no options, so {name}:{option} means nothing")


def _whole(name: str, option: str, default: int, least: int, most: int) -> int:
    """The whole number that stands after the colon of a codec's name."""
    if not option:
        return default
    if not option.isdecimal() or not least <= int(option) <= most:
        raise LatError(f"{name} takes a number from {least} to {most}, not {name}:{option}")
    return int(option)
