"""The keywords of `encode` and `decode` as types, for all that take the same."""

from __future__ import annotations

from collections.abc import Collection
from typing import TypedDict

from latentcodec.images.metadata_names import MetadataName


class EncodeOptions(TypedDict, total=False):
    """The keywords of `encode`, which says what they mean."""

    quality: float
    strict: bool
    strip: Collection[MetadataName]


class DecodeOptions(TypedDict, total=False):
    """The keywords of `decode`, which says what they mean."""

    region: tuple[int, int, int, int] | None
    scale: int
    max_pixels: int
    salvage: bool
