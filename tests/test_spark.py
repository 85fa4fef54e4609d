"""Pictures in Spark, whose Java and Python workers are on this machine."""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import latentcodec

pytest.importorskip("pyspark", reason="needs latentcodec[spark]")
if shutil.which("java") is None:
    pytest.skip("Spark needs Java", allow_module_level=True)

from latentcodec.spark import decode_files, encode_files

pytestmark = pytest.mark.slow
MODEL = "ae"  # the quickest


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    from pyspark.sql import SparkSession

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        settings = {
            "spark.ui.enabled": "false",
            "spark.driver.memory": "512m",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.host": "127.0.0.1",
        }
        session = SparkSession.builder.master("local[1]").config(map=settings).getOrCreate()
        yield session
        session.stop()


@pytest.fixture
def files(spark: Any, tmp_path: Path, photo: np.ndarray) -> Any:
    """Rows of binaryFile: two pictures and one that is broken."""
    for number in range(2):
        Image.fromarray(photo[: 24 + number, :32]).save(tmp_path / f"{number}.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    return spark.read.format("binaryFile").load(str(tmp_path)).orderBy("path")


def test_encoded_and_decoded(files: Any, tmp_path: Path) -> None:
    encoded = encode_files(files, quality=60, model=MODEL).cache()
    first, second, broken = encoded.collect()
    assert bytes(first["lat"]) == latentcodec.encode(tmp_path / "0.png", quality=60, model=MODEL)
    assert second["height_px"] == 25 and second["error"] is None and second["warnings"] == []
    assert second["length"] == second["input_bytes"]  # a column of Spark's own
    assert "content" not in encoded.columns
    assert broken["lat"] is None and broken["width_px"] is None
    assert broken["error"] == "the input is not an image that Pillow can read"

    first, _, broken = decode_files(encoded, column="lat", scale=2).collect()
    image = Image.open(io.BytesIO(first["content"]))
    assert (image.format, image.size) == ("PNG", (16, 12))
    assert broken["content"] is None and broken["error"] == "the row has no bytes"


def test_wrong_options_are_errors_before_anything_runs(files: Any) -> None:
    with pytest.raises(ValueError, match="quality"):
        encode_files(files, quality=1000)
    with pytest.raises(TypeError):
        encode_files(files, qualty=50)
    with pytest.raises(ValueError, match="no column lat: they have path"):
        decode_files(files, column="lat")
    with pytest.raises(ValueError, match="threads"):
        encode_files(files, threads=0)
