"""What of a picture's metadata can be left out, by name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, get_args

# What can be left out by name. `gps` is where a photograph was taken, in EXIF and in XMP,
# `thumbnail` the small picture in EXIF.
MetadataName = Literal[
    "icc", "exif", "xmp", "iptc", "resolution", "text", "gps", "thumbnail", "all"
]


def check_names(names: Iterable[str]) -> list[MetadataName]:
    """`names`, of which a single string is one. Raises ValueError for what is no metadata."""
    known: dict[str, MetadataName] = {name: name for name in get_args(MetadataName)}
    checked = []
    for name in [names] if isinstance(names, str) else names:
        if name not in known:
            raise ValueError(f"there is no metadata {name!r}; known are {', '.join(known)}")
        checked.append(known[name])
    return checked
