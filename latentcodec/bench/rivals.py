"""The rivals by name, each with the settings that are measured and the options it can be given."""

from __future__ import annotations

import importlib.metadata
import io
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

from latentcodec.bench.codec_options import Option, read_options, whole_numbers
from latentcodec.bench.jpegli_codec import JpegliCodec, jpegli
from latentcodec.bench.pillow_codecs import PillowCodec
from latentcodec.system.cpu import cores

# Up to this speed a file takes seconds, and half of the settings do (docs/benchmark.md).
_SLOW_AVIF = 3
_X265_PRESETS = (
    *("ultrafast", "superfast", "veryfast", "faster", "fast"),
    *("medium", "slow", "slower", "veryslow", "placebo"),
)


def _subsampling(default: str = "420") -> Option:
    return Option("subsampling", ("420", "422", "444"), default)


def _colons(subsampling: str) -> str:
    """4:2:0 for 420."""
    return ":".join(subsampling)


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


def _jpeg(text: str) -> PillowCodec:
    options = read_options("jpeg", text, [_subsampling()])
    subsampling = _colons(options["subsampling"])
    return PillowCodec(
        name=_full_name("jpeg", text),
        label=f"JPEG {subsampling}, optimised, progressive",
        settings=(5, 10, 18, 28, 40, 55, 70, 82, 91, 96),
        fine_settings=_steps(1, 100, 0.1),
        file_format="JPEG",
        feature="jpg",
        save_options=lambda quality: _jpeg_options(quality, subsampling),
    )


def _webp(text: str) -> PillowCodec:
    options = read_options("webp", text, [whole_numbers("method", 6, 0, 6)])
    method = int(options["method"])
    return PillowCodec(
        name=_full_name("webp", text),
        label=f"WebP, method {method}, 4:2:0",
        settings=(0, 5, 15, 30, 45, 60, 75, 85, 92, 97),
        fine_settings=_steps(0, 100, 0.1),
        file_format="WEBP",
        feature="webp",
        save_options=lambda quality: {"quality": quality, "method": method},
    )


def _avif(text: str) -> PillowCodec:
    tunes = Option("tune", ("iq", "psnr", "ssim"), "iq")
    options = read_options("avif", text, [tunes, _subsampling(), whole_numbers("speed", 6, 0, 10)])
    subsampling, speed = _colons(options["subsampling"]), int(options["speed"])
    return PillowCodec(
        name=_full_name("avif", text),
        label=f"AVIF tune {options['tune']}, speed {speed}, {subsampling}",
        settings=(5, 20, 40, 72, 94)
        if speed <= _SLOW_AVIF
        else (5, 12, 20, 30, 40, 50, 60, 72, 84, 94),
        # libavif takes 100 for lossless, which libaom does not have with tune iq.
        fine_settings=_steps(0, 99, 1),
        file_format="AVIF",
        feature="avif",
        save_options=lambda quality: {
            "quality": int(quality),
            "subsampling": subsampling,
            "speed": speed,
            # Pillow's own default is tune iq where libaom has it; said here, so that the label
            # is true of every version.
            "codec": "aom",
            "advanced": {"tune": options["tune"]},
            # One tile is smallest. From two threads on, their number changes no byte.
            "autotiling": False,
            "max_threads": max(2, cores()),
        },
    )


def _jpeg2000(text: str) -> PillowCodec:
    read_options("jpeg2000", text, [])
    return PillowCodec(
        name="jpeg2000",
        label="JPEG 2000, irreversible, 4:4:4",
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


def _jxl(text: str) -> PillowCodec:
    options = read_options("jxl", text, [whole_numbers("effort", 7, 1, 10)])
    effort = int(options["effort"])
    return PillowCodec(
        name=_full_name("jxl", text),
        label=f"JPEG XL, effort {effort}, 4:4:4",
        settings=(5, 20, 35, 50, 65, 78, 86, 91, 94, 96.5),
        fine_settings=_steps(1, 99, 0.1),
        file_format="JXL",
        feature="pillow-jxl-plugin",
        save_options=lambda quality: {"quality": quality, "effort": effort},
        plugin=_jxl_plugin,
    )


def _heic(text: str) -> PillowCodec:
    # libheif's own defaults are preset slow and tune ssim.
    given = [
        Option("preset", _X265_PRESETS, "slow"),
        Option("tune", ("ssim", "psnr"), "ssim"),
        _subsampling(),
    ]
    options = read_options("heic", text, given)
    preset, tune, chroma = (options[option.name] for option in given)
    return PillowCodec(
        name=_full_name("heic", text),
        label=f"HEIC by x265, preset {preset}, tune {tune}, {_colons(chroma)}",
        settings=(5, 12, 20, 28, 36, 44, 52, 60, 68, 76),
        fine_settings=_steps(0, 100, 1),
        file_format="HEIF",
        feature="pillow-heif",
        save_options=lambda quality: {
            "quality": int(quality),
            "chroma": chroma,
            "enc_params": {"preset": preset, "tune": tune},
        },
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
FACTORIES: dict[str, Callable[[str], PillowCodec | JpegliCodec]] = {
    "jpeg": _jpeg,
    "jpegli": jpegli,
    "webp": _webp,
    "avif": _avif,
    "jxl": _jxl,
    "jpeg2000": _jpeg2000,
    "heic": _heic,
}


def _steps(first: float, last: float, step: float) -> tuple[float, ...]:
    return tuple(round(first + k * step, 1) for k in range(round((last - first) / step) + 1))


def _full_name(name: str, options: str) -> str:
    return f"{name}:{options}" if options else name
