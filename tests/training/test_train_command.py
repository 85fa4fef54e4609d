"""What `latentcodec train` refuses before it begins."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.command_line import call


@pytest.mark.parametrize(
    ("name", "says"), [(".", "is a folder"), ("no/a.safetensors", "not exist")]
)
def test_the_output_is_checked_first(tmp_path: Path, name: str, says: str) -> None:
    result = call("train", "--data", tmp_path, "--out", tmp_path / name, "--updates", 1)
    assert result.exit_code == 2 and says in result.stderr
