"""A learned image codec: photographs to `.lat` files and back.

>>> import latentcodec
>>> data = latentcodec.encode(image, quality=60)
>>> image = latentcodec.decode(data)

Importing this package is quick: torch comes in with the first picture.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from latentcodec.errors import (
    CorruptAlpha,
    CorruptChunk,
    CorruptHeader,
    CorruptPayload,
    CorruptWeights,
    GoalMissed,
    LatError,
    LimitExceeded,
    LossWarning,
    NotALatFile,
    TrailingData,
    TruncatedFile,
    UnknownChunk,
    UnknownModel,
    UnsupportedImage,
    UnsupportedVersion,
    VerificationFailed,
)

if TYPE_CHECKING:
    from latentcodec.codec import Codec, decode, decode_array, decode_tensor, encode
    from latentcodec.files.decode import decode_file
    from latentcodec.files.encode import encode_file
    from latentcodec.files.options import DecodeFileOptions, EncodeFileOptions
    from latentcodec.files.result import FileResult
    from latentcodec.info import LatInfo, read_info
    from latentcodec.options import DecodeOptions, EncodeOptions
    from latentcodec.pillow import open
    from latentcodec.previews import read_preview, thumbnail
    from latentcodec.runtime.model_store import register_weights

__version__ = "0.1.0"
__all__ = [
    "Codec",
    "CorruptAlpha",
    "CorruptChunk",
    "CorruptHeader",
    "CorruptPayload",
    "CorruptWeights",
    "DecodeFileOptions",
    "DecodeOptions",
    "EncodeFileOptions",
    "EncodeOptions",
    "FileResult",
    "GoalMissed",
    "LatError",
    "LatInfo",
    "LimitExceeded",
    "LossWarning",
    "NotALatFile",
    "TrailingData",
    "TruncatedFile",
    "UnknownChunk",
    "UnknownModel",
    "UnsupportedImage",
    "UnsupportedVersion",
    "VerificationFailed",
    "__version__",
    "decode",
    "decode_array",
    "decode_file",
    "decode_tensor",
    "encode",
    "encode_file",
    "open",
    "read_info",
    "read_preview",
    "register_weights",
    "thumbnail",
]

# Imported when they are asked for: the module of each.
_MODULE_OF = {
    "Codec": "codec",
    "DecodeFileOptions": "files.options",
    "DecodeOptions": "options",
    "EncodeFileOptions": "files.options",
    "EncodeOptions": "options",
    "FileResult": "files.result",
    "LatInfo": "info",
    "decode": "codec",
    "decode_array": "codec",
    "decode_file": "files.decode",
    "decode_tensor": "codec",
    "encode": "codec",
    "encode_file": "files.encode",
    "open": "pillow",
    "read_info": "info",
    "read_preview": "previews",
    "register_weights": "runtime.model_store",
    "thumbnail": "previews",
}


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"latentcodec.{_MODULE_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
