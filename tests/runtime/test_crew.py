"""Tiles beside the transforms: the same results whoever does a task, and all cores afterwards."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch

import latentcodec
from latentcodec.errors import LatError
from latentcodec.runtime.crew import Crew


def test_the_caller_works_along() -> None:
    """Nobody else is there to do the second task while the first waits for it."""
    crew, begun, second_done = Crew(2), threading.Event(), threading.Event()
    who: list[str] = []

    def first() -> int:
        begun.set()
        assert second_done.wait(60)
        return 1

    def second() -> int:
        who.append(threading.current_thread().name)
        second_done.set()
        return 2

    try:
        tasks = [crew.submit(first), crew.submit(second)]
        assert begun.wait(60)
        assert [task.result() for task in tasks] == [1, 2]
    finally:
        crew.leave()
    assert who == [threading.current_thread().name]


def test_a_single_task_is_the_callers() -> None:
    crew, here = Crew(4), threading.current_thread()
    assert crew.submit(threading.current_thread).result() is here
    crew.leave()


def test_what_a_task_raises_is_raised_where_its_result_is_wanted() -> None:
    def broken() -> None:
        raise LatError("broken")

    crew = Crew(2)
    tasks = [crew.submit(broken) for _ in range(3)]
    for task in tasks:
        with pytest.raises(LatError, match="broken"):
            task.result()
    crew.leave()


def test_the_cores_are_the_callers_again() -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        crew, held = Crew(2), threading.Event()
        tasks = [crew.submit(lambda: held.wait(60)) for _ in range(2)]
        assert torch.get_num_threads() == 1
        crew.share()
        assert torch.get_num_threads() == 1
        held.set()
        assert all(task.result() for task in tasks)
        crew.share()
        assert torch.get_num_threads() == 2
        crew.leave()
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_files_and_latents_do_not_depend_on_the_threads(photo: np.ndarray) -> None:
    """Of a picture of 2 x 2 tiles."""
    picture = np.tile(photo, (3, 2, 1))[:1100, :1100]
    files, pictures = [], []
    for threads in (1, 3):
        codec = latentcodec.Codec(model="ae", threads=threads)
        files.append(codec.encode(picture))
        pictures.append(codec.decode_array(files[0]).astype(int))
    assert np.abs(pictures[0] - pictures[1]).max() <= 1
    assert abs(len(files[0]) - len(files[1])) < 0.001 * len(files[0])
