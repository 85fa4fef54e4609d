"""What a file says of itself, from its header and its chunks: nothing is decoded."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from latentcodec.errors import UnknownModel
from latentcodec.format import container
from latentcodec.format.source import Source, opened
from latentcodec.runtime import model_store


@dataclasses.dataclass(frozen=True)
class LatInfo:
    """The facts about a `.lat` file.

    colour: "rgb", "grey", "rgb_alpha" or "grey_alpha"; mode: the same by Pillow's name. model:
    None where this installation does not have it. weights_hash: eight hexadecimal digits.
    metadata_bytes: payloads of "icc", "exif", "xmp", "iptc", "resolution", "text" and "preview",
    where there are such. chunk_bytes: the same and those of "tiles" and "alpha", and all the rest
    as "container".
    """

    version: int
    width_px: int
    height_px: int
    colour: str
    mode: str
    quality: float
    model: str | None
    model_code: str
    weights_hash: str
    tiles: int
    file_bytes: int
    metadata_bytes: Mapping[str, int]
    chunk_bytes: Mapping[str, int]

    @property
    def bits_per_pixel(self) -> float:
        """Of the whole file."""
        return 8 * self.file_bytes / (self.width_px * self.height_px)


def read_info(source: Source) -> LatInfo:
    """Describe a `.lat` file, of which all is checked that can be without decoding its tiles.

    Args:
        source: a path, a URL, the bytes of a file, or a file open for reading, which is read from
            where it stands to its end.

    Raises:
        latentcodec.LatError: it is no `.lat` file, or damaged.
        OSError: it cannot be read.
    """
    with opened(source) as view:
        data = view[:]
    file = container.read(data)
    header = file.header
    metadata = {kind.name.lower(): len(payload) for kind, payload in file.metadata.items()}
    chunks = {"tiles": sum(map(len, file.tiles))}
    if file.alphas:
        chunks["alpha"] = sum(map(len, file.alphas))
    chunks |= metadata
    return LatInfo(
        version=container.VERSION,
        width_px=header.width_px,
        height_px=header.height_px,
        colour=header.colour.name.lower(),
        mode=header.colour.pillow_mode,
        quality=header.quality_tenths / 10,
        model=_name_of(header),
        model_code=header.model_code,
        weights_hash=header.weights_hash.hex(),
        tiles=len(file.tiles),
        file_bytes=len(data),
        metadata_bytes=metadata,
        chunk_bytes=chunks | {"container": len(data) - sum(chunks.values())},
    )


def _name_of(header: container.Header) -> str | None:
    try:
        return model_store.by_code(header.model_code, header.weights_hash).name
    except UnknownModel:
        return None
