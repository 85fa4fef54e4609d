"""`.lat` files as chunks in numcodecs and Zarr 2: codec "latentcodec", found by its entry point."""

from __future__ import annotations

from typing import Any

import numpy as np
from numcodecs.abc import Codec
from numcodecs.compat import ensure_bytes, ndarray_copy

from latentcodec import defaults
from latentcodec.array_chunks import check_quality, decode_chunk, encode_chunk
from latentcodec.errors import UnsupportedImage
from latentcodec.options import check_effort
from latentcodec.runtime.model_store import Tune, chosen


class LatCodec(Codec):  # type: ignore[misc]  # numcodecs has no types
    """The compressor of arrays of uint8 whose chunks are pictures, in C order.

    Chunks are [..., H, W] or [..., H, W, channels] with 1 to 4 channels, as for `encode`; the axes
    before the picture count pictures. Lossy.
    """

    codec_id = "latentcodec"

    def __init__(
        self,
        quality: float = defaults.QUALITY,
        model: str | None = None,
        tune: Tune | None = None,
        effort: int = defaults.EFFORT,
    ) -> None:
        """The codec of a quality and a model.

        `quality`: 1 to 100. `tune`: what the model is tuned for, "ssim" (the default) or "psnr".
        `model`: name or family of a packaged model, or the path of a weights file, instead of a
        tune. `effort`: of the encoder, 1 to 9. Raises ValueError.
        """
        self.quality = check_quality(quality)
        chosen(model, tune)
        self.model = model
        check_effort(effort)
        self.effort = effort
        self.tune = defaults.TUNE if model is None and tune is None else tune

    def get_config(self) -> dict[str, Any]:
        """The codec's entry in an array's metadata: quality, effort, and the tune or the model."""
        return {name: value for name, value in super().get_config().items() if value is not None}

    def encode(self, buf: Any) -> bytes:
        """The `.lat` file of a chunk. Raises UnsupportedImage for other shapes and types."""
        chunk = np.asarray(buf)
        if chunk.flags.fnc:  # Zarr would read it in C order from Fortran order
            raise UnsupportedImage("a chunk must be in C order, not in Fortran order")
        return encode_chunk(chunk, self.quality, chosen(self.model, self.tune), self.effort)

    def decode(self, buf: Any, out: Any = None) -> Any:
        """The picture, uint8 [H, W] or [H, W, C], or several; in `out`, if given."""
        return ndarray_copy(decode_chunk(ensure_bytes(buf)), out)
