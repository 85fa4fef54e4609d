"""Reading ahead: which thread reads what, and when."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from latentcodec.cli import prefetch
from latentcodec.cli.paths import Task
from latentcodec.cli.prefetch import Prefetcher
from latentcodec.errors import UnsupportedImage
from latentcodec.files import endpoints
from latentcodec.files.capture_warnings import capture_warnings
from latentcodec.images.files import open_image

SIZE = (40, 20)


@pytest.fixture
def tasks(tmp_path: Path) -> list[Task]:
    """Five pictures of 800 pixels, each of its own grey."""
    for number in range(5):
        Image.new("L", SIZE, 50 * number).save(tmp_path / f"{number}.png")
    return [Task(str(tmp_path / f"{number}.png"), f"{number}.lat") for number in range(5)]


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool]]:
    """Names of the files that were read, and whether the job itself did it."""
    done: list[tuple[str, bool]] = []

    def watched(source: Path, strict: bool) -> Image.Image:
        is_job = threading.current_thread() is threading.main_thread()
        done.append((source.name, is_job))
        return open_image(source, strict)

    monkeypatch.setattr(prefetch, "open_image", watched)
    monkeypatch.setattr(endpoints, "open_image", watched)
    return done


def soon(condition: Callable[[], bool]) -> bool:
    """Whether it holds in the end; on the busiest of machines, that is."""
    end = time.monotonic() + 300
    while not condition() and time.monotonic() < end:
        time.sleep(0.005)
    return condition()


def read(images: Prefetcher, task: Task) -> Image.Image:
    return images.read(task.source, False)[0]


def test_pictures_are_there_before_they_are_asked_for(
    tasks: list[Task], reads: list[tuple[str, bool]]
) -> None:
    images = Prefetcher(strict=False)
    with images.reading(task.source for task in tasks):
        assert soon(lambda: len(reads) == 5)
        assert [read(images, task).getpixel((0, 0)) for task in tasks] == [0, 50, 100, 150, 200]
    assert reads == [(f"{number}.png", False) for number in range(5)]


def test_it_waits_for_room(
    tasks: list[Task], reads: list[tuple[str, bool]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prefetch, "_ROOM_PIXELS", 2 * 800)
    images = Prefetcher(strict=False)
    with images.reading(task.source for task in tasks):
        assert soon(lambda: len(reads) == 2)
        time.sleep(0.1)
        assert len(reads) == 2
        read(images, tasks[0])
        assert soon(lambda: len(reads) == 3)
        # Those of 1 and 2 stay where they are: nobody asks for them, and that stops nobody.
        assert read(images, tasks[3]).getpixel((0, 0)) == 150
        assert read(images, tasks[4]).getpixel((0, 0)) == 200
    assert [name for name, _ in reads] == [f"{number}.png" for number in range(5)]


def test_what_waits_for_room_ends_with_the_rest(
    tasks: list[Task], reads: list[tuple[str, bool]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prefetch, "_ROOM_PIXELS", 800)
    images = Prefetcher(strict=False)
    with images.reading(task.source for task in tasks):
        assert soon(lambda: len(reads) == 1)
    assert len(reads) == 1


def test_large_pictures_are_read_by_the_job(
    tasks: list[Task], reads: list[tuple[str, bool]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prefetch, "_ROOM_PIXELS", 799)
    images = Prefetcher(strict=False)
    with images.reading(task.source for task in tasks):
        for task in tasks:
            read(images, task)
    assert reads == [(f"{number}.png", True) for number in range(5)]


def test_what_there_is_to_say_is_said_to_the_job(tmp_path: Path) -> None:
    Image.new("L", SIZE).save(
        tmp_path / "two.gif", save_all=True, append_images=[Image.new("L", SIZE, 255)]
    )
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    two, broken, none = (
        Task(str(tmp_path / name), f"{name}.lat") for name in ("two.gif", "broken.png", "none.png")
    )
    images = Prefetcher(strict=False)
    with images.reading(task.source for task in (two, broken, none)):
        time.sleep(0.1)
        with capture_warnings() as warnings:
            assert read(images, two).size == SIZE
        assert warnings == ["the image has several frames or pages; the first one is kept"]
        with pytest.raises(UnsupportedImage, match=r"broken\.png is not an image"):
            read(images, broken)
        with pytest.raises(FileNotFoundError):
            read(images, none)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="a system without named pipes")
def test_pipes_are_left_to_the_jobs(tmp_path: Path, tasks: list[Task]) -> None:
    """Who opens one to see how large its picture is takes it away from who is to read it."""
    pipe, data = tmp_path / "pipe", Path(tasks[1].source).read_bytes()
    os.mkfifo(pipe)
    images = Prefetcher(strict=False)
    with images.reading([str(pipe), tasks[0].source]):
        assert read(images, tasks[0]).size == SIZE
        writer = threading.Thread(target=pipe.write_bytes, args=(data,))
        writer.start()
        assert images.read(str(pipe), False)[0].getpixel((0, 0)) == 50
        writer.join()
