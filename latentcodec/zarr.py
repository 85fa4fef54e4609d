"""`.lat` files as the chunks of Zarr 3 arrays: codec "latentcodec", found by its entry point."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
from zarr.abc.codec import ArrayBytesCodec

from latentcodec import defaults
from latentcodec.array_chunks import check_quality, decode_chunk, encode_chunk
from latentcodec.errors import UnsupportedImage
from latentcodec.options import check_effort
from latentcodec.runtime.model_store import Tune, chosen

if TYPE_CHECKING:
    from zarr.core.array_spec import ArraySpec
    from zarr.core.buffer import Buffer, NDBuffer

NAME = "latentcodec"


@dataclasses.dataclass(frozen=True)
class LatCodec(ArrayBytesCodec):
    """The serializer of an array of uint8 whose chunks are pictures.

    Chunks are [..., H, W] or [..., H, W, channels] with 1 to 4 channels, as for `encode`; the axes
    before the picture count pictures. Lossy: what is read differs a little from what was written.

    quality: 1 to 100. tune: what the model is tuned for, "ssim" (the default) or "psnr". model:
    name or family of a packaged model, or the path of a weights file, instead of a tune. effort: of
    the encoder, 1 to 9.
    """

    is_fixed_size = False

    quality: float = defaults.QUALITY
    model: str | None = None
    tune: Tune | None = None
    effort: int = defaults.EFFORT

    def __post_init__(self) -> None:
        object.__setattr__(self, "quality", check_quality(self.quality))
        check_effort(self.effort)
        chosen(self.model, self.tune)
        if self.model is None and self.tune is None:
            object.__setattr__(self, "tune", defaults.TUNE)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> LatCodec:
        """From the codec's entry in an array's metadata."""
        return cls(**data.get("configuration", {}))

    def to_dict(self) -> dict[str, Any]:
        """The codec's entry in an array's metadata: quality, effort, and the tune or the model."""
        fields = dataclasses.asdict(self).items()
        return {"name": NAME, "configuration": {k: v for k, v in fields if v is not None}}

    def validate(self, *, shape: Any, dtype: Any, chunk_grid: Any) -> None:
        """Refuse arrays whose chunks cannot be pictures, whatever codecs stand before this one."""
        if dtype.to_native_dtype() != np.uint8:
            raise UnsupportedImage(f"chunks of pictures hold uint8, not {dtype.to_native_dtype()}")
        if len(shape) < 2:
            raise UnsupportedImage(f"chunks of pictures have two axes or more, not {len(shape)}")

    def compute_encoded_size(self, input_byte_length: int, chunk_spec: ArraySpec) -> int:
        """Not known before: the sizes of compressors never are, and Zarr's own raise this, too."""
        raise NotImplementedError

    async def _encode_single(self, chunk_data: NDBuffer, chunk_spec: ArraySpec) -> Buffer:
        pixels = chunk_data.as_numpy_array()
        model = chosen(self.model, self.tune)
        data = await asyncio.to_thread(encode_chunk, pixels, self.quality, model, self.effort)
        return chunk_spec.prototype.buffer.from_bytes(data)

    async def _decode_single(self, chunk_data: Buffer, chunk_spec: ArraySpec) -> NDBuffer:
        pixels = await asyncio.to_thread(decode_chunk, chunk_data.to_bytes(), chunk_spec.shape)
        return chunk_spec.prototype.nd_buffer.from_numpy_array(pixels)
