"""benchmarks/exactness.py: its rows decode what was meant, and see it where they do not."""

from __future__ import annotations

import sys
from pathlib import Path

import exactness
import exactness_worker
import numpy as np
import pytest
from PIL import Image

from latentcodec.errors import LatError
from latentcodec.format import container
from latentcodec.format.container import LatFile
from latentcodec.runtime import model_store


@pytest.fixture(scope="module")
def tiled(photo: np.ndarray) -> tuple[bytes, str]:
    """A file of 2 x 2 tiles and what was meant, of 30 x 20 px beyond the first."""
    family = model_store.load_codec(model_store.by_name("ae"))
    picture = np.tile(photo, (3, 2, 1))[:1044, :1054]
    return exactness.encode(picture, 10, "ae", family)


@pytest.mark.parametrize("order", ["in order", "last to first", "shuffled", "by windows"])
def test_orders_of_tiles(tiled: tuple[bytes, str], order: str) -> None:
    data, meant = tiled
    assert len(container.read(data).tiles) == 4
    assert exactness_worker.digest(data, order) == meant


@pytest.fixture(scope="module")
def folder(photo: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six photographs of 32 x 48 px, the last of them upright."""
    made = tmp_path_factory.mktemp("photographs")
    for number in range(6):
        crop = photo[50 * number : 50 * number + 32, 300:348]
        Image.fromarray(np.rot90(crop) if number == 5 else crop).save(made / f"{number}.png")
    return made


@pytest.mark.slow
def test_rows_of_files_that_were_written(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    meant = exactness.write_files(tmp_path, folder, [20, 90], model_store.chosen(), "cpu")
    assert len(meant) == 2 * (6 + 1)
    assert exactness.row("NumPy oracle", sys.executable, tmp_path, meant, 3) == 0
    # Another file than was meant is counted.
    changed = tmp_path / "mosaics" / "0-020.lat"
    changed.write_bytes((tmp_path / "mosaics" / "0-090.lat").read_bytes())
    assert exactness.row("tiles by windows", sys.executable, tmp_path, meant, None) == 1
    lines = [line.split(" | ") for line in capsys.readouterr().out.splitlines()]
    assert [line[5:7] for line in lines] == [["3", "0"], ["2", "1"]]


def test_the_oracle_refuses_what_no_encoder_wrote(folder: Path) -> None:
    family = model_store.load_codec(model_store.by_name(model_store.chosen()))
    pixels = np.asarray(Image.open(folder / "0.png"))
    data, meant = exactness.encode(pixels, 50, model_store.chosen(), family)
    assert exactness_worker.digest(data, "oracle") == meant
    file = container.read(data)
    other = bytearray(file.tiles[0])
    other[5] ^= 1
    broken = container.write(LatFile(file.header, [bytes(other)], {}))
    with pytest.raises(LatError):
        exactness_worker.digest(broken, "oracle")
