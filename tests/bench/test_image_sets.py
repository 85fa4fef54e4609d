"""`benchmarks/image_sets.py`: what it counts, and that it sees what is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import image_sets
import pytest
from click.testing import CliRunner
from PIL import Image


@pytest.mark.slow
def test_a_folder_of_good_and_bad_files(tmp_path: Path) -> None:
    for name in ("a.png", "a.bmp", "b.jpg"):
        Image.linear_gradient("L").resize((24, 16)).save(tmp_path / name)
    (tmp_path / "bad.png").write_bytes((tmp_path / "a.png").read_bytes()[:60])
    (tmp_path / "notes.txt").write_text("no picture")
    result = CliRunner().invoke(image_sets.main, [str(tmp_path)])
    assert result.exit_code == 0, result.output
    first, second, *rest = result.output.splitlines()
    assert first == "5 files, 4 taken, 3 of them read by Pillow alone"
    assert second == "3 written, 1 refused, left out: {'.txt': 1}"
    assert len(rest) == 1 and "refused 1 x is a damaged image" in rest[0]


GOOD = {"source": "a.png", "target": "a.lat", "status": "written", "width_px": 4, "height_px": 3}
BACK = {"a.lat": {"status": "written", "width_px": 4, "height_px": 3}}


@pytest.mark.parametrize(
    ("row", "read", "back", "said"),
    [
        ({}, (4, 3), BACK, None),
        ({}, (4, 5), BACK, "becomes (4, 3)"),
        ({}, (4, 3), {}, "does not come back"),
        (
            {"status": "failed", "error": "no"},
            (4, 3),
            BACK,
            "Pillow reads it, and it is refused: no",
        ),
        ({"status": "failed", "error": "no"}, "OSError: no", BACK, None),
        ({"status": "failed", "error": None}, "OSError: no", BACK, "without a reason"),
    ],
)
def test_what_is_wrong_is_seen(
    row: dict[str, Any], read: tuple[int, int] | str, back: dict[str, Any], said: str | None
) -> None:
    found = image_sets._wrong(GOOD | row, read, back)
    assert found is None if said is None else said in str(found)
