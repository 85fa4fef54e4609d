"""Small copies that files hold for thumbnails: what they show, what they cost, who reads them."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import latentcodec
import latentcodec.pillow
from latentcodec import errors
from latentcodec.cli import main
from latentcodec.format import container
from latentcodec.format.container import ChunkType, LatFile

ORIENTATION = 0x0112


@pytest.fixture(scope="module")
def data(photo: np.ndarray) -> bytes:
    """A file of 768 x 512 px with a preview."""
    return latentcodec.encode(photo, preview=True)


def with_preview(data: bytes, payload: bytes) -> bytes:
    """The same file with another preview."""
    file = container.read(data)
    return container.write(
        LatFile(file.header, file.tiles, {ChunkType.PREVIEW: payload}, file.alphas)
    )


def webp(width: int, height: int) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (width, height), "red").save(stream, "WEBP")
    return stream.getvalue()


def claimed(side: int) -> bytes:
    """The header of a lossless WebP of so many px a side, and little else."""
    body = b"\x2f" + (side - 1 | (side - 1) << 14).to_bytes(4, "little") + bytes(3)
    chunk = b"WEBPVP8L" + len(body).to_bytes(4, "little") + body
    return b"RIFF" + len(chunk).to_bytes(4, "little") + chunk


def moving() -> bytes:
    stream, frames = io.BytesIO(), [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    frames[0].save(stream, "WEBP", save_all=True, append_images=frames[1:])
    return stream.getvalue()


def reduced(image: Image.Image) -> np.ndarray:
    return np.asarray(image.resize((256, 171), Image.Resampling.BOX), dtype=float)


def test_it_shows_the_picture_and_is_small(data: bytes, photo: np.ndarray) -> None:
    preview = latentcodec.read_preview(data)
    assert preview and (preview.mode, preview.size) == ("RGB", (256, 171))
    assert np.abs(np.asarray(preview) - reduced(Image.fromarray(photo))).mean() < 6
    info = latentcodec.read_info(data)
    assert 1000 < info.metadata_bytes["preview"] < 8000
    plain = latentcodec.encode(photo)
    assert len(data) == len(plain) + info.metadata_bytes["preview"] + 7  # of the chunk
    assert latentcodec.read_preview(plain) is None
    assert np.array_equal(latentcodec.decode_array(data), latentcodec.decode_array(plain))


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA"])
def test_modes(photo: np.ndarray, mode: str) -> None:
    image = Image.fromarray(photo[:96, :320]).convert(mode)
    if "A" in mode:
        image.putalpha(Image.linear_gradient("L").resize(image.size))
    preview = latentcodec.read_preview(latentcodec.encode(image, preview=True))
    assert preview and (preview.mode, preview.size) == (mode, (256, 77))
    small = image.resize(preview.size)
    ours, theirs = (np.asarray(one.convert("RGBA").convert("RGBa")) for one in (preview, small))
    assert np.abs(ours.astype(float) - theirs).mean() < 8


def test_pictures_that_are_no_larger_have_none(photo: np.ndarray) -> None:
    small = photo[:200, :256]
    assert latentcodec.encode(small, preview=True) == latentcodec.encode(small)


def test_a_wanted_size_counts_it(photo: np.ndarray) -> None:
    data = latentcodec.encode(photo[:128, :400], target_size=6000, preview=True)
    assert len(data) <= 6000 and latentcodec.read_preview(data)


def test_noise_and_very_long_pictures_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (257, 257, 4), dtype=np.uint8)
    preview = latentcodec.read_preview(latentcodec.encode(noise, quality=1, preview=True))
    assert preview and preview.size == (256, 256)
    long = latentcodec.encode(np.zeros((1, 5000), np.uint8), preview=True)
    preview = latentcodec.read_preview(long)
    assert preview and preview.size == (256, 1)


def test_a_preview_needs_no_model_and_no_tiles(data: bytes, tmp_path: Path) -> None:
    """So that it costs the same, however large the picture is."""
    header = bytearray(data)
    begin = data.index(b"RIFF") - 4
    (tmp_path / "cut.lat").write_bytes(bytes(header[: begin + 8000]))
    script = (
        "import sys, latentcodec\n"
        "from latentcodec.cli import main\n"
        f"assert latentcodec.read_preview({str(tmp_path / 'cut.lat')!r}).size == (256, 171)\n"
        f"main(['thumbnail', {str(tmp_path / 'cut.lat')!r}, {str(tmp_path / 'out.png')!r}],"
        " standalone_mode=False)\n"
        "assert not {'torch', 'onnxruntime', 'constriction', 'numpy'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=100)
    assert Image.open(tmp_path / "out.png").size == (256, 171)


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (b"", "no WebP"),
        (b"RIFF\x04\0\0\0WEBP", "no WebP"),
        (webp(64, 64)[:-8], "no WebP"),
        (webp(257, 10), "more than 256"),
        (claimed(16383), "more than 256"),
        (moving(), "an animation"),
    ],
    ids=["empty", "nothing in it", "cut off", "too wide", "far too large", "animation"],
)
def test_what_is_no_preview_is_an_error_and_harms_nobody_else(
    data: bytes, photo: np.ndarray, payload: bytes, said: str
) -> None:
    hostile = with_preview(data, payload)
    with pytest.raises(errors.CorruptChunk, match=said):
        latentcodec.read_preview(hostile)
    assert latentcodec.decode(hostile).size == (768, 512)
    assert latentcodec.thumbnail(hostile, 64).size == (64, 43)
    with Image.open(io.BytesIO(hostile)) as image:
        image.thumbnail((64, 64))
        assert image.size == (64, 43)


def test_a_format_of_another_name_is_refused(data: bytes) -> None:
    stream = io.BytesIO()
    Image.new("RGB", (8, 8)).save(stream, "PNG")
    with pytest.raises(errors.CorruptChunk, match="no WebP"):
        latentcodec.read_preview(with_preview(data, stream.getvalue()))


def test_a_longer_payload_is_refused(data: bytes) -> None:
    too_long = with_preview(data, bytes(container.MAX_PREVIEW_BYTES + 1))
    with pytest.raises(errors.CorruptChunk, match="more than its type may have"):
        latentcodec.decode(too_long)


def test_thumbnails_are_turned_and_keep_the_profile_alone(photo: np.ndarray) -> None:
    image = Image.fromarray(photo)
    image.info |= {"icc_profile": b"profile", "xmp": b"<x/>"}
    image.getexif()[ORIENTATION] = 6
    for preview in (True, False):
        data = latentcodec.encode(image, preview=preview)
        for size in (100, 200):
            small = latentcodec.thumbnail(data, size)
            assert small.height == size and abs(small.width - size * 2 / 3) < 1
            assert small.info == {"icc_profile": b"profile"}
    stored = latentcodec.read_preview(latentcodec.encode(image, preview=True))
    assert stored and stored.size == (256, 171) and stored.getexif()[ORIENTATION] == 6
    with pytest.raises(ValueError, match="above 0"):
        latentcodec.thumbnail(data, 0)


def test_thumbnails_of_other_sizes_are_decoded(
    data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    scales: list[int] = []
    whole = latentcodec.decode

    def watched(source: Any, **options: Any) -> Image.Image:
        scales.append(options["scale"])
        return whole(source, **options)

    monkeypatch.setattr("latentcodec.codec.decode", watched)
    assert latentcodec.thumbnail(data, 341).size == (256, 171)  # nearly as large
    assert not scales
    assert latentcodec.thumbnail(data, 384).size == (384, 256)
    assert latentcodec.thumbnail(data, 2000).size == (768, 512)
    assert scales == [2, 1]
    with pytest.raises(errors.LimitExceeded):
        latentcodec.thumbnail(data, 384, max_pixels=1000)


def test_pillows_thumbnail_takes_it(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*arguments: object, **options: object) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr("latentcodec.codec.decode", never)
    with Image.open(io.BytesIO(data)) as image:
        image.thumbnail((128, 128))
        assert image.width == 128
    with Image.open(io.BytesIO(data)) as image:
        image.thumbnail((256, 256), reducing_gap=1.0)
        assert image.size == (256, 171)


def test_a_preview_is_made_anew_and_never_kept(data: bytes) -> None:
    with Image.open(io.BytesIO(data)) as image:
        again = io.BytesIO()
        image.save(again, "LAT")
    assert latentcodec.read_preview(again.getvalue()) is None


def test_the_command_writes_png_of_any_name(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.lat").write_bytes(data)
    target = tmp_path / "thumbnail-x1"  # as file managers name it
    result = CliRunner().invoke(
        main, ["thumbnail", "--size", "128", str(tmp_path / "a.lat"), str(target)]
    )
    assert result.exit_code == 0, result.output
    assert Image.open(target).format == "PNG" and Image.open(target).width == 128
    jpeg = tmp_path / "thumbnail.jpg"
    result = CliRunner().invoke(main, ["thumbnail", str(tmp_path / "a.lat"), str(jpeg)])
    assert result.exit_code == 0 and Image.open(jpeg).format == "JPEG"
    (tmp_path / "a.lat").write_bytes(b"no file")
    result = CliRunner().invoke(main, ["thumbnail", str(tmp_path / "a.lat"), str(tmp_path / "b")])
    assert result.exit_code == 1 and "not a .lat file" in result.output
    assert not (tmp_path / "b").exists()
