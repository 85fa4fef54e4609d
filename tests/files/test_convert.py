"""One file to another, with everything that can be wrong in the result."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import pickle
import threading
import warnings
from pathlib import Path

import pytest
import torch
from PIL import Image

import latentcodec
from latentcodec import DecodeFileOptions, EncodeFileOptions, decode_file, encode_file
from latentcodec.files.capture_warnings import capture_warnings
from latentcodec.files.convert import converted
from latentcodec.files.result import FileResult
from latentcodec.format.source import Source
from latentcodec.runtime import model_store
from latentcodec.runtime.model_store import OWN_CODE, ModelEntry


def test_there_and_back(folder: Path) -> None:
    result = encode_file(folder / "photo.png", folder / "new.lat", EncodeFileOptions(quality=40.04))
    assert (result.status, result.error, result.warnings) == ("written", None, ())
    data = (folder / "new.lat").read_bytes()
    assert data == (folder / "photo.lat").read_bytes()
    assert (result.width_px, result.height_px, result.quality) == (56, 40, 40)
    assert result.input_bytes == (folder / "photo.png").stat().st_size
    assert result.output_bytes == result.lat_bytes == len(data)
    assert result.bits_per_pixel == 8 * len(data) / (56 * 40)
    assert (result.psnr_db, result.sha256, result.is_verified) == (None, None, False)
    names = str(folder / "new.lat"), str(folder / "back.webp")
    back = decode_file(*names, DecodeFileOptions(scale=2))
    assert (back.status, back.mode, back.quality) == ("written", "RGB", 40)
    assert (back.width_px, back.height_px, back.lat_pixels) == (28, 20, 56 * 40)
    assert (back.source, back.target) == names
    assert Image.open(folder / "back.webp").size == (28, 20)


def test_memory_and_streams(folder: Path) -> None:
    data, lat, png = (folder / "photo.png").read_bytes(), io.BytesIO(), io.BytesIO()
    result = encode_file(data, lat, EncodeFileOptions(quality=40, sha256=True))
    assert lat.getvalue() == (folder / "photo.lat").read_bytes()
    assert (result.source, result.target, result.input_bytes) == ("-", "-", len(data))
    assert result.sha256 == hashlib.sha256(lat.getvalue()).hexdigest()
    lat.seek(0)
    back = decode_file(lat, png, DecodeFileOptions(sha256=True))
    assert Image.open(png).format == "PNG"
    assert back.sha256 == hashlib.sha256(png.getvalue()).hexdigest()
    assert back.output_bytes == len(png.getvalue())


def test_what_is_asked_for_is_measured(folder: Path) -> None:
    options = EncodeFileOptions(tune="psnr", psnr=True, sha256=True, verify=True)
    result = encode_file(folder / "photo.png", folder / "new.lat", options)
    assert result.is_verified
    assert result.sha256 == hashlib.sha256((folder / "new.lat").read_bytes()).hexdigest()
    assert result.psnr_db is not None and 25 < result.psnr_db < 45
    target = folder / "back.tiff"
    decoded = decode_file(folder / "new.lat", target, DecodeFileOptions(sha256=True))
    assert decoded.sha256 == hashlib.sha256(target.read_bytes()).hexdigest()


def test_names_that_no_file_can_have(folder: Path) -> None:
    for make, good in ((encode_file, "photo.png"), (decode_file, "photo.lat")):
        for ends in (("null\0byte", "new.png"), (str(folder / good), "null\0byte.png")):
            result = make(*ends)
            assert result.status == "failed" and "null byte" in str(result.error)


def test_what_is_wrong_stands_in_the_result(folder: Path) -> None:
    (folder / "bad.png").write_bytes(b"no picture")
    result = encode_file(folder / "bad.png", folder / "bad.lat")
    assert result.status == "failed" and "not an image" in str(result.error)
    assert not (folder / "bad.lat").exists() and result.bits_per_pixel is None
    result = encode_file(folder / "photo.png", folder / "none" / "photo.lat")
    assert result.status == "failed" and "No such file" in str(result.error)
    options = EncodeFileOptions(make_parents=True)
    assert encode_file(folder / "photo.png", folder / "none" / "a.lat", options).error is None
    assert decode_file(folder / "photo.png", folder / "x.png").status == "failed"
    outside = decode_file(
        folder / "photo.lat", folder / "x.png", DecodeFileOptions(region=(50, 0, 50, 10))
    )
    assert outside.status == "failed" and "region" in str(outside.error)
    assert "writes no .txt" in str(decode_file(folder / "photo.lat", folder / "x.txt").error)
    assert not (folder / "x.png").exists()


def test_where_nothing_can_be_written_nothing_is_read(folder: Path) -> None:
    def read(source: Source, strict: bool) -> tuple[Image.Image, int]:
        raise AssertionError("the picture was read")

    target = folder / "none" / "photo.lat"
    result = encode_file(folder / "photo.png", target, read=read)
    assert result.error == f"{target}: No such file or directory"
    result = encode_file(folder / "photo.png", folder / "photo.png" / "photo.lat", read=read)
    assert str(result.error).endswith("photo.lat: Not a directory")
    target = folder / "none" / "photo.png"
    assert decode_file(b"no .lat", target).error == f"{target}: No such file or directory"


def test_what_is_lost_is_among_the_warnings(folder: Path, data: bytes) -> None:
    Image.new("CMYK", (9, 7)).save(folder / "ink.jpg")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(2):  # each time, not only the first
            result = encode_file(folder / "ink.jpg", folder / "ink.lat")
            assert len(result.warnings) == 1 and "CMYK" in result.warnings[0]
    strict = encode_file(folder / "ink.jpg", folder / "ink.lat", EncodeFileOptions(strict=True))
    assert strict.status == "failed" and "CMYK" in str(strict.error)


def test_threads_without_captures_keep_their_warnings() -> None:
    with pytest.warns(UserWarning, match="mine"), capture_warnings() as captured:
        other = threading.Thread(target=warnings.warn, args=("mine",))
        other.start()
        other.join()
        warnings.warn("captured", stacklevel=1)
    assert captured == ["captured"]


def test_large_pictures_are_no_bombs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    result = encode_file(folder / "photo.png", folder / "new.lat")
    assert (result.error, result.warnings) == (None, ())
    assert Image.MAX_IMAGE_PIXELS == 1000


def test_options_are_checked() -> None:
    for wrong in ({"quality": 101}, {"ratio": 9, "target_bpp": 1}, {"strip": ["x"]}, {"tune": "x"}):
        with pytest.raises(ValueError):
            EncodeFileOptions(**wrong)
    with pytest.raises(ValueError):
        DecodeFileOptions(background="no colour")
    assert EncodeFileOptions(strip=["gps"]).strip == ("gps",)


def test_options_and_results_go_to_other_processes(folder: Path) -> None:
    options = EncodeFileOptions(quality=40, strip=["gps"], runtime="torch")
    assert pickle.loads(pickle.dumps(options)) == options
    result = encode_file(folder / "photo.png", folder / "new.lat", options)
    assert pickle.loads(pickle.dumps(result)) == result
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.status = "failed"  # type: ignore[misc]


def test_weights_of_ones_own_go_along(tmp_path: Path) -> None:
    entry = ModelEntry("mine", OWN_CODE, "hyper", str(tmp_path / "w.safetensors"), "ab" * 32)
    model_store.adopt(entry)
    sent = pickle.dumps([EncodeFileOptions(model="mine"), DecodeFileOptions()])
    model_store._own.clear()
    pickle.loads(sent)
    assert latentcodec.runtime.model_store.by_name("mine") == entry


@pytest.mark.parametrize(
    ("error", "used"), [(RuntimeError("could not create a primitive"), 2), (MemoryError(), 1)]
)
def test_after_memory_has_ended_another_thread_goes_on(error: Exception, used: int) -> None:
    """oneDNN would fail again in the same one, whatever there is to do."""
    threads, shares = [], []

    def work(result: FileResult) -> FileResult:
        threads.append(threading.get_ident())
        shares.append(torch.get_num_threads())
        if len(threads) == 1:
            raise error
        return result

    def both() -> None:
        torch.set_num_threads(1)
        found = [converted(b"", io.BytesIO(), work) for _ in range(2)]
        assert [one.status for one in found] == ["failed", "written"]
        assert found[0].error == "there is not enough memory for this picture"

    spoilt = threading.Thread(target=both)
    spoilt.start()
    spoilt.join()
    assert len(set(threads)) == used
    assert shares == [1, 1]


def test_a_stream_that_gives_less_than_is_asked_for(data: bytes) -> None:
    class Slow(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(min(size, 7) if size and size > 0 else 7)

    assert decode_file(Slow(data), io.BytesIO()).status == "written"


def test_the_quality_of_what_is_written(data: bytes) -> None:
    sizes = []
    for quality in (30, 95):
        target = io.BytesIO()
        decode_file(data, target, DecodeFileOptions(format="jpg", quality=quality))
        sizes.append(len(target.getvalue()))
    assert sizes[0] < 0.7 * sizes[1]
    with pytest.raises(ValueError, match="whole number from 1 to 100"):
        DecodeFileOptions(quality=101)
