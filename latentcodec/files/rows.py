"""Files as rows of a table: bytes to bytes, and what is said of each beside them."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from latentcodec.files.decode import decode_file
from latentcodec.files.encode import encode_file
from latentcodec.files.options import DecodeFileOptions, EncodeFileOptions
from latentcodec.files.result import FileResult

# The columns that a row gets, which are those of FileResult, and the types of their values. What
# does not apply is null.
COLUMNS: dict[str, type] = {
    "width_px": int,
    "height_px": int,
    "input_bytes": int,
    "output_bytes": int,
    "bits_per_pixel": float,
    "quality": float,
    "psnr_db": float,
    "sha256": str,
    "seconds": float,
    "warnings": list,
    "error": str,
}
_ALSO_OF_FAILED = ("seconds", "warnings", "error")


def encode_row(
    data: bytes | None, options: EncodeFileOptions
) -> tuple[bytes | None, dict[str, Any]]:
    """An image file as a `.lat` file, or None where that fails, and its COLUMNS."""
    return _row(data, lambda source, target: encode_file(source, target, options))


def decode_row(
    data: bytes | None, options: DecodeFileOptions
) -> tuple[bytes | None, dict[str, Any]]:
    """A `.lat` file as an image file, or None where that fails, and its COLUMNS."""
    return _row(data, lambda source, target: decode_file(source, target, options))


def _row(
    data: bytes | None, convert: Callable[[bytes, io.BytesIO], FileResult]
) -> tuple[bytes | None, dict[str, Any]]:
    if data is None:
        return None, values_of(NO_BYTES)
    stream = io.BytesIO()
    result = convert(data, stream)
    return (None if result.error else stream.getvalue()), values_of(result)


# What becomes of a row whose bytes are null.
NO_BYTES = FileResult("-", "-", "failed", error="the row has no bytes")


def values_of(result: FileResult) -> dict[str, Any]:
    """A result as the values of COLUMNS."""
    names = _ALSO_OF_FAILED if result.error else COLUMNS
    found = {name: getattr(result, name) for name in names}
    return dict.fromkeys(COLUMNS) | found | {"warnings": list(result.warnings)}
