"""Manifests as Parquet files, by pyarrow."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from latentcodec.errors import LatError
from latentcodec.storage.names import spelled
from latentcodec.system.atomic_write import write_file

Row = dict[str, Any]

_CHUNK_ROWS = 50_000


def _pyarrow() -> Any:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise LatError("Parquet needs pyarrow: pip install 'latentcodec[parquet]'") from error
    return pyarrow


def _schema() -> Any:
    """The columns and their types."""
    pa = _pyarrow()
    text, whole, real = pa.string(), pa.int64(), pa.float64()
    return pa.schema(
        [
            ("source", text),
            ("target", text),
            ("status", text),
            ("width_px", whole),
            ("height_px", whole),
            ("input_bytes", whole),
            ("output_bytes", whole),
            ("lat_pixels", whole),
            ("lat_bytes", whole),
            ("quality", real),
            ("psnr_db", real),
            ("mode", text),
            ("is_verified", pa.bool_()),
            ("is_damaged", pa.bool_()),
            ("sha256", text),
            ("seconds", real),
            ("warnings", pa.list_(text)),
            ("error", text),
            ("bits_per_pixel", real),
            ("options", text),
        ]
    )


def read_rows(path: Path) -> Iterator[Row]:
    """The rows of a manifest, none where it is missing. Raises OSError and LatError."""
    pa = _pyarrow()
    if not path.exists():
        return
    try:
        with pa.parquet.ParquetFile(path) as file:
            if not set(_schema().names) <= set(file.schema_arrow.names):
                raise LatError(f"{path} is no manifest: it has other columns")
            for batch in file.iter_batches(_CHUNK_ROWS):
                yield from batch.to_pylist()
    except pa.ArrowException as error:
        raise LatError(f"{path} is no manifest: {error}") from error


def write_rows(path: Path, rows: Iterable[Row]) -> None:
    """Write a manifest, whole or not at all. Raises OSError and LatError."""
    pa, remaining = _pyarrow(), iter(rows)

    def write(stream: IO[bytes]) -> None:
        with pa.parquet.ParquetWriter(stream, _schema()) as writer:
            while chunk := list(itertools.islice(remaining, _CHUNK_ROWS)):
                spelled = [{name: _spelled(value) for name, value in row.items()} for row in chunk]
                writer.write_table(pa.Table.from_pylist(spelled, _schema()))

    write_file(path, write)


def _spelled(value: object) -> object:
    if isinstance(value, list):
        return [_spelled(item) for item in value]
    return spelled(value) if isinstance(value, str) else value
