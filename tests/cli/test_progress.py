"""The bar of a file that takes long, and Ctrl-C while it is refined."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latentcodec.cli.progress import Progress


def _told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], seconds: float
) -> str:
    """What is shown of two files, each of which says so often how far it is."""
    now = [0.0]
    monkeypatch.setattr("latentcodec.cli.progress.time.monotonic", lambda: now[0])
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    shown = Progress(is_shown=True)
    for _ in range(2):
        for share in (0.1, 0.4, 0.7, 1.0):
            shown(share)
            now[0] += seconds
    return capsys.readouterr().err


def test_a_bar_comes_after_two_seconds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _told(monkeypatch, capsys, seconds=0.5) == ""
    bars = _told(monkeypatch, capsys, seconds=1.5)
    assert bars.count("refining") > 2
    assert bars.count("100%") == 2


def test_nothing_is_shown_where_it_is_not_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    Progress(is_shown=False)(0.5)
    assert capsys.readouterr().err == ""


def test_who_is_stopped_ends_when_it_says_so_next() -> None:
    shown = Progress(is_shown=False)
    shown(0.5)
    shown.stop()
    with pytest.raises(KeyboardInterrupt):
        shown(0.6)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT is needed")
@pytest.mark.parametrize("count", [1, 3])
def test_ctrl_c_leaves_nothing_half_written(count: int, photo: np.ndarray, tmp_path: Path) -> None:
    """At effort 9 that takes minutes: it ends at the next update."""
    (tmp_path / "in").mkdir()
    for number in range(count):
        Image.fromarray(photo).save(tmp_path / "in" / f"{number}.png")
    words = ["encode", "-r", str(tmp_path / "in"), "-o", str(tmp_path / "out"), "-e", "9"]
    started = tmp_path / "started"
    code = (
        "import sys, pathlib, signal; from latentcodec.runtime import torch_refinement as t;"
        "from latentcodec.cli import main;"
        # What a shell starts in the background ignores it.
        "signal.signal(signal.SIGINT, signal.default_int_handler);"
        "run = t.Descent.run;"
        f"t.Descent.run = lambda *a: (pathlib.Path({str(started)!r}).touch(), run(*a))[1];"
        f"main({words!r})"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True)
    while not started.exists() and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode != 0
    assert "Traceback" not in said
    assert not list((tmp_path / "out").glob("*"))


@pytest.mark.slow
@pytest.mark.parametrize("line", ["encode a.png -o c.lat", "encode -r photos -o c"])
def test_nobody_need_look(here: Path, line: str) -> None:
    """Where standard error is closed nothing can be shown, and nothing else is the matter."""
    command = f"{sys.executable} -m latentcodec {line} 2>&- >&-"
    assert subprocess.run(command, shell=True, check=False).returncode == 0
    assert Path("c.lat").exists() or list(Path("c").rglob("*.lat"))
