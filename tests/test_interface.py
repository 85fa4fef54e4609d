"""The public functions: the same options everywhere, all errors exported, files from anywhere."""

from __future__ import annotations

import inspect
import io
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_type_hints

import click
import numpy as np
import pytest
from PIL import Image

import latentcodec
import latentcodec.pillow
from latentcodec import Codec, errors
from latentcodec.cli import main
from latentcodec.format.container import MAX_PIXELS
from latentcodec.options import DecodeKeywords, DecodeOptions, EncodeKeywords, EncodeOptions


def keywords(function: Callable[..., Any]) -> tuple[str, dict[str, Any]]:
    """What the options of a function are, and keywords besides them with their defaults."""
    _, *others, options = inspect.signature(function).parameters.values()
    assert options.kind is options.VAR_KEYWORD
    assert {one.kind for one in others} <= {inspect.Parameter.KEYWORD_ONLY}
    return options.annotation, {one.name: one.default for one in others}


def test_encoding_has_the_same_options_everywhere() -> None:
    of_the_codec = {"model": None, "tune": None}
    assert keywords(latentcodec.encode) == ("Unpack[EncodeKeywords]", of_the_codec)
    c = Codec()
    assert keywords(c.encode) == ("Unpack[EncodeKeywords]", {})
    assert keywords(c.encode_batch) == ("Unpack[EncodeKeywords]", {"errors": "raise"})
    parameters = inspect.signature(Codec).parameters
    assert {name: parameters[name].default for name in of_the_codec} == of_the_codec
    assert {p.kind for p in inspect.signature(Codec).parameters.values()} == {
        inspect.Parameter.KEYWORD_ONLY
    }


def test_decoding_has_the_same_options_everywhere() -> None:
    c = Codec()
    for function in (
        latentcodec.decode,
        latentcodec.decode_array,
        latentcodec.decode_tensor,
        c.decode,
        c.decode_array,
        c.decode_tensor,
    ):
        assert keywords(function) == ("Unpack[DecodeKeywords]", {})
    for batch in (c.decode_batch, c.decode_array_batch, c.decode_tensor_batch):
        assert keywords(batch) == ("Unpack[DecodeKeywords]", {"errors": "raise"})
    assert DecodeOptions().max_pixels == MAX_PIXELS


@pytest.mark.parametrize(
    ("options", "typed", "command"),
    [
        (EncodeOptions, EncodeKeywords, "encode"),
        (DecodeOptions, DecodeKeywords, "decode"),
    ],
)
def test_what_is_declared_is_typed_documented_and_on_the_command_line(
    options: type, typed: type, command: str
) -> None:
    assert get_type_hints(typed) == get_type_hints(options)
    called = main.get_command(click.Context(main), command)
    assert called is not None
    flags = {one.name: one for one in called.params}
    for name, hint in get_type_hints(options, include_extras=True).items():
        assert f"\n    {name}: " in (inspect.getdoc(options) or "")
        said = flags[name]
        assert isinstance(said, click.Option) and said.help == hint.__metadata__[0].help


def test_an_option_that_is_not_there_is_an_error(data: bytes, photo: np.ndarray) -> None:
    with pytest.raises(TypeError, match="qualty"):
        latentcodec.encode(photo[:8, :8], qualty=50)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="size"):
        latentcodec.decode(data, size=2)  # type: ignore[call-arg]


def test_pillows_save_takes_the_options_of_encode(crop: Image.Image) -> None:
    crop.info["xmp"] = b"<x:xmpmeta/>"
    stream = io.BytesIO()
    crop.save(stream, "LAT", quality=30, model="ae", strip=["xmp"])
    assert stream.getvalue() == latentcodec.encode(crop, quality=30, model="ae", strip=["xmp"])
    with pytest.raises(OSError, match="CMYK"):
        crop.convert("CMYK").save(io.BytesIO(), "LAT", strict=True)
    goals: list[Any] = [{"target_size": 500}, {"target_psnr": 30.0}]
    for goal in goals:
        stream = io.BytesIO()
        crop.save(stream, "LAT", verify=True, **goal)
        assert stream.getvalue() == latentcodec.encode(crop, **goal)
    with pytest.raises(OSError, match="smallest file"):
        crop.save(io.BytesIO(), "LAT", target_size=40)
    plain = io.BytesIO()
    crop.save(plain, "LAT")
    assert plain.getvalue() == latentcodec.encode(crop)


def test_every_error_is_exported() -> None:
    kinds = {name for name, kind in vars(errors).items() if isinstance(kind, type)}
    assert kinds <= set(latentcodec.__all__)
    assert {"LatError", "CorruptChunk", "LossWarning"} <= kinds
    for name in latentcodec.__all__:
        assert getattr(latentcodec, name) is not None
    with pytest.raises(AttributeError):
        latentcodec.nosuch  # noqa: B018


def test_a_file_may_come_from_anywhere(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "photo.lat"
    path.write_bytes(data)
    behind = io.BytesIO(b"something before" + data)
    behind.seek(16)
    wanted = latentcodec.decode_array(data)
    for source in (path, str(path), bytearray(data), memoryview(data), io.BytesIO(data), behind):
        assert np.array_equal(latentcodec.decode_array(source), wanted)
    with path.open("rb") as stream:
        assert np.array_equal(np.asarray(latentcodec.decode(stream)), wanted)
    assert len(Codec().decode_batch([path, data, io.BytesIO(data)])) == 3
    with pytest.raises(FileNotFoundError):
        latentcodec.decode(tmp_path / "missing.lat")
    with pytest.raises(IsADirectoryError):
        latentcodec.decode(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes with names")
def test_a_pipe_is_read_as_a_whole(data: bytes, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(data,))
    writer.start()
    try:
        part = latentcodec.decode(pipe, region=(0, 0, 8, 8))
    finally:
        writer.join()
    assert part.size == (8, 8)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes with names")
@pytest.mark.parametrize("form", ["PNG", "WEBP"])  # WebP is not among the formats tried first
def test_a_picture_comes_from_a_pipe(photo: np.ndarray, tmp_path: Path, form: str) -> None:
    pipe, picture = tmp_path / "pipe", io.BytesIO()
    os.mkfifo(pipe)
    Image.fromarray(photo[:24, :32]).save(picture, form)
    writer = threading.Thread(target=pipe.write_bytes, args=(picture.getvalue(),))
    writer.start()
    try:
        data = latentcodec.encode(pipe)
    finally:
        writer.join()
    assert latentcodec.decode(data).size == (32, 24)


@pytest.mark.parametrize("options", [{"region": (20, 0, 100, 24)}, {}], ids=["region", "all"])
def test_of_a_path_no_more_is_read_than_is_needed(
    photo: np.ndarray, tmp_path: Path, options: dict[str, Any]
) -> None:
    """Four tiles in a row, of which the region needs two: the payload of the last is not read."""
    data = latentcodec.encode(np.tile(photo[:24], (1, 5, 1))[:, :3100], quality=60)
    path = tmp_path / "wide.lat"
    path.write_bytes(data[:-40] + bytes([data[-40] ^ 1]) + data[-39:])
    if options:
        assert latentcodec.decode(path, **options).size == (100, 24)
    else:
        with pytest.raises(errors.CorruptChunk):
            latentcodec.decode(path)
