"""A format that Pillow writes, by itself or by a plugin, as a codec of the benchmark."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import PIL
from PIL import Image, features


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
        """One sentence if the format, or an option of it, cannot be written here."""
        if self.plugin is None:
            if not features.check(self.feature):
                return f"Pillow {PIL.__version__} was built without {self.file_format}."
        else:
            try:
                self.plugin()
            except ImportError:
                return f"the package {self.feature} is not installed (the extra `bench` has it)."
        try:  # an older library may lack a tune or a preset
            self.encode(Image.new("RGB", (16, 16)), self.settings[0])
        except (OSError, TypeError, ValueError) as error:
            return f"{self.version()} cannot write it: {error}."
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
    if feature == "avif":
        from PIL import AvifImagePlugin

        aom = AvifImagePlugin.get_codec_version("aom")
        return f"libavif {features.version(feature)}, aom {aom}"
    library = {"jpg_2000": "OpenJPEG"}.get(feature, f"lib{feature}")
    return f"{library} {features.version(feature)}"
