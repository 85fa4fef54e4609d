"""What a codec is to the benchmark, and how one is found by its name.

A codec is named on the command line as NAME or NAME:OPTIONS, such as `avif:psnr:2` for AVIF tuned
for PSNR at speed 2, or is two commands, NAME=ENCODE;DECODE.
Other packages add codecs through the entry point group `latentcodec.codecs`; docs/benchmark.md
has an example.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from latentcodec.bench import lat_codec, rivals
from latentcodec.bench.command_codec import command_codec
from latentcodec.errors import LatError

if TYPE_CHECKING:
    from PIL import Image

ENTRY_POINTS = "latentcodec.codecs"
ANCHOR = "jpeg"
OWN = "lat"


class Codec(Protocol):
    """What the benchmark needs to know of a codec."""

    @property
    def name(self) -> str:
        """The name by which it was asked for, NAME or NAME:OPTIONS."""

    @property
    def label(self) -> str:
        """Name for a person, in tables and plots, with what matters of its settings."""

    @property
    def settings(self) -> Sequence[float]:
        """Settings to measure, on the codec's own scale, from the smallest file to the largest."""

    @property
    def fine_settings(self) -> Sequence[float]:
        """Settings to search where a file of some size is wanted, in the same order."""

    def missing(self) -> str | None:
        """Why this installation cannot run the codec, in one sentence, or None where it can."""

    def version(self) -> str:
        """The libraries that do the work, with their versions. Rows of another one are redone."""

    def encode(self, image: Image.Image, setting: float) -> bytes:
        """Encode an RGB image to the bytes of a file."""

    def decode(self, data: bytes) -> Image.Image:
        """Decode the bytes of a file to an RGB image."""


# Makes the codec from what follows the colon of its name, or from "". Raises LatError.
Factory = Callable[[str], Codec]

_BUILT_IN: dict[str, Factory] = {OWN: lat_codec.lat, **rivals.FACTORIES}


def names() -> list[str]:
    """All names that `find` knows, the built-in ones first."""
    installed = (entry.name for entry in importlib.metadata.entry_points(group=ENTRY_POINTS))
    return list(dict.fromkeys([*_BUILT_IN, *installed]))


def find(name: str) -> Codec:
    """The codec called `name`: NAME, NAME:OPTIONS, or the commands NAME=ENCODE;DECODE.

    Raises:
        LatError: There is none, the option is not one of its, or its package cannot be imported.
    """
    if "=" in name and ";" in name:
        return command_codec(name)
    base, _, option = name.partition(":")
    if base in _BUILT_IN:
        return _BUILT_IN[base](option)
    for entry in importlib.metadata.entry_points(group=ENTRY_POINTS, name=base):
        try:
            return entry.load()(option)
        except LatError:
            raise
        except Exception as error:  # somebody else's package may fail in any way
            raise LatError(f"the codec {base} of {entry.value} cannot be loaded: {error}") from None
    raise LatError(f"there is no codec {base!r}; known: {', '.join(names())}")
