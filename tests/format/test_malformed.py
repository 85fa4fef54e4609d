"""Every way in which a file can be wrong has a file in tests/malformed, and an error of its own."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

import latentcodec
from latentcodec import errors
from latentcodec.errors import LatError
from latentcodec.format import container
from latentcodec.runtime import model_store
from tests.command_line import call, one_sentence
from tests.format.test_format_page import rows, section
from tests.malformed.write import FOLDER, with_field

# What is wrong, class and file of each row of the table in docs/format.md.
TABLE = [row for row in rows(section("Everything that can be wrong")) if row[2]]
KIND_OF = {row[2].strip("`"): getattr(errors, row[1].strip("`")) for row in TABLE}
PATHS = sorted(FOLDER.glob("*.lat"))
# Only these are wrong behind what names the model.
_DEEP = (errors.CorruptPayload, errors.CorruptAlpha)


def current(path: Path, model: str | None = None) -> bytes:
    """The file as it would be with a model, by name; as a rule, the one that is packaged now."""
    data, kind = path.read_bytes(), KIND_OF[path.name]
    if kind not in _DEEP:
        return data
    entry = model_store.by_name(model_store.chosen(model))
    data = with_field(data, 12, entry.code.encode() + entry.short_hash)
    if kind is errors.CorruptAlpha:  # with a tile that is right
        file = container.read(data)
        size = file.header.height_px, file.header.width_px
        black = latentcodec.encode(np.zeros(size, np.uint8), model=entry.name)
        tiles = container.read(black).tiles
        data = container.write(dataclasses.replace(file, tiles=tiles))
    return data


def test_every_file_has_its_line_and_every_line_its_file() -> None:
    assert sorted(KIND_OF) == [path.name for path in PATHS]
    assert len(TABLE) == len(KIND_OF)


def test_every_class_of_damage_has_a_file() -> None:
    of_files = set(LatError.__subclasses__()) - {
        errors.CorruptWeights,
        errors.UnsupportedImage,
        errors.GoalMissed,
        errors.VerificationFailed,
    }
    assert set(KIND_OF.values()) == of_files


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_python_raises_exactly_its_class(path: Path) -> None:
    with pytest.raises(LatError) as caught:
        latentcodec.decode(current(path))
    assert type(caught.value) is KIND_OF[path.name]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_the_command_says_one_sentence_and_writes_nothing(path: Path, tmp_path: Path) -> None:
    source = tmp_path / path.name
    source.write_bytes(current(path))
    result = call("decode", source, tmp_path / "out.png")
    assert result.exit_code == 1
    message = one_sentence(result.stderr)
    assert ". " not in message.replace(str(source), "")
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_the_files_are_small(path: Path) -> None:
    assert path.stat().st_size < (500 if path.stem == "too-many-chunks" else 200)
