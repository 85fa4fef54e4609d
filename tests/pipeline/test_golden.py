"""Files that were written once decode for ever: tests/golden."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import latentcodec
from latentcodec.errors import UnknownModel
from latentcodec.format import container
from latentcodec.format.container import METADATA_CHUNKS, ChunkType, Colour
from latentcodec.runtime import model_store
from latentcodec.runtime.choice import RUNTIMES, Runtime, is_installed
from latentcodec.runtime.model_store import ModelEntry
from tests.golden.write import FOLDER, expected, folder_of, pictures, write_set

SETS = sorted(path for path in FOLDER.iterdir())
FILES = [path for folder in SETS for path in sorted(folder.glob("*.lat"))]
IDS = [f"{path.parent.name}/{path.stem}" for path in FILES]


def codecs() -> list[ModelEntry]:
    """The packaged models that code files."""
    found = []
    for entry in model_store.entries():
        if entry.code == "USER":  # registered by another test, not packaged
            continue
        try:
            model_store.load_codec(entry)
        except UnknownModel:  # it draws pictures
            continue
        found.append(entry)
    return found


def test_every_packaged_model_has_its_set() -> None:
    for entry in codecs():
        assert folder_of(entry) in SETS, (
            f"the weights of {entry.name} ({entry.code}, {entry.short_hash.hex()}) have no golden "
            f"files: run python -m tests.golden.write {entry.name}"
        )


def test_every_set_can_still_be_decoded() -> None:
    installed = {folder_of(entry) for entry in codecs()}
    for folder in SETS:
        assert folder in installed, (
            f"the model {folder.name} is no longer packaged, so files made with it are lost: "
            "keep it beside the new one, or delete its golden files if it was never released"
        )


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_latents_and_metadata_are_what_they_were(path: Path, runtime: Runtime) -> None:
    if not is_installed(runtime):
        pytest.skip(f"{runtime} is not installed")
    data = path.read_bytes()
    header = container.read_header(data)
    assert f"{header.model_code}-{header.weights_hash.hex()}" == path.parent.name
    wanted = json.loads((path.parent / "expected.json").read_text())
    assert expected(data, runtime) == wanted[path.stem]


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_pixels_are_within_a_grey_level(path: Path) -> None:
    found, wanted = latentcodec.decode(path.read_bytes()), Image.open(path.with_suffix(".png"))
    assert (found.mode, found.size) == (wanted.mode, wanted.size)
    difference = np.asarray(found).astype(int) - np.asarray(wanted)
    assert np.abs(difference).max() <= 1
    if found.mode in ("RGBA", "LA"):
        assert not difference[..., -1].any(), "alpha has no losses"


@pytest.mark.parametrize("folder", SETS, ids=lambda folder: folder.name)
def test_a_set_has_every_kind_of_file(folder: Path) -> None:
    files = {path.stem: container.read(path.read_bytes()) for path in folder.glob("*.lat")}
    assert sorted(files) == sorted(json.loads((folder / "expected.json").read_text()))
    assert {file.header.colour for file in files.values()} == set(Colour)
    kinds = {kind for file in files.values() for kind in file.metadata}
    # The first sets are older than the other three.
    assert kinds in (set(METADATA_CHUNKS), {ChunkType.ICC, ChunkType.EXIF, ChunkType.XMP})
    assert {file.header.tile_grid for file in files.values()} == {(1, 1), (1, 2), (2, 1)}
    assert {10, 500, 1000} <= {file.header.quality_tenths for file in files.values()}
    assert sum(path.stat().st_size for path in folder.iterdir()) < 400_000


def test_a_set_is_written_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = next(pictures())
    monkeypatch.setattr("tests.golden.write.pictures", lambda: iter([one]))
    folder = write_set(model_store.chosen(), tmp_path)
    assert sorted(path.name for path in folder.iterdir()) == ["expected.json", "rgb.lat", "rgb.png"]
    before = (folder / "rgb.lat").read_bytes()
    with pytest.raises(FileExistsError):
        write_set(model_store.chosen(), tmp_path)
    assert (folder / "rgb.lat").read_bytes() == before
    assert Image.open(io.BytesIO((folder / "rgb.png").read_bytes())).size == one[1].size
