"""Training data: shards with .lat members, in one process and in workers."""

from __future__ import annotations

import io
import multiprocessing
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

import latentcodec
from latentcodec.errors import LatError, LossWarning
from latentcodec.storage import remote
from latentcodec.storage.shards import samples
from latentcodec.torch import LatDataset, LatDecoder, Mode, _reader


def write_shard(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, data in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return path


@pytest.fixture(scope="module")
def pictures(photo: np.ndarray) -> list[bytes]:
    """Six files of 48 x 32 px."""
    return [
        latentcodec.encode(photo[40 * number : 40 * number + 32, 300:348]) for number in range(6)
    ]


@pytest.fixture
def shards(tmp_path: Path, pictures: list[bytes]) -> list[Path]:
    """Three shards of two samples."""
    return [
        write_shard(
            tmp_path / f"{shard}.tar",
            {
                f"a/{number}.{extension}": data
                for number in (2 * shard, 2 * shard + 1)
                for extension, data in (("lat", pictures[number]), ("cls", b"%d" % number))
            },
        )
        for shard in range(3)
    ]


def test_samples_are_what_stands_together(tmp_path: Path) -> None:
    names = ["a/1.lat", "a/1.cls", "readme", "b/1.lat", "b/1.seg.PNG", "c.d/2.lat"]
    shard = write_shard(tmp_path / "s.tar", {name: name.encode() for name in names})
    assert list(samples(str(shard))) == [
        ("a/1", {"lat": b"a/1.lat", "cls": b"a/1.cls"}),
        ("b/1", {"lat": b"b/1.lat", "seg.png": b"b/1.seg.PNG"}),
        ("c.d/2", {"lat": b"c.d/2.lat"}),
    ]
    for name, content in (("cut.tar", shard.read_bytes()[:1538]), ("none.tar", b"no archive")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(LatError, match=f"{name} is a damaged shard"):
            list(samples(str(tmp_path / name)))


@pytest.mark.parametrize("scale", [1, 2, 4, 8])
def test_pictures_are_decoded_to_a_scale(
    shards: list[Path], pictures: list[bytes], scale: int
) -> None:
    found = list(LatDataset(shards, scale=scale))
    assert [sample["__key__"] for sample in found] == [f"a/{number}" for number in range(6)]
    assert [sample["cls"] for sample in found] == [b"%d" % number for number in range(6)]
    assert found[2]["__url__"] == str(shards[1])
    for sample, data in zip(found, pictures, strict=True):
        whole = latentcodec.decode_tensor(data, scale=scale)
        assert torch.equal(sample["lat"], whole)
        assert sample["lat"].shape == (3, 32 // scale, 48 // scale)


def test_all_pictures_have_the_same_channels(tmp_path: Path, photo: np.ndarray) -> None:
    grey = latentcodec.encode(photo[:32, :32, 0])
    clear = latentcodec.encode(np.dstack([photo[:32, :32], photo[:32, :32, :1]]))
    shard = write_shard(tmp_path / "s.tar", {"1.lat": grey, "2.lat": clear})
    modes: list[tuple[Mode | None, list[int]]] = [("RGB", [3, 3]), ("L", [1, 1]), (None, [1, 4])]
    for mode, channels in modes:
        data = LatDataset([shard], mode=mode, transform=lambda picture: picture.float() / 255)
        tensors = [sample["lat"] for sample in data]
        assert [tensor.shape[0] for tensor in tensors] == channels
        assert all(tensor.dtype == torch.float32 for tensor in tensors)


def test_broken_pictures(tmp_path: Path, pictures: list[bytes]) -> None:
    members = {"1.lat": pictures[0], "2.lat": pictures[1][:-9], "3.lat": pictures[2]}
    shard = write_shard(tmp_path / "s.tar", members)
    with pytest.raises(LatError, match=r"s\.tar: 2: the file ends"):
        list(LatDataset([shard]))
    with pytest.warns(LossWarning, match=r"2 is left out"):
        keys = [sample["__key__"] for sample in LatDataset([shard], errors="skip")]
    assert keys == ["1", "3"]
    wrong: list[dict[str, Any]] = [{"shards": [shard], "errors": "none"}, {"shards": []}]
    for arguments in wrong:
        with pytest.raises(ValueError):
            LatDataset(**arguments)


def test_processes_have_shards_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _reader() == (0, 1)
    distributed = torch.distributed
    monkeypatch.setattr(distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(distributed, "get_rank", lambda: 2)
    monkeypatch.setattr(distributed, "get_world_size", lambda: 3)
    assert _reader() == (2, 3)

    class Worker:
        id, num_workers = 1, 4

    monkeypatch.setattr("latentcodec.torch.get_worker_info", Worker)
    assert _reader() == (9, 12)


def test_shards_by_url(shards: list[Path]) -> None:
    pytest.importorskip("fsspec", reason="the extra `remote` is not installed")
    remote.write("memory://shards/0.tar", shards[0].read_bytes())
    keys = [sample["__key__"] for sample in LatDataset(["memory://shards/0.tar"], scale=8)]
    assert keys == ["a/0", "a/1"]
    with pytest.raises(FileNotFoundError):
        list(LatDataset(["memory://shards/1.tar"]))


def test_webdataset_decodes_with_it(shards: list[Path], pictures: list[bytes]) -> None:
    wds = pytest.importorskip("webdataset", reason="the extra `dev` is not installed")
    data = wds.WebDataset([str(shard) for shard in shards], shardshuffle=False)
    found = list(data.decode(LatDecoder(scale=2)).to_tuple("lat", "cls"))
    assert [label for _, label in found] == list(range(6))
    for (tensor, _), file in zip(found, pictures, strict=True):
        assert torch.equal(tensor, latentcodec.decode_tensor(file, scale=2))


_SCRIPT = """
import sys
import torch
from torch.utils.data import DataLoader
import latentcodec
from latentcodec.torch import LatDataset

if __name__ == "__main__":
    start, *shards = sys.argv[1:]
    # What a forked worker must not wait for: threads of OpenMP that stay behind.
    torch.set_num_threads(2)
    whole = {s["__key__"]: s["lat"] for s in LatDataset(shards)}
    assert torch.nn.Conv2d(16, 64, 3)(torch.zeros(1, 16, 256, 256)).shape[1] == 64
    data = LatDataset(shards, scale=1)
    loader = DataLoader(
        data, batch_size=None, num_workers=2, multiprocessing_context=start, timeout=100
    )
    for epoch in range(2):
        found = [(s["__key__"], s["lat"]) for s in loader]
        assert sorted(key for key, _ in found) == sorted(whole), found
        assert all(torch.equal(picture, whole[key]) for key, picture in found)
    print("done")
"""


@pytest.mark.slow
@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_workers_read_all_of_it_once(start: str, shards: list[Path], tmp_path: Path) -> None:
    if start not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this system has no {start}")
    script = tmp_path / "script.py"
    script.write_text(_SCRIPT)
    command = [sys.executable, str(script), start, *map(str, shards)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert result.stdout == "done\n", result.stderr


def test_batches(shards: list[Path]) -> None:
    loader = DataLoader(LatDataset(shards, scale=4), batch_size=3)
    batch, _ = loader
    assert batch["lat"].shape == (3, 3, 8, 12)
    assert batch["__key__"] == ["a/0", "a/1", "a/2"]
