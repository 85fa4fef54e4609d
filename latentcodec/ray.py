"""Pictures in Ray Data: `Encoder` and `Decoder` for `map_batches`, `read_lat`, and `LatDatasink`.

>>> ds = ray.data.read_binary_files("/photos", include_paths=True)
>>> ds = ds.map_batches(
...     latentcodec.ray.Encoder,
...     fn_constructor_kwargs={"quality": 60},
...     compute=ray.data.ActorPoolStrategy(size=2),
...     batch_size=16,
... )
>>> ds.write_datasink(latentcodec.ray.LatDatasink("/smaller", root="/photos"))

A file that cannot be converted is a row with an `error`; it ends no job.
"""

from __future__ import annotations

import dataclasses
import logging
import posixpath
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import ray.data
from ray.data.block import BlockAccessor
from ray.data.datasource import Datasink, WriteResult
from ray.data.extensions import ArrowVariableShapedTensorArray

from latentcodec.errors import warn_of_loss
from latentcodec.files.convert import converted
from latentcodec.files.decode import decode_image
from latentcodec.files.endpoints import write_target
from latentcodec.files.options import DecodeFileOptions, EncodeFileOptions, FileOptions
from latentcodec.files.rows import COLUMNS, NO_BYTES, encode_row, values_of
from latentcodec.runtime.compute import limit_threads

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from ray.data import Dataset
    from ray.data._internal.execution.interfaces import TaskContext
    from ray.data.block import Block, DataBatch
    from typing_extensions import Unpack

    from latentcodec.files.result import FileResult
    from latentcodec.options import DecodeKeywords

_ARROW_TYPE = {
    int: pa.int64(),
    float: pa.float64(),
    str: pa.string(),
    list: pa.list_(pa.string()),
}
_CHANNELS = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}
_BATCH_ROWS = 16  # of `read_lat`: as many pictures are in memory beside Ray's own blocks
_MAKE_PARENTS = FileOptions(make_parents=True)
_logger = logging.getLogger(__name__)


class Encoder:
    """Encodes the image files in a column as `.lat` files: a class for `Dataset.map_batches`.

    Each of Ray's actors is a process that loads the model once. Batches may have any of Ray's
    formats. The column of files gives way to these, as do columns that have their names:

    lat: binary, null where there is an error. width_px, height_px, input_bytes, output_bytes:
    int64. bits_per_pixel, quality, seconds: float64. psnr_db (float64) and sha256 (string): where
    the options ask for them. warnings: a list of strings. error: a string, or null.
    """

    def __init__(self, *, column: str = "bytes", threads: int = 1, **options: Any) -> None:
        """Set up an actor.

        Args:
            column: that of the image files; `ray.data.read_binary_files` calls it bytes.
            threads: processor threads of the actor; `num_cpus` of `map_batches` tells Ray of them.
            options: those of `EncodeFileOptions`, such as quality, tune, model, target_size,
                strict and strip.

        Raises:
            ValueError: an option is out of range, or excludes another.
            TypeError: there is no such option.
        """
        self._column, self._options = column, EncodeFileOptions(**options)
        limit_threads(threads, self._options.runtime)

    def __call__(self, batch: DataBatch) -> pa.Table:
        """Encode a batch. Raises ValueError where it has no such column."""
        table, files = _taken(batch, self._column)
        rows = [encode_row(data, self._options) for data in files]
        lat = pa.array([data for data, _ in rows], pa.binary())
        return _with_columns(table, {"lat": lat}, [facts for _, facts in rows])


class Decoder:
    """Decodes the `.lat` files in a column to pixels: a class for `Dataset.map_batches`.

    The column of files gives way to `image`, for each row an array [H, W, C] of uint8 whose
    channels are those of the mode, and to the other columns of an `Encoder`. Where there is an
    error, the image is [0, 0, C].
    """

    def __init__(
        self,
        *,
        column: str = "bytes",
        mode: str = "RGB",
        threads: int = 1,
        **options: Unpack[DecodeKeywords],
    ) -> None:
        """Set up an actor.

        Args:
            column: that of the `.lat` files: bytes of `ray.data.read_binary_files`, lat of an
                `Encoder`.
            mode: Pillow's name of what pixels are converted to: L, LA, RGB or RGBA.
            threads: as for `Encoder`.
            options: those of `latentcodec.decode`, such as scale, region, max_pixels and salvage.

        Raises:
            ValueError: the mode is none of those.
        """
        if mode not in _CHANNELS:
            raise ValueError(f"the mode must be one of {', '.join(_CHANNELS)}, not {mode!r}")
        self._column, self._mode = column, mode
        self._options = DecodeFileOptions(**options)
        limit_threads(threads)

    def __call__(self, batch: DataBatch) -> pa.Table:
        """Decode a batch. Raises ValueError where it has no such column."""
        table, files = _taken(batch, self._column)
        rows = [self._decoded(data) for data in files]
        images = np.empty(len(rows), dtype=object)
        for index, (image, _) in enumerate(rows):
            images[index] = image
        column = ArrowVariableShapedTensorArray.from_numpy(images)
        return _with_columns(table, {"image": column}, [values_of(result) for _, result in rows])

    def _decoded(self, data: bytes | None) -> tuple[NDArray[np.uint8], FileResult]:
        image = np.empty((0, 0, _CHANNELS[self._mode]), dtype=np.uint8)
        if data is None:
            return image, NO_BYTES

        def work(result: FileResult) -> FileResult:
            nonlocal image
            decoded = decode_image(data, self._options)
            pixels = np.asarray(decoded.picture.convert(self._mode))
            image = pixels.reshape(*pixels.shape[:2], -1)
            for problem in decoded.problems:
                warn_of_loss(problem)
            return dataclasses.replace(
                result,
                width_px=image.shape[1],
                height_px=image.shape[0],
                input_bytes=len(data),
                output_bytes=image.nbytes,
                lat_pixels=decoded.header.width_px * decoded.header.height_px,
                lat_bytes=len(data),
                quality=decoded.header.quality_tenths / 10,
            )

        result = converted(data, "", work)
        return image, result


def read_lat(
    paths: str | list[str],
    *,
    mode: str = "RGB",
    scale: int = 1,
    threads: int = 1,
    compute: Any = None,
    **arguments: Any,
) -> Dataset:
    """A dataset of the pictures in `.lat` files, as `ray.data.read_images` gives one of others.

    Args:
        paths: files and folders, local ones or URLs that pyarrow knows; of folders, what ends in
            .lat.
        mode: as for `Decoder`.
        scale: as for `Decoder`.
        threads: as for `Decoder`.
        compute: how many actors decode, as for `map_batches`; None: as many as Ray finds room for.
        arguments: those of `ray.data.read_binary_files`, such as include_paths, which adds the
            column path.

    Returns:
        A dataset with the columns of a `Decoder`. A file that cannot be decoded is a row with an
        `error` and an image without pixels.
    """
    files = ray.data.read_binary_files(paths, file_extensions=["lat"], **arguments)
    return files.map_batches(
        Decoder,
        fn_constructor_kwargs={"mode": mode, "scale": scale, "threads": threads},
        compute=compute,
        batch_size=_BATCH_ROWS,
        num_cpus=threads,
    )


class LatDatasink(Datasink):  # type: ignore[misc]
    """Writes a column of `.lat` files to a folder, each whole or not at all: for `write_datasink`.

    What becomes of `a/b.png` is `a/b.png.lat`, so that no two rows with different paths become one
    file; folders are made. Rows without a file, whose encoding failed, are not written.

    failed: their paths and errors, once the job is done.
    """

    def __init__(self, path: str, *, root: str = "", column: str = "lat") -> None:
        """Set up a sink.

        Args:
            path: the folder, a local one that all nodes share or a URL that fsspec knows.
            root: what the rows' column path begins with, and the names of the files do not.
            column: that of the files.
        """
        self.path, self._column = path, column
        self._root = _without_scheme(root).rstrip("/")
        self.failed: list[tuple[str, str]] = []

    def write(self, blocks: Iterable[Block], ctx: TaskContext) -> list[tuple[str, str]]:
        """Write blocks. Returns what `failed` says of them.

        Raises ValueError for rows without a path, and for paths that are not below the root, and
        OSError where a file cannot be written.
        """
        failed: list[tuple[str, str]] = []
        for block in blocks:
            table = BlockAccessor.for_block(block).to_arrow()
            needed = [
                name for name in ("path", self._column, "error") if name in table.schema.names
            ]
            for row in table.select(needed).to_pylist():
                if row.get("path") is None:
                    raise ValueError("the rows have no path: read with include_paths=True")
                if row[self._column] is None:
                    failed.append((row["path"], row.get("error") or str(NO_BYTES.error)))
                else:
                    write_target(self._target(row["path"]), row[self._column], _MAKE_PARENTS)
        return failed

    def on_write_complete(self, write_result: WriteResult) -> None:
        """Say what was not written."""
        self.failed = [pair for pairs in write_result.write_returns for pair in pairs]
        if self.failed:
            path, error = self.failed[0]
            _logger.warning("%d files failed, the first %s: %s", len(self.failed), path, error)

    def _target(self, path: str) -> str:
        source = _without_scheme(path)
        below = source.removeprefix(f"{self._root}/") if self._root else source.lstrip("/")
        if (below == source and self._root) or ".." in below.split("/"):
            raise ValueError(f"{path} is not below {self._root or 'the root'}")
        return posixpath.join(self.path, f"{below}.lat")


def _without_scheme(path: str) -> str:
    return path.rpartition("://")[2]


def _taken(batch: DataBatch, column: str) -> tuple[pa.Table, Iterator[bytes | None]]:
    """A batch of any format without a column, and the values of that. Raises ValueError."""
    table = BlockAccessor.for_block(BlockAccessor.batch_to_block(batch)).to_arrow()
    if column not in table.column_names:
        names = ", ".join(table.column_names)
        raise ValueError(f"the batch has no column {column}: it has {names}")
    return table.drop_columns([column]), (value.as_py() for value in table[column])


def _with_columns(table: pa.Table, first: dict[str, Any], rows: list[dict[str, Any]]) -> pa.Table:
    """A table with the columns `first`, and those that `values_of` gives of each row."""
    columns = first | {
        name: pa.array([row[name] for row in rows], _ARROW_TYPE[kind])
        for name, kind in COLUMNS.items()
    }
    table = table.drop_columns([name for name in columns if name in table.column_names])
    for name, column in columns.items():
        table = table.append_column(name, column)
    return table
