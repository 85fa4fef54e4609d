"""The benchmark: real files, resumption, and the command from end to end."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result
from PIL import Image

from tests.paths import KODAK, ROOT

pytest.importorskip("scipy", reason="the extra `bench` is not installed")
pytest.importorskip("matplotlib", reason="the extra `bench` is not installed")
pytest.importorskip("pytorch_msssim", reason="the extra `bench` is not installed")
pytest.importorskip("ssimulacra2", reason="the extra `bench` is not installed")

from latentcodec.bench.metrics import mean_squared_error, psnr_db
from latentcodec.bench.progress import Progress
from latentcodec.bench.rows import Row, TimeRow, line_of, read_rows, write_rows
from latentcodec.bench.run import measure_file, spread, workers
from latentcodec.errors import LatError
from latentcodec.runtime.precision import VARIABLE
from tests.command_line import call

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two crops of photographs, 192x176 px, one of them with metadata that must not count."""
    folder = tmp_path_factory.mktemp("bench") / "photos"
    folder.mkdir()
    for name in ("kodim05", "kodim23"):
        with Image.open(KODAK / f"{name}.png") as image:
            crop = image.crop((250, 60, 442, 236))
            exif = Image.Exif()
            exif[0x010E] = "a long description " * 50
            crop.save(folder / f"{name}.png", exif=exif)
    return folder


def bench(*arguments: object) -> Result:
    return call("bench", *arguments)


@pytest.fixture(scope="module")
def finished(photos: Path) -> tuple[Path, Result]:
    """The folder and output of a run of three codecs."""
    out = photos.parent / "out"
    curves = ROOT / "benchmarks/reference/kodak_rd.json"
    run = bench(
        *(photos, "--out", out, "--codecs", "lat,jpeg,webp,lat:nope", "--points", "3"),
        *("--timed-images", "1", "--runs", "3", "--jobs", "2", "--sliders", "1"),
        *("--published", curves, "--published-names", "ELIC"),
    )
    assert run.exit_code == 0, run.output
    return out, run


def test_rows_are_measured_in_float32_and_times_as_it_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """So that rows do not depend on the processor."""
    monkeypatch.delenv(VARIABLE, raising=False)
    with workers(1, threads=1) as rows, workers(1) as times:
        assert rows.submit(os.getenv, VARIABLE).result() == "float32"
        assert times.submit(os.getenv, VARIABLE).result() is None


def test_sizes_are_those_of_real_files(finished: tuple[Path, Result], photos: Path) -> None:
    rows = [row for row in read_rows(Row, finished[0] / "rd.csv") if row.codec == "jpeg"]
    assert [(row.image, row.setting) for row in rows] == [
        (image, setting) for image in ("kodim05.png", "kodim23.png") for setting in (5, 40, 96)
    ]
    for row in rows:
        path = finished[0] / "again.jpg"
        pixels = np.asarray(Image.open(photos / row.image).convert("RGB"))
        Image.fromarray(pixels).save(
            path, quality=int(row.setting), subsampling="4:2:0", optimize=True, progressive=True
        )
        assert row.bytes == path.stat().st_size
        assert row.bpp == pytest.approx(8 * row.bytes / (192 * 176), abs=1e-6)
        again = mean_squared_error(pixels, np.asarray(Image.open(path)))
        assert row.psnr == pytest.approx(psnr_db(again), abs=1e-5)


def test_writes_every_kind_of_result(finished: tuple[Path, Result]) -> None:
    out, run = finished
    assert {path.name for path in out.iterdir()} >= {
        *("rd.csv", "times.csv", "results.json", "summary.md", "report.html"),
        *("complexity.png", "complexity.svg"),
        *(f"{name}.png" for name in ("psnr", "psnr_y", "ms_ssim_db", "ssimulacra2")),
        *(f"{name}.svg" for name in ("psnr", "psnr_y", "ms_ssim_db", "ssimulacra2")),
    }
    assert "JPEG, 4:2:0, optimised, progressive" in run.stdout
    assert "lat:nope is skipped: there is no model 'nope'" in run.stderr
    assert "sizes and quality: 18 of 18 files in" in run.stderr
    facts = json.loads((out / "results.json").read_text(encoding="utf-8"))
    assert facts["run"]["images"] == {"folder": "photos", "count": 2}
    assert facts["run"]["settings"]["jpeg"] == [5, 40, 96]
    assert facts["run"]["versions"]["webp"].startswith("Pillow ")
    assert "nope" in facts["run"]["skipped"]["lat:nope"]
    assert {"machine", "commit", "date", "command", "times"} <= set(facts["run"])
    own = facts["codecs"]["lat"]["against_jpeg"]["psnr"]
    assert own["bd_rate_of_mean_curve_percent"] < 0
    assert facts["run"]["decoder_kmac_per_pixel"]["lat"] > 5
    assert Image.open(out / "psnr.png").format == "PNG"


def test_times_are_medians_of_one_job(finished: tuple[Path, Result]) -> None:
    rows = read_rows(TimeRow, finished[0] / "times.csv")
    assert len(rows) == 9
    assert {row.image for row in rows} == {"kodim05.png"}
    assert all(row.runs == 3 and row.encode_s > 0 and row.decode_s > 0 for row in rows)
    peaks = {row.codec: row.peak_mib for row in rows}
    assert peaks["lat"] > 1.3 * peaks["jpeg"]  # torch is in one process and not in the other


def test_published_numbers_are_only_drawn(finished: tuple[Path, Result]) -> None:
    out, _ = finished
    for name in ("rd.csv", "results.json"):
        codecs = (
            json.dumps(json.loads((out / name).read_text())["codecs"])
            if "json" in name
            else (out / name).read_text(encoding="utf-8")
        )
        assert "ELIC" not in codecs
    table = [
        line
        for line in (out / "summary.md").read_text(encoding="utf-8").splitlines()
        if "|" in line
    ]
    # The summary, the intervals, and ours against each.
    assert len(table) == 5 + 4 + 4 and "ELIC" not in "\n".join(table)
    assert "ELIC (published)" in (out / "psnr.svg").read_text(encoding="utf-8")


def test_two_runs_give_the_same_files(finished: tuple[Path, Result], photos: Path) -> None:
    out = photos.parent / "again"
    run = bench(
        *(photos, "--out", out, "--codecs", "lat,jpeg,webp", "--points", "3"),
        *("--timed-images", "0", "--jobs", "1", "--sliders", "0"),
    )
    assert run.exit_code == 0, run.output
    assert (out / "rd.csv").read_bytes() == (finished[0] / "rd.csv").read_bytes()


def test_resumes_with_what_is_finished_and_current(photos: Path, tmp_path: Path) -> None:
    arguments: tuple[Any, ...] = (
        photos,
        "--out",
        tmp_path,
        "--codecs",
        "jpeg,webp",
        "--points",
        "2",
        "--limit",
        1,
    )
    arguments += ("--timed-images", "0", "--sliders", "0", "--jobs", "1")
    assert bench(*arguments).exit_code == 0
    first, second, third, fourth = read_rows(Row, tmp_path / "rd.csv")
    # A run that was killed while it wrote the third row, after the codec of the second changed;
    # the first is marked to be known again.
    marked, stale = replace(first, psnr=77.0), replace(second, psnr=78.0, version="other")
    write_rows(Row, tmp_path / "rd.csv", [marked, stale])
    with (tmp_path / "rd.csv").open("a", encoding="utf-8") as stream:
        stream.write(line_of(third)[:-9])
    run = bench(*arguments)
    assert run.exit_code == 0, run.output
    assert "sizes and quality: 3 of 3 files" in run.stderr
    assert read_rows(Row, tmp_path / "rd.csv") == [marked, second, third, fourth]
    facts = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert facts["run"]["rows_reused"] == 1


def _with_two_rows(photos: Path, out: Path) -> subprocess.Popen[str]:
    """A run in a process group of its own, which has written two rows."""
    command = [sys.executable, "-m", "latentcodec", "bench", str(photos), "--out", str(out)]
    command += ["--codecs", "jpeg,avif:0", "--timed-images", "0", "--sliders", "0", "--jobs", "1"]
    run = subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
        # A shell that runs this in the background has SIGINT ignored, which children inherit.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    table = out / "rd.csv"
    for _ in range(6000):
        if table.exists() and table.read_text(encoding="utf-8").count("\n") > 2:
            break
        time.sleep(0.1)
    return run


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGINT to send")
def test_an_interrupted_run_keeps_its_rows(photos: Path, tmp_path: Path) -> None:
    run = _with_two_rows(photos, tmp_path)
    os.killpg(run.pid, signal.SIGINT)  # as a terminal does it
    assert run.communicate(timeout=600)[1].splitlines()[-1] == "Interrupted"
    assert run.returncode == 130
    assert 2 <= len(read_rows(Row, tmp_path / "rd.csv")) < 40
    assert not (tmp_path / "results.json").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="there are no process groups")
def test_a_killed_run_leaves_no_process(photos: Path, tmp_path: Path) -> None:
    run = _with_two_rows(photos, tmp_path)
    run.kill()
    run.communicate(timeout=600)
    with pytest.raises(ProcessLookupError):  # of the group, once the last of it has ended
        for _ in range(600):
            os.killpg(run.pid, 0)
            time.sleep(0.1)


def test_says_what_is_wrong(tmp_path: Path) -> None:
    out = tmp_path / "out"
    empty = bench(tmp_path, "--out", out, "--codecs", "jpeg")
    assert (empty.exit_code, "has no images" in empty.output) == (1, True)
    (tmp_path / "broken.png").write_bytes(b"\x89PNG no more")
    broken = bench(tmp_path, "--out", out, "--codecs", "jpeg")
    assert (broken.exit_code, broken.output.count("\n")) == (1, 1)
    unknown = bench(tmp_path, "--out", out, "--codecs", "jpeg,gif")
    assert unknown.exit_code == 2
    assert "there is no codec 'gif'; known: lat, jpeg, jpegli, webp" in unknown.output
    option = bench(tmp_path, "--out", out, "--codecs", "avif:99")
    assert (option.exit_code, "a speed (0 to 10)" in option.output) == (2, True)
    assert bench(tmp_path, "--out", out, "--published-names", "ELIC").exit_code == 2
    assert bench(tmp_path, "--out", out, "--codecs", ",").exit_code == 2
    none = bench(tmp_path, "--out", out, "--codecs", "lat:nope")
    assert (none.exit_code, "none of the codecs can run" in none.output) == (1, True)


def test_a_failing_codec_is_named(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr(Image.Image, "save", fail)
    with pytest.raises(
        LatError, match=r"^WebP, method 6, 4:2:0 failed on kodim05.png at 30: boom$"
    ):
        measure_file("webp", 30, photos / "kodim05.png")


def test_help_needs_no_extra() -> None:
    code = "import sys; from latentcodec.cli import main\n"
    code += "main(['bench', '--help'], standalone_mode=False)\n"
    code += "assert not {'torch', 'matplotlib', 'scipy', 'PIL'} & set(sys.modules), sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_points_keep_both_ends() -> None:
    assert spread(range(10), 4) == [0, 3, 6, 9]
    assert spread((5, 40), 4) == (5, 40)


def test_progress_tells_the_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    said = io.StringIO()
    progress = Progress("work", lambda text: print(text, end="", file=said), live=False)
    now = 110.0
    progress(1, 100)  # too soon for another line
    now = 140.0
    progress(10, 100)
    now = 500.0
    progress(100, 100)
    assert said.getvalue() == "work: 10 of 100 files, 6 min left\nwork: 100 of 100 files in 7 min\n"


def test_times_of_an_earlier_run_are_shown(
    finished: tuple[Path, Result], photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "again"
    shutil.copytree(finished[0], out)
    run = bench(
        *(photos, "--out", out, "--codecs", "jpeg", "--points", "3"),
        *("--timed-images", "0", "--sliders", "0", "--jobs", "1"),
    )
    assert run.exit_code == 0, run.output
    assert json.loads((out / "results.json").read_text())["codecs"]["jpeg"]["times"] is not None
