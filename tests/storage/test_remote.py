"""Files by URL: read whole or in ranges, written whole or not at all."""

from __future__ import annotations

import itertools
import re
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pytest

import latentcodec
from latentcodec.errors import LatError
from latentcodec.storage import names, remote

fsspec = pytest.importorskip("fsspec", reason="the extra `remote` is not installed")
MemoryFileSystem = pytest.importorskip("fsspec.implementations.memory").MemoryFileSystem

pytestmark = pytest.mark.usefixtures("memory")


def test_what_is_a_url() -> None:
    urls = ("s3://bucket/a.png", "memory://a", "file:///a", "zip://a.png::s3://b/c.zip")
    for url in (*urls, "simplecache::s3://bucket/a.png"):
        assert names.is_url(url), url
    for path in (
        "a.png",
        "/a/b.png",
        "C:/a.png",
        "C:\\a.png",
        "a:b.png",
        "ab::c.png",
        "x//y",
        b"s3://a",
    ):
        assert not names.is_url(path), path


def test_names() -> None:
    assert names.suffix_of("s3://b.c/d.e/F.PNG") == ".png"
    assert names.suffix_of("s3://b.c/d.e/f") == ""
    assert names.with_suffix("s3://b/c.d/e.png", ".lat") == "s3://b/c.d/e.lat"
    assert names.with_suffix("c.d/e", ".lat") == str(Path("c.d/e.lat"))
    assert names.join("s3://b/c/", PurePosixPath("d/e.png")) == "s3://b/c/d/e.png"
    assert names.base_name("s3://b/c/") == "c"
    assert names.is_folder_name("memory://a/") and not names.is_folder_name("memory://a")


def test_written_files_are_read(tmp_path: Path) -> None:
    for root in ("memory://", f"file://{tmp_path}"):
        remote.write(f"{root}/a/b/c.bin", b"first")
        remote.write(f"{root}/a/b/c.bin", b"second")
        remote.write(f"{root}/a/d.bin", b"third")
        assert remote.read(f"{root}/a/b/c.bin") == b"second"
        below = [PurePosixPath("b/c.bin"), PurePosixPath("d.bin")]
        assert remote.files_below(f"{root}/a") == remote.files_below(f"{root}/a/") == below
        assert remote.is_folder(f"{root}/a") and not remote.is_folder(f"{root}/a/d.bin")
        wanted = [f"{root}/a/{name}" for name in ("b/c.bin", "d.bin", "none", "no/folder")]
        assert remote.existing(wanted) == set(wanted[:2])
        many = [f"{root}/a/{number}" for number in range(100)]
        assert remote.existing([*many, *wanted]) == set(wanted[:2])
    assert (tmp_path / "a/d.bin").read_bytes() == b"third"


def test_what_fails_leaves_the_older_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a store renames, under any name but the temporary one."""
    url = f"file://{tmp_path}/a.lat"
    remote.write(url, b"older")
    files = fsspec.filesystem("file")
    whole = type(files).pipe_file

    def broken(self: Any, path: str, value: bytes, **rest: Any) -> None:
        whole(self, path, value[:3], **rest)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(files), "pipe_file", broken)
    with pytest.raises(LatError, match="No space left"):
        remote.write(url, b"newer")
    assert [path.name for path in tmp_path.iterdir()] == ["a.lat"]
    assert (tmp_path / "a.lat").read_bytes() == b"older"


def test_errors_are_one_sentence_with_the_url() -> None:
    with pytest.raises(FileNotFoundError) as missing:
        remote.read("memory://none.png")
    assert missing.value.filename == "memory://none.png"
    with pytest.raises(LatError, match=r"^nonsense://a: .*rotocol"):
        remote.read("nonsense://a")


class Counted:
    """The requests for contents that a file system was asked for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, kind: Any = MemoryFileSystem) -> None:
        self.ranges: list[tuple[int | None, int | None]] = []
        usual = kind.cat_file

        def counted(fs: Any, path: str, start: Any = None, end: Any = None, **rest: Any) -> Any:
            self.ranges.append((start, end))
            return usual(fs, path, start=start, end=end, **rest)

        monkeypatch.setattr(kind, "cat_file", counted)

    @property
    def bytes(self) -> int:
        return sum((end or 0) - (start or 0) for start, end in self.ranges)


@pytest.fixture(scope="module")
def wide(photo: np.ndarray) -> bytes:
    """A file of twelve tiles side by side."""
    return latentcodec.encode(np.tile(photo[:128], (1, 16, 1)), quality=95)


def test_a_region_reads_its_ranges_only(wide: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    remote.write("memory://wide.lat", wide)
    tile = len(wide) // 12
    assert tile > 8192  # or else reading ahead reads it all
    counted = Counted(monkeypatch)
    region = (5 * 1024 + 10, 5, 100, 50)
    part = latentcodec.decode_array("memory://wide.lat", region=region)
    assert np.array_equal(part, latentcodec.decode_array(wide, region=region))
    # Its tile and the neighbours, and of the other nine no more than is read with their lengths.
    assert counted.bytes < 3.2 * tile + 10 * 4096
    assert counted.bytes < len(wide) / 1.5
    ranges = sorted((start or 0, end or 0) for start, end in counted.ranges)
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(ranges))


@pytest.mark.slow
def test_ranges_are_asked_of_s3(wide: bytes, s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As GET requests with a Range; a whole file is one without."""
    import s3fs

    remote.write(f"{s3}/wide.lat", wide)
    ranges: list[str | None] = []
    usual = s3fs.S3FileSystem._call_s3

    def counted(fs: Any, method: str, *rest: Any, **options: Any) -> Any:
        if method == "get_object":
            ranges.append(options.get("Range"))
        return usual(fs, method, *rest, **options)

    monkeypatch.setattr(s3fs.S3FileSystem, "_call_s3", counted)
    region = (5 * 1024 + 10, 5, 100, 50)
    part = latentcodec.decode_array(f"{s3}/wide.lat", region=region)
    assert np.array_equal(part, latentcodec.decode_array(wide, region=region))
    ends = [re.fullmatch(r"bytes=(\d+)-(\d+)", str(one)) for one in ranges]
    assert sum(int(end[2]) - int(end[1]) + 1 for end in ends if end) < len(wide) / 1.5
    assert all(ends) and len(ends) < 2 * 12
    ranges.clear()
    assert latentcodec.decode(f"{s3}/wide.lat", scale=8).size == (768 * 2, 16)
    assert ranges == [None]


def test_whole_files_are_one_request(wide: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """At any scale: every tile is needed."""
    remote.write("memory://wide.lat", wide)
    counted = Counted(monkeypatch)
    small = latentcodec.decode_array("memory://wide.lat", scale=8)
    assert small.shape == (16, 768 * 2, 3)
    assert counted.ranges == [(None, None)]
    assert latentcodec.read_info("memory://wide.lat").tiles == 12


def test_pictures_are_encoded_from_urls(folder: Path) -> None:
    remote.write("memory://photo.png", (folder / "photo.png").read_bytes())
    data = latentcodec.encode("memory://photo.png", quality=40)
    assert data == (folder / "photo.lat").read_bytes()


def test_a_stream_reads_no_byte_twice() -> None:
    data = bytes(range(256)) * 40
    remote.write("memory://a", data)
    stream = remote.RemoteStream("memory://a", ahead=100)
    asked: list[tuple[int, int]] = []
    usual = stream._fs.cat_file

    class Watched:
        def cat_file(self, path: str, start: int, end: int) -> bytes:
            asked.append((start, end))
            return usual(path, start=start, end=end)

    stream._fs = Watched()
    random = np.random.default_rng(1)
    for _ in range(300):
        start, size = int(random.integers(0, 10300)), int(random.integers(0, 400))
        stream.seek(start)
        assert stream.read(size) == data[start : start + size]
        assert stream.tell() == min(start + size, len(data)) or start > len(data)
    asked.sort()
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(asked))
