"""What was measured: the rows in benchmarks/results, under the names that codecs have now."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from latentcodec.bench.against import is_own
from latentcodec.bench.codecs import find
from latentcodec.bench.results import CodecResult, collect
from latentcodec.bench.rows import Row, TimeRow, read_rows
from latentcodec.bench.selection import QUICK, THOROUGH
from latentcodec.errors import LatError

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
OWN = "lat", "lat:psnr"
CODECS = tuple(dict.fromkeys((*OWN, *QUICK)))
# Photographs that choices were made on, and graphics.
OTHER_SETS = "validation", "graphics"
_KODAK = "kodak-????-??-??"

_Rows = TypeVar("_Rows", Row, TimeRow)


def kodak() -> dict[str, CodecResult]:
    """The newest run on Kodak by name of the codec, with the newest times.

    Codecs without rows are left out. Raises LatError where there is no run.
    """
    return _collect(kodak_rows(), _newest(TimeRow, "times.csv"))


def kodak_rows() -> list[Row]:
    """The rows of the newest run on Kodak. Raises LatError where there is no run."""
    rows = _newest(Row, "rd.csv")
    if not rows:
        raise LatError("there are no results yet: run `make bench` first")
    return rows


def other(name: str) -> dict[str, CodecResult]:
    """What was measured on one of OTHER_SETS, without times; nothing where there are no rows."""
    return _collect(other_rows(name), [])


def other_rows(name: str) -> list[Row]:
    """The rows of one of OTHER_SETS."""
    return _packaged(read_rows(Row, RESULTS / name / "rd.csv"))


def _collect(rows: list[Row], times: list[TimeRow]) -> dict[str, CodecResult]:
    """Ours first, each tune at the efforts that were measured."""
    own = sorted({row.codec for row in rows if is_own(row.codec)})
    return collect([find(name) for name in dict.fromkeys((*own, *CODECS, *THOROUGH))], rows, times)


def _newest(kind: type[_Rows], name: str) -> list[_Rows]:
    """Times may be of an older run: sizes and quality can be measured beside other work."""
    found = sorted(RESULTS.glob(f"{_KODAK}/{name}"))
    return _packaged(read_rows(kind, found[-1])) if found else []


def _packaged(rows: list[_Rows]) -> list[_Rows]:
    """Without the rows of weights that are not packaged.

    A row's version names the weights, so that a model keeps its rows when it becomes the default.
    """
    names = {find(name).version(): name for name in OWN}
    kept = []
    for row in rows:
        if is_own(row.codec):
            if row.version not in names:
                continue
            if find(row.codec).version() != row.version:
                row = replace(row, codec=names[row.version])
        kept.append(row)
    return kept
