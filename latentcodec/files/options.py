"""How files are to be converted: values that can be sent to other processes."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from typing import Any, TypeVar

from latentcodec.images.metadata_names import MetadataName, check_names
from latentcodec.options import DecodeOptions, EncodeOptions
from latentcodec.runtime import model_store
from latentcodec.runtime.choice import Runtime
from latentcodec.runtime.model_store import ModelEntry, Tune

_Options = TypeVar("_Options", bound="FileOptions")


@dataclasses.dataclass(frozen=True, kw_only=True)
class FileOptions:
    """What encoding and decoding of files have in common.

    Weights that `register_weights` was given are known, by their path, where a pickled copy is
    loaded.

    Attributes:
        make_parents: make the folders of the target where they are missing.
        sha256: give the checksum of what is written.
        runtime: as for `Codec`.
    """

    make_parents: bool = False
    sha256: bool = False
    runtime: Runtime | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return _remade, (type(self), model_store.own_entries(), values)


def _remade(kind: type[_Options], own: list[ModelEntry], values: dict[str, Any]) -> _Options:
    for entry in own:
        model_store.adopt(entry)
    return kind(**values)


@dataclasses.dataclass(frozen=True, kw_only=True)
class EncodeFileOptions(FileOptions, EncodeOptions):
    """How a picture becomes a `.lat` file: the options of `encode`, and these.

    Attributes:
        target_size: instead of a quality, the best one with no more bytes.
        target_bpp: the same in bits per pixel.
        ratio: the same as the samples' bytes over the file's.
        target_psnr: instead of a quality, the lowest one with this PSNR in dB.
        model: as for `encode`.
        tune: as for `encode`.
        verify: decode the latents and compare, and read the file back.
        psnr: decode the file and measure its PSNR.

    Raises:
        ValueError: a value is out of range, or two exclude each other.
    """

    target_size: int | None = None
    target_bpp: float | None = None
    ratio: float | None = None
    target_psnr: float | None = None
    model: str | None = None
    tune: Tune | None = None
    verify: bool = False
    psnr: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        model_store.chosen(self.model, self.tune)
        goals = (self.target_size, self.target_bpp, self.ratio, self.target_psnr)
        if sum(goal is not None for goal in goals) > 1:
            raise ValueError("give one of target_size, target_bpp, ratio and target_psnr")


@dataclasses.dataclass(frozen=True, kw_only=True)
class DecodeFileOptions(FileOptions, DecodeOptions):
    """How a `.lat` file becomes a picture: the options of `decode`, and these.

    Attributes:
        format: extension of the format to write, such as "jpg"; None: that of the target, and png
            where that has no name.
        strict: fail where the format cannot hold all of the file.
        strip: metadata to leave out, as for `encode`.
        background: the colour, by Pillow's names, that a picture with alpha is put on where the
            format has none.

    Raises:
        ValueError: `strip` names no metadata, or the background is no colour.
    """

    format: str | None = None
    strict: bool = False
    strip: Collection[MetadataName] = ()
    background: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "strip", tuple(check_names(self.strip)))
        if self.background is not None:
            from latentcodec.images.formats import check_colour

            check_colour(self.background)
