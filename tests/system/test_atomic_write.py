"""Output files appear whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from latentcodec.system.atomic_write import write_file


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A path in an otherwise empty folder."""
    return tmp_path / "out.lat"


@pytest.fixture
def umask_077() -> Iterator[None]:
    old = os.umask(0o077)
    yield
    os.umask(old)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def permissions(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_file_holds_the_data_and_nothing_lies_beside_it(target: Path) -> None:
    write_file(target, b"data")
    assert target.read_bytes() == b"data"
    assert names(target.parent) == ["out.lat"]


def test_an_existing_file_is_replaced_not_written_into(target: Path) -> None:
    target.write_bytes(b"the old contents, which are longer")
    with target.open("rb") as reader:
        write_file(target, b"new")
        assert reader.read() == b"the old contents, which are longer"
    assert target.read_bytes() == b"new"


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
def test_permissions_of_an_existing_file_are_kept(target: Path, mode: int) -> None:
    target.write_bytes(b"old")
    target.chmod(mode)
    write_file(target, b"new")
    assert permissions(target) == mode


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no such device here")
def test_a_full_device_is_named() -> None:
    with pytest.raises(OSError, match="/dev/full"):
        write_file(Path("/dev/full"), b"data")


def test_a_new_file_has_the_permissions_of_any_new_file(target: Path) -> None:
    ordinary = target.with_name("ordinary")
    ordinary.write_bytes(b"")
    write_file(target, b"data")
    assert permissions(target) == permissions(ordinary)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives away")
def test_the_owner_of_an_existing_file_is_kept(target: Path) -> None:
    target.write_bytes(b"old")
    os.chown(target, 65534, 65534)
    write_file(target, b"new")
    assert (target.stat().st_uid, target.stat().st_gid) == (65534, 65534)
    assert target.read_bytes() == b"new"


def test_nobody_else_reads_what_replaces_a_private_file(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even for the moment before it is renamed."""
    target.write_bytes(b"old")
    target.chmod(0o600)
    seen = []
    opened = os.open

    def watch(path: Path, flags: int, mode: int) -> int:
        handle = opened(path, flags, mode)
        seen.append(permissions(Path(path)))
        return handle

    monkeypatch.setattr(os, "open", watch)
    write_file(target, b"new")
    assert seen == [0o600]


def test_the_umask_holds(target: Path, umask_077: None) -> None:
    write_file(target, b"data")
    assert permissions(target) == 0o600


def test_systems_without_fchmod_can_write(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "fchmod", raising=False)  # Windows has it since Python 3.13
    write_file(target, b"data")
    assert target.read_bytes() == b"data"


def test_a_link_that_leads_to_no_end_is_refused_and_stays(tmp_path: Path) -> None:
    loop = tmp_path / "loop.lat"
    loop.symlink_to(loop)
    with pytest.raises(OSError, match="loop") as caught:
        write_file(loop, b"data")
    assert caught.value.errno == errno.ELOOP
    assert loop.is_symlink()
    assert names(tmp_path) == ["loop.lat"]


def test_a_link_stays_and_the_file_behind_it_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    real, link = tmp_path / "folder" / "real.lat", tmp_path / "link.lat"
    real.write_bytes(b"old")
    link.symlink_to(Path("folder") / "real.lat")
    write_file(link, b"new")
    assert link.is_symlink()
    assert os.readlink(link) == os.path.join("folder", "real.lat")  # noqa: PTH115, PTH118
    assert real.read_bytes() == b"new"


def test_a_link_to_nothing_makes_the_file_it_points_to(tmp_path: Path) -> None:
    link = tmp_path / "link.lat"
    link.symlink_to("real.lat")
    write_file(link, b"new")
    assert link.is_symlink()
    assert (tmp_path / "real.lat").read_bytes() == b"new"


@pytest.mark.parametrize("length", [255, 250, 40, 1])
def test_the_longest_names_work(tmp_path: Path, length: int) -> None:
    path = tmp_path / ("n" * length)
    write_file(path, b"data")
    assert path.read_bytes() == b"data"


def test_names_of_long_characters_work(tmp_path: Path) -> None:
    path = tmp_path / ("\N{CAMERA}" * 60)  # 240 bytes
    write_file(path, b"data")
    assert names(tmp_path) == [path.name]


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failure_leaves_everything_as_it_was(
    target: Path, monkeypatch: pytest.MonkeyPatch, step: str, failure: BaseException
) -> None:
    target.write_bytes(b"old")

    def fail(*arguments: object) -> None:
        raise failure

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(type(failure)) as caught:
        write_file(target, b"new")
    assert target.read_bytes() == b"old"
    assert names(target.parent) == ["out.lat"]
    if isinstance(caught.value, OSError):  # and the message is about the file asked for
        assert (caught.value.errno, caught.value.filename) == (28, str(target))


def test_a_missing_folder_is_named_by_the_file_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "out.lat"
    with pytest.raises(FileNotFoundError) as caught:
        write_file(path, b"data")
    assert caught.value.filename == str(path)
    assert names(tmp_path) == []


def test_a_folder_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError):
        write_file(tmp_path / "folder", b"data")
    assert names(tmp_path) == ["folder"]


def test_a_read_only_file_is_not_replaced(ordinary_user: Path) -> None:
    """Though the folder would allow it: whoever made it read-only meant it."""
    path = ordinary_user / "old.lat"
    path.write_bytes(b"old")
    path.chmod(0o444)
    with pytest.raises(PermissionError) as caught:
        write_file(path, b"new")
    assert caught.value.filename == str(path)
    assert path.read_bytes() == b"old"
    assert names(ordinary_user) == ["old.lat"]


def test_a_read_only_folder_is_an_error(ordinary_user: Path) -> None:
    ordinary_user.chmod(0o555)
    with pytest.raises(PermissionError) as caught:
        write_file(ordinary_user / "out.lat", b"data")
    assert caught.value.filename == str(ordinary_user / "out.lat")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the devices of Linux are needed")
def test_devices_are_written_to_and_stay_devices() -> None:
    write_file(Path("/dev/null"), b"data")
    with pytest.raises(OSError, match="No space"):
        write_file(Path("/dev/full"), b"data")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)  # noqa: PTH116
    assert stat.S_ISCHR(os.stat("/dev/full").st_mode)  # noqa: PTH116


def test_a_pipe_receives_the_data(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_file(pipe, b"data")
        assert os.read(reader, 10) == b"data"
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
