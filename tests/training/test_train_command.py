"""What `latentcodec train` refuses before it begins."""

from __future__ import annotations

from pathlib import Path

import pytest

from latentcodec.training import export
from tests.command_line import call
from tests.runtime.small_models import weights_of


@pytest.mark.parametrize(
    ("name", "says"), [(".", "is a folder"), ("no/a.safetensors", "not exist")]
)
def test_the_output_is_checked_first(tmp_path: Path, name: str, says: str) -> None:
    result = call("train", "--data", tmp_path, "--out", tmp_path / name, "--updates", 1)
    assert result.exit_code == 2 and says in result.stderr


@pytest.mark.parametrize("code", ["ABC", "ABCDE", "AB D", "ÄBCD"])
def test_a_code_that_no_header_holds_is_wrong_usage(tmp_path: Path, code: str) -> None:
    """Known before the checkpoint is looked for, and before anything is written."""
    names = tmp_path / "missing.safetensors", tmp_path / "weights.safetensors"
    result = call("export", *names, "--register", "mine", code)
    assert result.exit_code == 2 and "four printable" in result.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("text", ["no JSON", "[]", "{}", '{"models": [{"code": "AB01"}]}'])
def test_a_manifest_that_is_none_is_left_as_it_is(tmp_path: Path, text: str) -> None:
    weights, manifest = tmp_path / "weights.safetensors", tmp_path / "manifest.json"
    weights.write_bytes(weights_of("ae"))
    manifest.write_text(text)
    with pytest.raises(ValueError, match="no manifest of weights"):
        export.register(weights, "mine", "AB02")
    assert manifest.read_text() == text
