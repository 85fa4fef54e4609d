"""How files are to be converted: values that can be sent to other processes."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Collection
from typing import Annotated, Any, TypeVar

from latentcodec.defaults import IMAGE_QUALITY
from latentcodec.images.metadata_kinds import MetadataName, check_names
from latentcodec.images.plugins import not_written
from latentcodec.options import STRIP, DecodeOptions, EncodeOptions, Flag
from latentcodec.runtime import model_store
from latentcodec.runtime.choice import Runtime
from latentcodec.runtime.model_store import ModelEntry, Tune

_Options = TypeVar("_Options", bound="FileOptions")


def _parse_format(text: str) -> str:
    """`.PNG` as png, which has to be one that Pillow writes."""
    from latentcodec.images.files import writable_format

    extension = text.lower().removeprefix(".")
    if writable_format(f".{extension}") is None:
        raise ValueError(not_written(f".{extension}"))
    return extension


def _parse_colour(text: str) -> str:
    """A colour by one of Pillow's names."""
    from latentcodec.images.formats import check_colour

    return check_colour(text)


@dataclasses.dataclass(frozen=True, kw_only=True)
class FileOptions:
    """What encoding and decoding of files have in common.

    Weights that `register_weights` was given are known, by their path, where a pickled copy is
    loaded.

    Attributes:
        make_parents: make the folders of the target where they are missing.
        sha256: give the checksum of what is written.
        preserve: give the target times and permissions of the source.
        runtime: as for `Codec`.
    """

    make_parents: bool = False
    sha256: bool = False
    preserve: Annotated[
        bool, Flag("Give outputs times and permissions of their inputs, as cp -p does.")
    ] = False
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
    """How a picture becomes a `.lat` file: the options of `encode`, and these. `verify` also reads
    the file back.

    Attributes:
        model: as for `encode`.
        tune: as for `encode`.
        psnr: decode the file and measure its PSNR.

    Raises:
        ValueError: a value is out of range, or two exclude each other.
    """

    model: str | os.PathLike[str] | None = None
    tune: Tune | None = None
    psnr: Annotated[bool, Flag("Measure the PSNR of each file, for --json and --manifest.")] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        model_store.chosen(self.model, self.tune)


@dataclasses.dataclass(frozen=True, kw_only=True)
class DecodeFileOptions(FileOptions, DecodeOptions):
    """How a `.lat` file becomes a picture: the options of `decode`, and these.

    Attributes:
        format: extension of the format to write, such as "jpg"; None: that of the target, and png
            where that has no name.
        quality: of JPEG, WebP and other formats with losses, 1 to 100 as Pillow has it.
        strict: fail where the format cannot hold all of the file.
        strip: metadata to leave out, as for `encode`.
        background: the colour, by Pillow's names, that a picture with alpha is put on where the
            format has none.

    Raises:
        ValueError: there is no such quality, `strip` names no metadata, or the background is no
            colour.
    """

    format: Annotated[
        str | None,
        Flag(
            "Format to write, such as jpg [default: by OUT's extension, in folders png].",
            metavar="EXT",
            parse=_parse_format,
        ),
    ] = None
    quality: Annotated[
        int, Flag("Of what is written with losses, 1 to 100.", short="-q", least=1, most=100)
    ] = IMAGE_QUALITY
    strict: Annotated[bool, Flag("Refuse formats that cannot hold all of a file.")] = False
    strip: Annotated[Collection[MetadataName], STRIP] = ()
    background: Annotated[
        str | None,
        Flag(
            "What a picture with alpha is put on where the format has none: white, #ff8000.",
            metavar="COLOUR",
            parse=_parse_colour,
        ),
    ] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.quality, bool) or self.quality not in range(1, 101):
            raise ValueError(f"quality must be a whole number from 1 to 100, not {self.quality!r}")
        object.__setattr__(self, "strip", tuple(check_names(self.strip)))
        if self.background is not None:
            _parse_colour(self.background)
