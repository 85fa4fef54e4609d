"""Pictures in Spark: `encode_files` and `decode_files` over the rows of its binaryFile source.

>>> files = spark.read.format("binaryFile").load("s3a://photos")
>>> encoded = latentcodec.spark.encode_files(files, quality=60)
>>> encoded.select("path", "lat").where("error is null").write.parquet("s3a://smaller")

A file that cannot be converted is a row with an `error`; it ends no job.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from latentcodec.files.options import DecodeFileOptions, EncodeFileOptions
from latentcodec.files.rows import COLUMNS, decode_row, encode_row
from latentcodec.runtime.compute import limit_threads

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import DataFrame
    from pyspark.sql.types import StructType

_Convert = Callable[[bytes | None], tuple[bytes | None, dict[str, Any]]]


def encode_files(
    df: DataFrame, *, column: str = "content", threads: int = 1, **options: Any
) -> DataFrame:
    """Encode the image files in a column as `.lat` files.

    Args:
        df: rows with files, as `spark.read.format("binaryFile")` gives them.
        column: that of the files.
        threads: processor threads of each of Spark's workers; `spark.task.cpus` tells Spark of
            them.
        options: those of `EncodeFileOptions`, such as quality, tune, model, target_size, strict
            and strip.

    Returns:
        The rows, lazily, whose files have given way to these columns, as have columns with their
        names: lat (binary, null where there is an error); width_px, height_px, input_bytes,
        output_bytes (bigint); bits_per_pixel, quality, seconds (double); psnr_db (double) and
        sha256 (string), where the options ask for them; warnings (array of strings); error
        (string, or null).

    Raises:
        ValueError: an option is out of range, or excludes another, or there is no such column.
        TypeError: there is no such option.
    """
    wanted = EncodeFileOptions(**options)
    return _mapped(df, column, "lat", functools.partial(encode_row, options=wanted), threads)


def decode_files(
    df: DataFrame, *, format: str = "png", column: str = "content", threads: int = 1, **options: Any
) -> DataFrame:
    """Decode the `.lat` files in a column to image files.

    Args:
        df: rows with files.
        format: extension of the format to write, such as png or jpg.
        column: that of the files; lat, where `encode_files` gave the rows.
        threads: as for `encode_files`.
        options: those of `DecodeFileOptions`, such as scale, region, salvage and background.

    Returns:
        The rows, lazily, with the columns of `encode_files`, but that the image files are in the
        column content.

    Raises:
        ValueError, TypeError: as `encode_files`.
    """
    wanted = DecodeFileOptions(format=format, **options)
    return _mapped(df, column, "content", functools.partial(decode_row, options=wanted), threads)


def _mapped(df: DataFrame, column: str, made: str, convert: _Convert, threads: int) -> DataFrame:
    if column not in df.columns:
        raise ValueError(f"the rows have no column {column}: they have {', '.join(df.columns)}")
    if threads < 1:
        raise ValueError(f"threads must be 1 or more, not {threads}")
    kept = [name for name in df.columns if name not in (column, made, *COLUMNS)]
    schema = _schema(df, kept, made)

    def convert_frames(frames: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        limit_threads(threads)
        for frame in frames:
            yield _converted(frame, column, kept, made, convert)

    return df.mapInPandas(convert_frames, schema)


def _schema(df: DataFrame, kept: list[str], made: str) -> StructType:
    from pyspark.sql import types

    type_of = {
        int: types.LongType(),
        float: types.DoubleType(),
        str: types.StringType(),
        list: types.ArrayType(types.StringType()),
    }
    fields = [df.schema[name] for name in kept]
    fields.append(types.StructField(made, types.BinaryType()))
    fields += [types.StructField(name, type_of[kind]) for name, kind in COLUMNS.items()]
    return types.StructType(fields)


def _converted(
    frame: pd.DataFrame, column: str, kept: list[str], made: str, convert: _Convert
) -> pd.DataFrame:
    """A frame of files, converted one after the other."""
    import pandas as pd

    rows = [convert(data) for data in frame[column]]
    facts = pd.DataFrame(
        [facts for _, facts in rows], columns=list(COLUMNS), index=frame.index, dtype=object
    )
    data = pd.Series([data for data, _ in rows], index=frame.index, dtype=object)
    return pd.concat([frame[kept], data.rename(made), facts], axis=1)
