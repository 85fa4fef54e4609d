"""The tables on disk: one row per file, and one per timed file. A killed run leaves them usable."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

from latentcodec.bench.metrics import Distortion
from latentcodec.errors import LatError
from latentcodec.system.atomic_write import write_file

Key = tuple[str, float, str]


@dataclasses.dataclass(frozen=True)
class _Subject:
    """What was measured: the first columns of every table.

    `image_hash` is of the pixels and `version` of the codec: a later run reuses the row only where
    both are as they were.
    """

    codec: str
    setting: float
    image: str
    image_hash: str
    version: str

    @property
    def key(self) -> Key:
        """Codec, setting, and name of the image."""
        return self.codec, self.setting, self.image


@dataclasses.dataclass(frozen=True)
class _File(_Subject):
    """A file: `width` and `height` of its picture in pixels, `bytes` its size."""

    width: int
    height: int
    bytes: int
    bpp: float


@dataclasses.dataclass(frozen=True)
class Row(Distortion, _File):
    """One file of one codec. The fields are the columns of rd.csv, the metrics being the last.

    (Of several bases a dataclass takes the fields of the last one first.)
    """


@dataclasses.dataclass(frozen=True)
class TimeRow(_Subject):
    """The times of one file of one codec. The fields are the columns of times.csv.

    `encode_s` and `decode_s` are medians of `runs` in wall seconds, in memory, with the model
    loaded; `cores` is how many threads a library may use at once; `peak_mib` is the highest
    memory of the process so far in MiB, nan where the system does not tell.
    """

    runs: int
    cores: int
    encode_s: float
    decode_s: float
    peak_mib: float


AnyRow = TypeVar("AnyRow", Row, TimeRow)


_PARSERS: dict[str, Any] = {"str": str, "int": int, "float": float}


def read_rows(kind: type[AnyRow], path: Path) -> list[AnyRow]:
    """The complete rows of a table; none where there is no such file.

    Raises:
        LatError: The file has other columns, or a row that cannot be read.
    """
    if not path.exists():
        return []
    # A run that was killed may have left half a row, which has no line end.
    text = path.read_text(encoding="utf-8")
    reader = csv.DictReader(io.StringIO(text[: text.rfind("\n") + 1]))
    fields = dataclasses.fields(kind)
    if reader.fieldnames is not None and list(reader.fieldnames) != [f.name for f in fields]:
        raise LatError(
            f"{path} has other columns than this version writes; "
            "move it away, or begin afresh with --fresh"
        )
    parsers = {field.name: _PARSERS[str(field.type)] for field in fields}
    try:
        return [
            kind(**{name: parse(record[name]) for name, parse in parsers.items()})
            for record in reader
        ]
    except (TypeError, ValueError) as error:
        raise LatError(f"{path} has a damaged row: {error}") from None


def write_rows(kind: type[AnyRow], path: Path, rows: Iterable[AnyRow]) -> None:
    """Replace the table in one step."""
    header = ",".join(field.name for field in dataclasses.fields(kind)) + "\n"
    write_file(path, (header + "".join(map(line_of, rows))).encode())


def line_of(row: Row | TimeRow) -> str:
    """A row as a line of CSV."""
    record = {**dataclasses.asdict(row), "setting": f"{row.setting:g}"}
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(record.values())
    return buffer.getvalue()
