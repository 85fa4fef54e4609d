"""Of a batch, what fails says which item it is, and loses nothing else where that is wanted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import latentcodec
from latentcodec import Codec, errors
from latentcodec.format.source import Source


@pytest.fixture(scope="module")
def whole(photo: np.ndarray) -> bytes:
    return latentcodec.encode(photo[:16, :16])


@pytest.mark.parametrize("threads", [1, 2])
def test_the_error_of_a_batch_says_which_item(
    threads: int, whole: bytes, photo: np.ndarray
) -> None:
    codec = Codec(threads=threads)
    with pytest.raises(errors.LatError) as caught:
        codec.decode_batch([whole, whole[:-3], whole])
    assert caught.value.index == 1
    with pytest.raises(errors.UnsupportedImage) as refused:
        codec.encode_batch([photo[:16, :16], photo[:16, :16], np.zeros((2, 2), np.int64)])
    assert refused.value.index == 2


@pytest.mark.parametrize("threads", [1, 2])
def test_so_does_an_error_that_is_not_of_this_package(
    threads: int, whole: bytes, photo: np.ndarray, tmp_path: Path
) -> None:
    codec, missing = Codec(threads=threads), tmp_path / "missing"
    pictures: list[Any] = [photo[:16, :16], missing]
    for batch in (
        lambda: codec.decode_batch([whole, missing]),
        lambda: codec.decode_array_batch([whole, missing]),
        lambda: codec.decode_tensor_batch([whole, missing]),
        lambda: codec.encode_batch(pictures),
    ):
        with pytest.raises(FileNotFoundError) as caught:
            batch()
        assert vars(caught.value)["index"] == 1


@pytest.mark.parametrize("threads", [1, 2])
def test_errors_of_pictures_are_returned_in_their_place(
    threads: int, whole: bytes, photo: np.ndarray, tmp_path: Path
) -> None:
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    cmyk = Image.fromarray(photo[:16, :16]).convert("CMYK")
    images: list[Any] = [
        *(tmp_path / "missing.png", photo[:16, :16], tmp_path / "broken.png", cmyk),
        *(3, photo[:16, :16], "null\0byte.png"),
    ]
    found = Codec(threads=threads).encode_batch(images, strict=True, errors="return")
    kinds = FileNotFoundError, bytes, errors.UnsupportedImage, errors.UnsupportedImage, ValueError
    assert [type(one) for one in found] == [*kinds, bytes, OSError]
    assert found[1] == found[5] == whole
    failed = [0, 2, 3, 4, 6]
    assert [vars(found[place])["index"] for place in failed] == failed
    assert all(one.__traceback__ is None for one in found if isinstance(one, Exception))


def test_errors_of_files_are_returned_in_their_place(whole: bytes, tmp_path: Path) -> None:
    codec = Codec(threads=2)
    sources: list[Source] = [whole, whole[:-3], tmp_path / "missing.lat", whole]
    kinds = [errors.TruncatedFile, FileNotFoundError]
    ways: list[tuple[Any, type]] = [
        (codec.decode_batch, Image.Image),
        (codec.decode_array_batch, np.ndarray),
        (codec.decode_tensor_batch, torch.Tensor),
    ]
    for decode, kind in ways:
        found = decode(sources, errors="return")
        assert [type(one) for one in found] == [kind, *kinds, kind]
    outside = codec.decode_batch([whole], region=(8, 8, 16, 16), errors="return")
    assert isinstance(outside[0], ValueError)


def test_wrong_options_end_a_batch_before_it_begins(whole: bytes, photo: np.ndarray) -> None:
    codec = Codec()
    with pytest.raises(ValueError, match="errors must be raise or return"):
        codec.decode_batch([whole], errors="ignore")  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="quality"):
        codec.encode_batch([photo], quality=0, errors="return")
