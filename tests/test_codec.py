"""`Codec`: the same files and pixels as `encode` and `decode`, from any thread and in batches."""

from __future__ import annotations

import contextlib
import io
import pickle
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import latentcodec
from latentcodec import Codec, errors
from latentcodec.runtime.base import Family

CROPS = [(0, 0, 48, 64), (100, 300, 40, 33), (200, 50, 17, 80), (300, 400, 64, 64)]


@pytest.fixture(scope="module")
def crops(photo: np.ndarray) -> list[np.ndarray]:
    """Pieces of several sizes, uint8 [H, W, 3]."""
    return [photo[top : top + h, left : left + w] for top, left, h, w in CROPS]


@pytest.fixture(scope="module")
def files(crops: list[np.ndarray]) -> list[bytes]:
    """Each piece as `latentcodec.encode` writes it."""
    return [latentcodec.encode(crop, quality=60) for crop in crops]


@pytest.fixture(scope="module")
def square(photo: np.ndarray) -> np.ndarray:
    """Pieces of one size: uint8 [3, 32, 48, 3]."""
    return np.stack([photo[top : top + 32, 200:248] for top in (0, 100, 200)])


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(latentcodec.decode(data))


def spy(monkeypatch: pytest.MonkeyPatch, seen: Callable[[], object]) -> None:
    """Call `seen` whenever a model analyses or synthesises."""
    for name in ("analyse_strips", "synthesise_strips"):
        method = getattr(Family, name)

        def watched(*arguments: object, method: Callable[..., object] = method) -> object:
            seen()
            return method(*arguments)

        monkeypatch.setattr(Family, name, watched)


def test_it_does_what_the_functions_do(crops: list[np.ndarray], files: list[bytes]) -> None:
    codec = Codec()
    assert [codec.encode(crop, quality=60) for crop in crops] == files
    for data in files:
        assert codec.decode(data).tobytes() == latentcodec.decode(data).tobytes()
    region = (3, 5, 20, 10)
    part = codec.decode(files[0], region=region)
    assert part.tobytes() == latentcodec.decode(files[0], region=region).tobytes()


def test_strict_and_strip_work_as_in_encode(crop: Image.Image) -> None:
    codec = Codec()
    crop.info["xmp"] = b"<x:xmpmeta/>"
    assert "xmp" in codec.decode(codec.encode(crop)).info
    assert "xmp" not in codec.decode(codec.encode(crop, strip=["xmp"])).info
    with pytest.raises(errors.UnsupportedImage):
        codec.encode(crop.convert("CMYK"), strict=True)


@pytest.mark.parametrize("shared", [True, False], ids=["one codec", "one each"])
def test_threads_may_share_it(crops: list[np.ndarray], files: list[bytes], shared: bool) -> None:
    codec = Codec()

    def there_and_back(index: int) -> tuple[bytes, np.ndarray]:
        mine = codec if shared else Codec(threads=1)
        data = mine.encode(crops[index], quality=60)
        return data, mine.decode_array(data)

    order = [0, 1, 2, 3] * 3
    with ThreadPoolExecutor(6) as pool:
        for index, (data, back) in zip(order, pool.map(there_and_back, order), strict=True):
            assert data == files[index]
            assert np.array_equal(back, pixels(files[index]))


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_a_batch_is_the_loop(crops: list[np.ndarray], files: list[bytes], threads: int) -> None:
    codec = Codec(threads=threads)
    mixed: list[Any] = [
        crops[0],
        Image.fromarray(crops[1]),
        torch.tensor(crops[2]).permute(2, 0, 1),
    ]
    assert codec.encode_batch([*mixed, crops[3]], quality=60) == files
    assert codec.encode_batch(iter(crops), quality=60) == files
    backs = codec.decode_array_batch(iter(files))
    assert all(map(np.array_equal, backs, map(pixels, files)))
    assert codec.encode_batch([]) == codec.decode_batch([]) == []


def test_batches_in_one_array_or_tensor(square: np.ndarray) -> None:
    codec = Codec()
    wanted = [codec.encode(one) for one in square]
    assert codec.encode_batch(square) == wanted
    tensor = torch.from_numpy(square).permute(0, 3, 1, 2)
    assert codec.encode_batch(tensor) == wanted
    assert codec.encode_batch(tensor.float() / 255) == wanted
    assert codec.encode_batch(tensor[0]) == wanted[:1]
    greys = [codec.encode(one[:, :, 0]) for one in square]
    assert codec.encode_batch(tensor[:, :1]) == codec.encode_batch(square[..., :1]) == greys


def test_arrays_that_are_no_batch_are_refused(square: np.ndarray) -> None:
    """The rows of one picture would else be taken for grey pictures."""
    for wrong in (square[0], square[..., 0], torch.from_numpy(square), torch.zeros(8, 8)):
        with pytest.raises(errors.UnsupportedImage, match="shape"):
            Codec().encode_batch(wrong)


def test_one_unread_image_may_be_in_a_batch_twice(crops: list[np.ndarray]) -> None:
    buffer = io.BytesIO()
    Image.fromarray(crops[0]).save(buffer, "PNG")
    image = Image.open(buffer)
    assert Codec(threads=4).encode_batch([image] * 4) == [latentcodec.encode(crops[0])] * 4


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "LA"])
def test_arrays_and_tensors_come_back_as_they_went_in(crop: Image.Image, mode: str) -> None:
    image = crop.convert(mode)
    if "A" in mode:
        image.putalpha(Image.linear_gradient("L").resize(image.size))
    codec, array = Codec(), np.asarray(image)
    data = codec.encode(array, quality=95)
    assert codec.decode(data).mode == mode
    back, tensor = codec.decode_array(data), codec.decode_tensor(data)
    assert back.dtype == np.uint8
    assert back.shape == array.shape
    assert np.abs(back.astype(int) - array).mean() < 4
    assert np.array_equal(back, np.asarray(codec.decode(data)))
    assert (tensor.dtype, tensor.is_contiguous()) == (torch.uint8, True)
    assert np.array_equal(tensor.permute(1, 2, 0).numpy(), np.atleast_3d(back))
    assert torch.equal(codec.decode_tensor_batch([data] * 2)[1], tensor)
    part = codec.decode_tensor(data, region=(8, 4, 20, 30))
    assert torch.equal(part, tensor[:, 4:34, 8:28])


def test_what_fails_in_a_batch_is_raised(crops: list[np.ndarray], files: list[bytes]) -> None:
    codec = Codec(threads=2)
    with pytest.raises(errors.UnsupportedImage):
        codec.encode_batch([*crops, np.zeros((2, 2), np.int64)])
    with pytest.raises(ValueError, match="quality"):
        codec.encode_batch(crops, quality=0)
    with pytest.raises(errors.TruncatedFile):
        codec.decode_batch([files[0], files[1][:-1], files[2]])
    assert codec.encode_batch(crops, quality=60) == files


def test_the_pictures_of_a_batch_are_coded_at_the_same_time(
    monkeypatch: pytest.MonkeyPatch, crops: list[np.ndarray], files: list[bytes]
) -> None:
    together = threading.Barrier(2)
    spy(monkeypatch, lambda: together.wait(timeout=300))  # raises if nobody else comes
    codec = Codec(threads=2)
    assert codec.encode_batch(crops, quality=60) == files
    assert len(codec.decode_batch(files)) == 4


@pytest.mark.slow
@pytest.mark.parametrize(
    ("threads", "single", "batch"), [(None, 2, 1), (1, 1, 1), (3, 3, 1), (8, 8, 2)]
)
def test_the_number_of_threads(
    monkeypatch: pytest.MonkeyPatch,
    crops: list[np.ndarray],
    files: list[bytes],
    threads: int | None,
    single: int,
    batch: int,
) -> None:
    """Four pictures at a time share what there is; afterwards it is as before."""
    seen: list[int] = []
    spy(monkeypatch, lambda: seen.append(torch.get_num_threads()))
    usual = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        codec = Codec(threads=threads)
        codec.decode(codec.encode(crops[0]))
        assert set(seen) == {single}
        seen.clear()
        codec.encode_batch(crops)
        codec.decode_batch(files)
        assert set(seen) == {batch}
        assert torch.get_num_threads() == 2
        with ThreadPoolExecutor(1) as pool:  # a thread that begins now
            assert pool.submit(torch.get_num_threads).result() == 2
        with pytest.raises(latentcodec.LatError):
            codec.decode(b"")
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(usual)


@pytest.mark.parametrize("device", ["cuda", "nosuch", "meta"])
def test_a_device_that_is_not_there(device: str) -> None:
    if device == "cuda" and torch.cuda.is_available():
        device = "cuda:99"
    with pytest.raises(latentcodec.LatError, match=f"the device '{device}' cannot be used: "):
        Codec(device=device)


def test_other_arguments_that_are_refused() -> None:
    with pytest.raises(errors.UnknownModel, match="nosuch"):
        Codec(model="nosuch")
    with pytest.raises(ValueError, match="threads"):
        Codec(threads=0)


@pytest.mark.slow
def test_transforms_run_on_their_device(
    monkeypatch: pytest.MonkeyPatch, family: Family, photo: np.ndarray
) -> None:
    """On `meta`, which computes only shapes: a tensor left on the CPU would be an error."""
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: contextlib.nullcontext())
    moved = family.on(torch.device("meta"))
    v_hat = np.zeros((2, 3, family.config.latents), np.int32)
    for transform in (moved.analyse, moved.synthesise):
        piece = photo[:32, :48] if transform == moved.analyse else v_hat
        with pytest.raises(NotImplementedError, match="Cannot copy out of meta tensor"):
            transform(piece, 500)
    family.analyse(photo[:32, :48], 500)  # the first one stayed where it was


def test_a_moved_model_codes_the_same(crops: list[np.ndarray], files: list[bytes]) -> None:
    codec = Codec(device="cpu:0")  # torch takes it for another device than cpu
    assert codec.encode_batch(crops, quality=60) == files
    assert np.array_equal(codec.decode_array(files[0]), pixels(files[0]))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_differs_by_one_grey_level(crops: list[np.ndarray], files: list[bytes]) -> None:
    codec = Codec(device="cuda")
    for data in (*files, *codec.encode_batch(crops, quality=60)):
        difference = codec.decode_array(data).astype(int) - pixels(data)
        assert np.abs(difference).max() <= 1


def test_another_process_may_be_sent_one(crops: list[np.ndarray], files: list[bytes]) -> None:
    codec = pickle.loads(pickle.dumps(Codec(threads=1)))
    assert codec.encode(crops[0], quality=60) == files[0]


def test_it_is_the_codec_of_the_package() -> None:
    assert latentcodec.Codec is sys.modules["latentcodec.codec"].Codec


@pytest.mark.parametrize("threads", [0, 1025, 1.5, "2"])
def test_what_is_no_number_of_threads(threads: Any) -> None:
    with pytest.raises(ValueError, match="whole number from 1 to 1024"):
        Codec(threads=threads)
