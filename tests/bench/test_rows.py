"""The benchmark's tables on disk."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from latentcodec.bench.rows import Row, read_rows, write_rows
from latentcodec.errors import LatError


def test_rows_survive_the_table(tmp_path: Path) -> None:
    row = Row("a,b", 8.5, 'x"y.png', "h", "v", 3, 4, 5, 0.1, 0.0, math.inf, 1.5, 0.9, 10.0, -3.0)
    write_rows(Row, tmp_path / "rd.csv", [row, replace(row, psnr=1.0)])
    assert read_rows(Row, tmp_path / "rd.csv") == [row, replace(row, psnr=1.0)]
    write_rows(Row, tmp_path / "rd.csv", [replace(row, ms_ssim=math.nan)])
    assert math.isnan(read_rows(Row, tmp_path / "rd.csv")[0].ms_ssim)


def test_refuses_a_table_that_is_not_ours(tmp_path: Path) -> None:
    path = tmp_path / "rd.csv"
    path.write_text("codec,bytes\njpeg,12\n", encoding="utf-8")
    with pytest.raises(LatError, match="other columns"):
        read_rows(Row, path)
    write_rows(Row, path, [])
    path.write_text(path.read_text(encoding="utf-8") + "jpeg,x\n", encoding="utf-8")
    with pytest.raises(LatError, match="damaged row"):
        read_rows(Row, path)
