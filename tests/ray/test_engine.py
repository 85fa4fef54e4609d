"""`--engine ray` on a cluster of two nodes: files, workers and whole jobs that break."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import latentcodec
from latentcodec.cli.paths import Task
from latentcodec.files.result import FileResult
from tests.command_line import call

pytest.importorskip("ray", reason="needs latentcodec[ray]")

from latentcodec.cli.ray_engine import results

MODEL = "ae"  # the quickest
FILES = 200
_PATIENCE_S = 300  # for what must happen, on a machine that is busy

pytestmark = pytest.mark.slow
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


def until(happens: Callable[[], object]) -> None:
    """Wait for something, and fail where it never happens."""
    end = time.monotonic() + _PATIENCE_S
    while not happens():
        assert time.monotonic() < end, "it does not happen"
        time.sleep(0.02)


def workers_of(cluster: Any) -> list[int]:
    """The workers of both nodes, by what Ray has their processes called."""
    raylets = [
        info.process.pid
        for node in cluster.list_all_nodes()
        for info in node.all_processes["raylet"]
    ]
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int(re.search(r"^PPid:\t(\d+)", (folder / "status").read_text(), re.M)[1])  # type: ignore[index]
            name = (folder / "cmdline").read_text()
        except OSError:  # it has ended
            continue
        if parent in raylets and name.startswith("ray::Worker"):
            found.append(int(folder.name))
    return found


@pytest.fixture
def many(tmp_path: Path, photo: np.ndarray) -> Path:
    """A folder of 200 pictures in two folders, and two that are broken."""
    root = tmp_path / "in"
    (root / "more").mkdir(parents=True)
    for number in range(FILES):
        image = Image.fromarray(photo[number : number + 16, : 16 + number % 7])
        image.save((root / "more" if number % 2 else root) / f"{number:03}.png")
    (root / "broken.png").write_bytes(b"no picture")
    (root / "more/cut.png").write_bytes((root / "000.png").read_bytes()[:-40])
    return root


def command(source: Path, target: Path, cluster: Any, *more: str) -> list[str]:
    # Ctrl-C is ignored by what was started in the background, unless it is asked for.
    start = ["env", "--default-signal=INT", sys.executable, "-m", "latentcodec", "encode"]
    engine = ["--engine", "ray", "--address", cluster.address]
    return [*start, "-r", str(source), "-o", str(target), "--model", MODEL, *engine, *more]


def encoded(folder: Path) -> list[Path]:
    return list(folder.rglob("*.lat"))


@on_linux
def test_nothing_is_lost_and_nothing_done_by_halves(
    cluster: Any, many: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    job = subprocess.Popen(command(many, out, cluster), stdout=subprocess.DEVNULL)
    try:
        until(lambda: len(encoded(out)) > 20 or job.poll() is not None)
        os.kill(workers_of(cluster)[0], signal.SIGKILL)
        until(lambda: len(encoded(out)) > 40 or job.poll() is not None)
        job.send_signal(signal.SIGINT)
        assert job.wait(_PATIENCE_S) == 130
    finally:
        job.kill()
    until(lambda: not workers_of(cluster))
    before = {path: path.stat().st_mtime_ns for path in encoded(out)}
    assert 40 < len(before) < FILES
    for path in before:
        latentcodec.read_info(path)  # checks it as a whole

    again = subprocess.run(
        command(many, out, cluster, "--skip-existing", "--quiet"), capture_output=True, text=True
    )
    assert again.returncode == 1
    lines = again.stderr.splitlines()
    assert lines[0] == f"Error: 2 of {FILES + 2} files failed:"
    assert [line.split()[0] for line in lines[1:]] == [
        str(many / "broken.png"),
        str(many / "more/cut.png"),
    ]
    # The one that was killed may have left a file that was to replace nothing: docs/reliability.md.
    assert len(encoded(out)) == FILES
    assert len(list(out.rglob("*.tmp"))) <= 1
    assert all(path.stat().st_mtime_ns == when for path, when in before.items())
    for number in (0, 1, FILES - 1):
        name = f"{'more/' if number % 2 else ''}{number:03}"
        expected = latentcodec.encode(many / f"{name}.png", model=MODEL)
        assert (out / f"{name}.lat").read_bytes() == expected


def test_it_says_what_the_local_pool_says(cluster: Any, pictures: Path, tmp_path: Path) -> None:
    def said(*more: str) -> tuple[int, str, str]:
        shared = ["--model", MODEL, "--strip", "exif"]
        result = call("encode", "-r", pictures, "-o", tmp_path / "out", *shared, *more)
        summary = re.sub(r", [\d.]+ MP/s in [\d.]+ s", "", result.stdout)
        return result.exit_code, summary, result.stderr

    local = said()
    assert said("--engine", "ray", "--address", cluster.address) == local
    assert local[0] == 1 and "13 files: 12 written, 1 failed" in local[1]


@pytest.fixture
def tasks() -> list[Task]:
    return [Task(f"{number}.png", f"{number}.lat") for number in range(6)]


def test_a_file_that_kills_its_worker_fails_alone(cluster: Any, tasks: list[Task]) -> None:
    def convert(task: Task) -> FileResult:
        if task.source == "2.png":
            os._exit(1)
        return FileResult(task.source, task.target, "written")

    ended = list(results(tasks, convert, address=cluster.address))
    assert [result.source for result in ended] == [task.source for task in tasks]
    assert [result.error for result in ended] == [
        None,
        None,
        "its worker died 3 times, which too little memory may cause",
        *[None] * 3,
    ]


def test_workers_are_on_both_nodes_with_one_thread(
    cluster: Any, tasks: list[Task], tmp_path: Path
) -> None:
    def convert(task: Task) -> FileResult:
        import ray
        import torch

        node = ray.get_runtime_context().get_node_id()
        (tmp_path / node).touch()
        while len(list(tmp_path.iterdir())) < 2:  # nobody takes a second one before
            time.sleep(0.02)
        return FileResult(task.source, node, "written", width_px=torch.get_num_threads())

    ended = list(results(tasks, convert, address=cluster.address))
    assert {result.width_px for result in ended} == {1}
    assert len({result.target for result in ended}) == 2


def test_mistakes_of_the_program_are_not_taken_for_bad_files(
    cluster: Any, tasks: list[Task]
) -> None:
    def convert(task: Task) -> FileResult:
        raise ZeroDivisionError("a mistake")

    with pytest.raises(ZeroDivisionError, match="a mistake"):
        list(results(tasks, convert, address=cluster.address))


def test_no_cluster_is_one_sentence(here: Path) -> None:
    result = call("encode", "-r", "photos", "-o", "out", "--engine", "ray", "--address", "nowhere")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: Ray cannot be reached at nowhere: ")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--workers", "2"], "--workers has no meaning with --engine local"),
        (["--address", "auto"], "--address has no meaning with --engine local"),
        (["--engine", "ray", "--jobs", "2"], "--jobs has no meaning with --engine ray"),
        (["--engine", "ray", "-"], "workers on Ray read and write files, and not -"),
    ],
)
def test_options_that_cannot_be_meant(here: Path, options: list[str], said: str) -> None:
    source = [] if options[-1] == "-" else ["a.png"]
    result = call("encode", *source, *options)
    assert result.exit_code == 2
    assert said in result.stderr
