"""The options of `encode` and `decode`: each with its type, default and place on the command line.

A new one is declared here, once as a field and once as a keyword for type checkers. `encode` and
`decode`, `Codec` and its batches, Pillow's plugin and the commands take what is declared, and hand
it as a whole to the encoder and the decoder.
"""

from __future__ import annotations

import dataclasses
import math
import numbers
import re
from collections.abc import Callable, Collection, Iterable
from typing import Annotated, Any, TypedDict

from latentcodec import defaults
from latentcodec.format.container import MAX_PIXELS, Region
from latentcodec.format.header import tenths_of
from latentcodec.images.metadata_kinds import MetadataName, check_names

GOALS = ("target_size", "target_bpp", "ratio", "target_psnr")  # instead of a quality


@dataclasses.dataclass(frozen=True)
class Flag:
    """How the command line has an option.

    long: its name, where that is not the field's. least, most: the range of a number; `above`
    leaves out its lower end. choices: all that can be said. parse: makes the value of what is said;
    a ValueError of it is wrong usage.
    """

    help: str
    short: str | None = None
    long: str | None = None
    metavar: str | None = None
    least: float | None = None
    above: float | None = None
    most: float | None = None
    choices: tuple[str, ...] | None = None
    parse: Callable[[str], Any] | None = None

    @property
    def has_range(self) -> bool:
        return (self.least, self.above, self.most) != (None, None, None)


def _parse_size(text: str) -> int:
    """`60k` as bytes."""
    match = re.fullmatch(r"(\d+)[bB]?|(\d+(?:\.\d+)?)([kKmM])[bB]?", text)  # bytes are whole
    unit = {None: 1, "k": 1000, "m": 1_000_000}[match[3] and match[3].lower()] if match else 0
    size = float(match[1] or match[2]) * unit if match else 0
    if not 1 <= size < math.inf:
        raise ValueError(f"{text!r} is not a size such as 60000, 60k or 1.5M")
    return int(size)


def _parse_names(text: str) -> tuple[MetadataName, ...]:
    """`exif,gps` as names."""
    return tuple(check_names(name.strip() for name in text.lower().split(",")))


def _parse_region(text: str) -> tuple[int, int, int, int]:
    """`0,0,640,480` as left, top, width and height."""
    parts = text.split(",")
    if len(parts) != 4 or not all(part.isascii() and part.isdigit() for part in parts):
        raise ValueError(f"{text!r} is not a region such as 0,0,640,480")
    left, top, width, height = map(int, parts)
    return left, top, width, height


def _parse_resize(text: str) -> tuple[int, int]:
    """`800x0` as width and height."""
    match = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text, re.ASCII)
    if not match:
        raise ValueError(f"{text!r} is not a size such as 800x600, or 800x0")
    return _checked_size((int(match[1]), int(match[2])))


def _checked_size(size: tuple[int, int]) -> tuple[int, int]:
    """`size`. Raises ValueError for what is no width and height."""
    width, height = _whole(size, 2, "a size is a width and a height in pixels")
    if min(width, height) < 0 or max(width, height) == 0:
        raise ValueError(f"a picture of {width} x {height} px has no pixels")
    return width, height


def _whole(values: Iterable[int], count: int, what: str) -> tuple[int, ...]:
    """So many whole numbers. Raises ValueError for anything else."""
    try:
        given = list(values)
        whole = tuple(map(int, given))
    except (TypeError, ValueError, OverflowError):
        given, whole = [], ()
    cut = any(
        isinstance(one, bool) or one != number for one, number in zip(given, whole, strict=True)
    )
    if len(whole) != count or cut:
        raise ValueError(f"{what}, not {values!r}")
    return whole


def _is_number(value: object) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def check_effort(effort: int) -> None:
    """Raises ValueError unless it is a whole number from 1 to 9."""
    if isinstance(effort, bool) or effort not in range(1, 10):
        raise ValueError(f"effort must be a whole number from 1 to 9, not {effort!r}")


STRIP = Flag(
    "Leave out metadata: all, or of icc,exif,xmp,iptc,resolution,text,gps,thumbnail.",
    metavar="WHAT",
    parse=_parse_names,
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class EncodeOptions:
    """How a picture is encoded: the keywords of `encode`.

    Attributes:
        quality: 1 (smallest) to 100 (best), in tenths.
        effort: 1 (fastest) to 9 (smallest files): how long the encoder looks for the latents.
            From 3 on it refines them, which needs torch.
        strict: raise an error instead of a `LossWarning`.
        strip: metadata to leave out, of "icc", "exif", "xmp", "iptc", "resolution", "text", "gps"
            (in EXIF and XMP), "thumbnail" (in EXIF) and "all". Of EXIF the orientation is kept, by
            which the picture is to be turned.
        resize: width and height in pixels to scale the upright picture to; one of them may be 0,
            and follows from the other.
        target_size: instead of a quality, the most bytes that the file may have: it gets the best
            quality with which it is not larger. A few encodings, with each of these goals.
        target_bpp: the same in bits per pixel.
        ratio: the same as a compression ratio, the samples' bytes by the file's.
        target_psnr: instead of a quality, the lowest one with this PSNR of all samples, in dB.
        verify: decode the latents of what was encoded and compare them.
        preview: store a copy of 256 px on the longer side, as WebP, for thumbnails that need no
            model; not of pictures that are no larger.

    Raises:
        ValueError: an option has no such value, `strip` names no metadata, or there is more than
            one of a quality and the four goals.
    """

    quality: Annotated[
        float, Flag("1 is smallest, 100 is best; tenths count.", short="-q", least=1, most=100)
    ] = defaults.QUALITY
    effort: Annotated[
        int, Flag("1 is fastest, 9 makes the smallest files.", short="-e", least=1, most=9)
    ] = defaults.EFFORT
    strict: Annotated[bool, Flag("Refuse images of which something would be lost.")] = False
    strip: Annotated[
        Collection[MetadataName],
        STRIP,
    ] = ()
    resize: Annotated[
        tuple[int, int] | None,
        Flag(
            "Scale to WIDTHxHEIGHT first; where one is 0, it follows from the other.",
            metavar="WxH",
            parse=_parse_resize,
        ),
    ] = None
    target_size: Annotated[
        int | None,
        Flag(
            "Best quality whose file is not larger, such as 60k (60000 bytes).",
            metavar="BYTES",
            parse=_parse_size,
        ),
    ] = None
    target_bpp: Annotated[float | None, Flag("The same in bits per pixel.", above=0)] = None
    ratio: Annotated[
        float | None, Flag("The same as a compression ratio, such as 20.", above=0)
    ] = None
    target_psnr: Annotated[float | None, Flag("Lowest quality with this PSNR in dB.", above=0)] = (
        None
    )
    verify: Annotated[bool, Flag("Read back what was written, compare the latents.")] = False
    preview: Annotated[bool, Flag("Store a copy of 256 px a side, for quick thumbnails.")] = False

    def __post_init__(self) -> None:
        tenths_of(self.quality)
        check_effort(self.effort)
        goals = {name: value for name in GOALS if (value := getattr(self, name)) is not None}
        for name, value in goals.items():
            if not (_is_number(value) and 0 < value < math.inf):
                raise ValueError(f"{name} must be a number above 0, not {value!r}")
        if self.target_size is not None and self.target_size % 1:
            raise ValueError(f"target_size must be a whole number, not {self.target_size!r}")
        if len(goals) + (self.quality != defaults.QUALITY) > 1:
            raise ValueError(f"give one of quality, {', '.join(GOALS[:-1])} and {GOALS[-1]}")
        if self.resize is not None:
            object.__setattr__(self, "resize", _checked_size(self.resize))
        object.__setattr__(self, "strip", tuple(check_names(self.strip)))


class EncodeKeywords(TypedDict, total=False):
    """The fields of `EncodeOptions` for type checkers."""

    quality: float
    effort: int
    strict: bool
    strip: Collection[MetadataName]
    resize: tuple[int, int] | None
    target_size: int | None
    target_bpp: float | None
    ratio: float | None
    target_psnr: float | None
    verify: bool
    preview: bool


@dataclasses.dataclass(frozen=True, kw_only=True)
class DecodeOptions:
    """How a file is decoded: the keywords of `decode`.

    Attributes:
        region: left, top, width and height in pixels of the part that is wanted; only the tiles
            that it needs are decoded.
        scale: 1, 2, 4, 8 or 16, by which width and height are divided, rounded up. Each pixel is
            the mean of scale x scale, and the full-size ones are never in memory. Of a region,
            whose pixels are those of the full size, it gives what shows some of it.
        max_pixels: refuse larger pictures, whatever the region and the scale.
        salvage: of a damaged file, give what is left, with a `LossWarning` for each thing lost;
            damaged tiles are filled from the pixels around them.

    Raises:
        ValueError: the region is no four numbers, or `max_pixels` is none.
    """

    region: Annotated[
        tuple[int, int, int, int] | None,
        Flag(
            "Decode only this rectangle, in pixels from the top left corner.",
            metavar="X,Y,W,H",
            parse=_parse_region,
        ),
    ] = None
    scale: Annotated[
        int,
        Flag(
            "Decode to a smaller size: each pixel is the mean of 2 x 2, 4 x 4, ...",
            choices=("1/2", "1/4", "1/8", "1/16"),
            parse=lambda text: int(text.removeprefix("1/")),
        ),
    ] = 1
    max_pixels: Annotated[int, Flag("Refuse larger pictures.", least=1)] = MAX_PIXELS
    salvage: Annotated[
        bool,
        Flag(
            "Of a damaged file, write what is left; damaged tiles are filled. Exit code 3.",
        ),
    ] = False

    def __post_init__(self) -> None:
        if self.region is not None:
            what = "a region is left, top, width and height in pixels"
            object.__setattr__(self, "region", _whole(self.region, 4, what))
        if not _is_number(self.max_pixels) or math.isnan(self.max_pixels):
            raise ValueError(f"max_pixels must be a number, not {self.max_pixels!r}")

    @property
    def area(self) -> Region | None:
        """The region, as what decodes takes it."""
        return None if self.region is None else Region(*self.region)


class DecodeKeywords(TypedDict, total=False):
    """The fields of `DecodeOptions` for type checkers."""

    region: tuple[int, int, int, int] | None
    scale: int
    max_pixels: int
    salvage: bool
