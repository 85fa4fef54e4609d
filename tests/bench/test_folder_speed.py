"""benchmarks/folder_speed.py and benchmarks/scale.py, on small pictures."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from tests.paths import ROOT


@pytest.fixture
def pictures(photo: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of three pictures of 64 x 48 px; benchmarks/ can be imported from."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    for number in range(3):
        Image.fromarray(photo[100 * number : 100 * number + 48, :64]).save(
            tmp_path / f"{number}.png"
        )
    yield tmp_path
    for name in ("folder_speed", "scale"):
        sys.modules.pop(name, None)


@pytest.mark.slow
def test_a_command_is_slower_than_the_model(pictures: Path) -> None:
    import folder_speed

    result = CliRunner().invoke(folder_speed.main, [str(pictures), "--count", "2", "--runs", "1"])
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("0.0 MP, ")
    shares = dict(re.findall(r"^(.+): .* s, .* MP/s, (-?\d+) %$", result.stdout, re.MULTILINE))
    assert len(shares) == 4
    assert max(int(shares[name]) for name in shares if name.startswith("bare")) == 100
    assert int(shares["command"]) < 50, "it takes a second to start"


def test_scales_are_compared(photo: np.ndarray, pictures: Path) -> None:
    import scale

    # At 1/16 a smaller picture has so few pixels that their rounding decides.
    Image.fromarray(photo[:256, :384]).save(pictures / "0.png")
    options = [str(pictures), "--count", "1", "--qualities", "10"]
    result = CliRunner().invoke(scale.main, options)
    assert result.exit_code == 0, result.output
    lines = re.findall(r"^quality 10, 1/(\d+), (.+): (\d+\.\d+) dB$", result.stdout, re.MULTILINE)
    db = {(int(size), way): float(value) for size, way, value in lines}
    assert len(db) == 12
    for size in (2, 4, 8, 16):
        assert db[size, "scale"] > db[size, "means of a full decode"] - 0.2
        assert db[size, "scale"] > db[size, "shortcut alone"] + 0.5
