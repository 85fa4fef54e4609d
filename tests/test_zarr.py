"""Zarr arrays and numcodecs with `.lat` files as chunks, in real stores."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import latentcodec
from latentcodec import errors
from latentcodec.array_chunks import decode_chunk, encode_chunk
from latentcodec.format import container
from latentcodec.runtime import model_store
from tests.runtime.small_models import weights_of

zarr = pytest.importorskip("zarr")
numcodecs = pytest.importorskip("numcodecs")


@pytest.fixture(scope="module")
def pixels(photo: np.ndarray) -> np.ndarray:
    """uint8 [96, 112, 3]: not a multiple of the chunks."""
    return photo[100:196, 300:412]


def serializer(**configuration: Any) -> dict[str, Any]:
    """As an array's metadata have it, so that it is found by its entry point."""
    return {"name": "latentcodec", "configuration": {**configuration, "effort": 2}}


def array(path: Path, shape: tuple[int, ...], chunks: tuple[int, ...], **options: Any) -> Any:
    made = {"dtype": "uint8", "serializer": serializer(), "compressors": None} | options
    return zarr.create_array(path / "tiles.zarr", shape=shape, chunks=chunks, **made)


def error_of(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Mean absolute difference in grey levels."""
    return float(np.abs(ours.astype(int) - theirs).mean())


def chunk_files(path: Path) -> list[Path]:
    return sorted(p for p in (path / "tiles.zarr" / "c").rglob("*") if p.is_file())


def test_a_store_of_tiles(pixels: np.ndarray, tmp_path: Path) -> None:
    made = array(tmp_path, pixels.shape, (64, 64, 3), serializer=serializer(quality=80))
    made[:] = pixels
    opened = zarr.open_array(tmp_path / "tiles.zarr", mode="r")
    assert opened.shape == pixels.shape and opened.dtype == np.uint8
    assert 0 < error_of(opened[:], pixels) < 4
    assert np.array_equal(opened[64:, 64:], opened[:][64:, 64:])
    chunks = chunk_files(tmp_path)
    assert len(chunks) == 4
    first = chunks[0].read_bytes()
    assert first == latentcodec.encode(pixels[:64, :64], quality=80)
    assert latentcodec.read_info(first).quality == 80


def test_the_metadata_name_codec_quality_and_tune(pixels: np.ndarray, tmp_path: Path) -> None:
    from latentcodec.zarr import LatCodec

    codec = LatCodec(quality=33)
    assert codec.to_dict() == serializer(quality=33.0, tune="ssim")
    assert LatCodec.from_dict(codec.to_dict()) == codec
    made = array(tmp_path, pixels.shape, (64, 64, 3), serializer=codec)
    made[:64, :64] = pixels[:64, :64]
    assert len(chunk_files(tmp_path)) == 1, "chunks that were never written take no file"
    assert zarr.open_array(tmp_path / "tiles.zarr").serializer == codec
    for wrong in ({"quality": 101}, {"tune": "vmaf"}, {"model": "ae", "tune": "psnr"}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            LatCodec(**wrong)


@pytest.mark.parametrize(
    ("lead", "chunks"),
    [((), (64, 64)), ((2,), (1, 64, 64)), ((2,), (1, 48, 112, 3)), ((2, 1), (1, 1, 96, 112, 3))],
    ids=["grey", "grey stack", "colour stack", "frames and channels"],
)
def test_shapes(
    pixels: np.ndarray, tmp_path: Path, lead: tuple[int, ...], chunks: tuple[int, ...]
) -> None:
    picture = pixels if chunks[-1] == 3 else pixels[:, :, 0]
    whole = np.broadcast_to(picture, (*lead, *picture.shape)).copy()
    made = array(tmp_path, whole.shape, chunks)
    made[:] = whole
    assert error_of(zarr.open_array(tmp_path / "tiles.zarr")[:], whole) < 6
    wanted = "L" if picture.ndim == 2 else "RGB"
    assert latentcodec.read_info(chunk_files(tmp_path)[0]).mode == wanted


@pytest.mark.parametrize("channels", [(), (1,), (2,), (3,), (4,)], ids=str)
@pytest.mark.parametrize("opaque", [False, True], ids=["alpha", "opaque"])
def test_several_pictures_in_a_chunk(
    pixels: np.ndarray, tmp_path: Path, channels: tuple[int, ...], opaque: bool
) -> None:
    """Of any channels that `encode` takes; alpha without losses, also where all of it is opaque."""
    count = channels[0] if channels else 1
    whole = np.concatenate([pixels, pixels[:, :, :1]], 2)[None, :, :, -count:].repeat(4, 0)
    whole[1::2] = whole[1::2, ::-1]
    if count in (2, 4):
        whole[..., -1] = 255 if opaque else np.arange(112) + 100
    whole = whole.reshape(4, 96, 112, *channels)
    made = array(tmp_path, whole.shape, (3, 64, 112, *channels))
    made[:] = whole
    back = zarr.open_array(tmp_path / "tiles.zarr")[:]
    assert back.shape == whole.shape and 0 < error_of(back, whole) < 6
    if count in (2, 4):
        assert np.array_equal(back[..., -1], whole[..., -1])
    first = chunk_files(tmp_path)[0].read_bytes()
    assert first.startswith(encode_chunk(whole[0, :64], 50, "hyper-ssim"))


def test_channels_first_through_transpose(pixels: np.ndarray, tmp_path: Path) -> None:
    turned = zarr.codecs.TransposeCodec(order=(1, 2, 0))
    made = array(tmp_path, (3, 96, 112), (3, 96, 112), filters=[turned])
    made[:] = pixels.transpose(2, 0, 1)
    back = zarr.open_array(tmp_path / "tiles.zarr")[:]
    wanted = latentcodec.decode_array(latentcodec.encode(pixels))
    assert np.array_equal(back.transpose(1, 2, 0), wanted)


def test_in_shards(pixels: np.ndarray, tmp_path: Path) -> None:
    made = array(tmp_path, pixels.shape, (64, 64, 3), shards=(128, 128, 3))
    made[:] = pixels
    assert len(chunk_files(tmp_path)) == 1
    back = zarr.open_array(tmp_path / "tiles.zarr")[:64, :64]
    wanted = latentcodec.decode(latentcodec.encode(pixels[:64, :64]))
    assert np.array_equal(back, np.asarray(wanted))


def test_arrays_that_hold_no_pictures_are_refused(tmp_path: Path) -> None:
    with pytest.raises(errors.UnsupportedImage, match="uint16"):
        array(tmp_path, (64, 64), (32, 32), dtype="uint16")
    with pytest.raises(errors.UnsupportedImage, match="two axes"):
        array(tmp_path, (64,), (32,))


def test_damaged_and_foreign_chunks_are_errors(pixels: np.ndarray, tmp_path: Path) -> None:
    made = array(tmp_path, pixels.shape, (96, 112, 3))
    made[:] = pixels
    (chunk,) = chunk_files(tmp_path)
    chunk.write_bytes(chunk.read_bytes()[:-1])
    with pytest.raises(errors.TruncatedFile):
        made[:]
    one = latentcodec.encode(pixels[:48])
    for other in (latentcodec.encode(pixels[:50]), one + one):
        chunk.write_bytes(other)
        with pytest.raises(errors.UnsupportedImage, match="chunks are"):
            made[:]
    chunk.write_bytes(one + latentcodec.encode(pixels[:50]))
    with pytest.raises(errors.UnsupportedImage, match="differ"):
        made[:]
    chunk.write_bytes(one + b"and more")
    with pytest.raises(errors.NotALatFile):
        made[:]


def test_a_chunk_cannot_claim_more_pixels_than_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    files = encode_chunk(np.zeros((3, 16, 16), np.uint8), 50, "hyper-ssim")
    monkeypatch.setattr(container, "MAX_PIXELS", 3 * 256 - 1)
    with pytest.raises(errors.LimitExceeded, match="767"):
        decode_chunk(files)


def test_numcodecs_finds_it_by_name(pixels: np.ndarray) -> None:
    codec = numcodecs.get_codec({"id": "latentcodec", "quality": 70})
    assert codec.get_config() == {
        "id": "latentcodec",
        "quality": 70.0,
        "tune": "ssim",
        "effort": 2,
    }
    assert numcodecs.get_codec(codec.get_config()) == codec
    data = codec.encode(pixels)
    assert data == latentcodec.encode(pixels, quality=70)
    back = codec.decode(data)
    assert np.array_equal(back, np.asarray(latentcodec.decode(data)))
    out = np.empty(pixels.shape, np.uint8)
    codec.decode(memoryview(data), out=out)
    assert np.array_equal(out, back)
    stack = pixels.transpose(2, 0, 1).copy()
    assert codec.decode(codec.encode(stack)).shape == stack.shape
    for wrong in (pixels.astype(np.int16), pixels[0, 0], np.asfortranarray(pixels)):
        with pytest.raises(errors.UnsupportedImage):
            codec.encode(wrong)


def test_zarr_2(pixels: np.ndarray, tmp_path: Path) -> None:
    codec = numcodecs.get_codec({"id": "latentcodec"})
    path = tmp_path / "old.zarr"
    options = {"chunks": (1, 64, 64, 3), "dtype": "uint8", "zarr_format": 2}
    made = zarr.create_array(path, shape=(2, *pixels.shape), compressors=codec, **options)
    made[:] = np.stack([pixels, pixels])
    back = zarr.open_array(path)[:]
    assert np.array_equal(back[0], back[1])
    first = latentcodec.decode((path / "0.0.0.0").read_bytes())
    assert np.array_equal(back[0, :64, :64], np.asarray(first))


def test_zarr_2_with_several_opaque_pictures_in_a_chunk(pixels: np.ndarray, tmp_path: Path) -> None:
    rgba = np.concatenate([pixels, np.full_like(pixels[:, :, :1], 255)], 2)
    whole = np.stack([rgba] * 4)
    codec = numcodecs.get_codec({"id": "latentcodec"})
    options = {"chunks": (2, *rgba.shape), "dtype": "uint8", "zarr_format": 2}
    path = tmp_path / "old.zarr"
    made = zarr.create_array(path, shape=whole.shape, compressors=codec, **options)
    made[:] = whole
    assert error_of(zarr.open_array(path)[:], whole) < 6


@pytest.mark.slow
def test_weights_of_ones_own_are_found_where_an_array_is_read(
    pixels: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By path where it is written, also by another process; by hash where it is read."""
    weights = tmp_path / "mine.safetensors"
    weights.write_bytes(weights_of("ae"))
    made = array(tmp_path, pixels.shape, (64, 64, 3), serializer=serializer(model=str(weights)))
    half = slice(0, 64)
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        pool.submit(write, made, half, pixels[half]).result(200)
    model_store._own.clear()
    monkeypatch.setenv("LATENTCODEC_WEIGHTS", str(tmp_path / "elsewhere"))
    (tmp_path / "elsewhere").mkdir()
    weights.rename(tmp_path / "elsewhere" / "theirs.safetensors")
    back = zarr.open_array(tmp_path / "tiles.zarr")[half]
    assert back.any() and not zarr.open_array(tmp_path / "tiles.zarr")[64:].any()


def write(made: Any, rows: slice, pixels: np.ndarray) -> None:
    """In a process of its own."""
    made[rows] = pixels
