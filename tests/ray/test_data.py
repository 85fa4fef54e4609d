"""Pictures in Ray Data."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import latentcodec

pytest.importorskip("ray.data", reason="needs latentcodec[ray]")
pa = pytest.importorskip("pyarrow", reason="needs latentcodec[ray]")

import ray  # noqa: E402
from ray.data.block import BlockAccessor  # noqa: E402

from latentcodec.ray import Decoder, Encoder, LatDatasink, read_lat  # noqa: E402

MODEL = "ae"  # the quickest


@pytest.fixture(scope="module")
def driver(cluster: Any) -> Iterator[None]:
    """This process is a driver of the cluster's."""
    ray.init(address=cluster.address, log_to_driver=False, logging_level="error")
    ray.data.DataContext.get_current().enable_progress_bars = False
    yield
    ray.shutdown()


def png(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def arrays(table: Any) -> list[np.ndarray]:
    """The pictures of a table, as Ray gives them."""
    return list(BlockAccessor.for_block(table).to_numpy("image"))


def test_a_batch_is_encoded_and_what_cannot_be_says_why(crop: Image.Image) -> None:
    batch = {
        "bytes": np.array([png(crop), b"no picture", None, png(crop.convert("LA"))], dtype=object),
        "label": np.arange(4),
        "error": np.array(["old"] * 4),
    }
    table = Encoder(quality=60, model=MODEL)(batch)
    assert table["lat"][0].as_py() == latentcodec.encode(crop, quality=60, model=MODEL)
    assert table["label"].to_pylist() == [0, 1, 2, 3]
    assert "bytes" not in table.column_names
    assert table["width_px"].to_pylist() == [56, None, None, 56]
    assert table["output_bytes"][3].as_py() == len(table["lat"][3].as_py())
    assert table["error"].to_pylist() == [
        None,
        "the input is not an image that Pillow can read",
        "the row has no bytes",
        None,
    ]
    # A block of nothing but errors has the same types.
    only = Encoder(model=MODEL)({"bytes": np.array([b""], dtype=object)})
    assert only.schema.field("lat").type == pa.binary()


@pytest.mark.parametrize("kind", ["numpy", "pandas", "pyarrow"])
def test_batches_of_every_format(crop: Image.Image, kind: str) -> None:
    table = pa.table({"bytes": [png(crop)], "path": ["a.png"]})
    batch = {"numpy": {"bytes": np.array([png(crop)], dtype=object), "path": np.array(["a.png"])}}
    batch |= {"pandas": table.to_pandas(), "pyarrow": table}
    found = Encoder(model=MODEL)(batch[kind])
    assert found["path"].to_pylist() == ["a.png"]
    assert latentcodec.read_info(found["lat"][0].as_py()).width_px == 56


def test_what_the_options_ask_for_is_told(crop: Image.Image) -> None:
    table = Encoder(model=MODEL, target_size=900, sha256=True, psnr=True)(
        {"bytes": np.array([png(crop.convert("CMYK").convert("P"))], dtype=object)}
    )
    row = table.to_pylist()[0]
    assert row["output_bytes"] <= 900 and row["quality"] > 1
    assert len(row["sha256"]) == 64 and row["psnr_db"] > 20


def test_wrong_options_are_errors() -> None:
    with pytest.raises(ValueError, match="quality"):
        Encoder(quality=1000)
    with pytest.raises(TypeError):
        Encoder(qualty=50)
    with pytest.raises(ValueError, match="threads"):
        Encoder(threads=0)
    with pytest.raises(ValueError, match="mode"):
        Decoder(mode="HSV")
    with pytest.raises(ValueError, match="no column bytes: it has data"):
        Encoder(model=MODEL)({"data": np.array([b""], dtype=object)})


def test_a_batch_is_decoded_to_arrays_of_one_mode(crop: Image.Image) -> None:
    colour, grey = (latentcodec.encode(image, model=MODEL) for image in (crop, crop.convert("L")))
    cells = np.array([colour, grey, grey[:-1]], dtype=object)
    table = Decoder(column="lat", scale=2)({"lat": cells})
    images = arrays(table)
    assert [image.shape for image in images] == [(20, 28, 3), (20, 28, 3), (0, 0, 3)]
    expected = latentcodec.decode(grey, scale=2).convert("RGB")
    assert np.array_equal(images[1], np.asarray(expected))
    assert "the file ends within a chunk" in table["error"][2].as_py()
    assert table["quality"].to_pylist() == [50, 50, None]


def test_what_is_left_of_a_damaged_file_is_an_image_with_warnings(photo: np.ndarray) -> None:
    wide = np.hstack([photo[:16], photo[16:32]])
    data = latentcodec.encode(wide, model=MODEL)
    batch = {"bytes": np.array([data[:-1]], dtype=object)}
    (row,) = Decoder(mode="L", salvage=True)(batch).drop_columns(["image"]).to_pylist()
    assert (row["width_px"], row["height_px"], row["error"]) == (1536, 16, None)
    assert len(row["warnings"]) == 1
    assert arrays(Decoder(mode="L", salvage=True)(batch))[0].shape == (16, 1536, 1)


def test_a_sink_keeps_the_tree_and_leaves_out_what_failed(tmp_path: Path) -> None:
    table = pa.table(
        {"path": ["/in/a.png", "/in/b/c.png", "/in/d.png"], "lat": [b"1", b"2", None]}
    ).append_column("error", pa.array([None, None, "broken"]))
    sink = LatDatasink(str(tmp_path / "out"), root="/in")
    failed = sink.write([table], None)
    assert failed == [("/in/d.png", "broken")]
    assert (tmp_path / "out/a.png.lat").read_bytes() == b"1"
    assert (tmp_path / "out/b/c.png.lat").read_bytes() == b"2"
    assert len(list((tmp_path / "out").rglob("*"))) == 3


@pytest.mark.parametrize("path", ["/elsewhere/a.png", "/in/../a.png", "/inside/a.png", None])
def test_a_sink_writes_nowhere_else(tmp_path: Path, path: str | None) -> None:
    table = pa.table({"path": pa.array([path], pa.string()), "lat": [b"1"]})
    with pytest.raises(ValueError, match=r"is not below /in|no path"):
        LatDatasink(str(tmp_path / "out"), root="/in/").write([table], None)
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_from_pictures_to_files_and_back(driver: None, pictures: Path, tmp_path: Path) -> None:
    files = ray.data.read_binary_files(str(pictures), include_paths=True, override_num_blocks=3)
    encoded = files.map_batches(
        Encoder,
        fn_constructor_kwargs={"quality": 60, "model": MODEL},
        compute=ray.data.ActorPoolStrategy(size=1),
        batch_size=4,
    )
    sink = LatDatasink(str(tmp_path / "out"), root=str(pictures))
    encoded.write_datasink(sink)
    assert sink.failed == [
        (str(pictures / "broken.png"), "the input is not an image that Pillow can read")
    ]
    written = sorted(path for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert len(written) == 12
    source = pictures / "more/3.png"
    expected = latentcodec.encode(source, quality=60, model=MODEL)
    assert (tmp_path / "out/more/3.png.lat").read_bytes() == expected

    (tmp_path / "out/cut.lat").write_bytes(expected[:-1])
    rows = read_lat(
        str(tmp_path / "out"), include_paths=True, compute=ray.data.ActorPoolStrategy(size=1)
    ).take_all()
    assert sorted(row["path"] for row in rows if row["error"] is None) == list(map(str, written))
    image = next(row["image"] for row in rows if row["path"].endswith("more/3.png.lat"))
    assert np.array_equal(image, np.asarray(latentcodec.decode(expected).convert("RGB")))
