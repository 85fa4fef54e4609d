"""What is gained and lost without torch, and in a browser: sizes and times beside what is wanted.

    python benchmarks/without_torch.py [--runs 7] [--venv FOLDER]

Builds the wheel, installs it without torch as docs/python.md says (pip downloads what that takes)
and decodes a file of 768 x 512 px there, with torch in this interpreter, and in a headless
Chromium, in turns. `--venv` keeps the environment, and takes it where it is already there.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
import venv
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import click

import latentcodec
from latentcodec.bench.environment import machine
from latentcodec.web.layout import model_of
from tests.bench.chromium import chromium
from tests.web.served import call, served

_ROOT = Path(__file__).resolve().parents[1]
PHOTO = _ROOT / "benchmarks" / "data" / "kodak" / "kodim23.png"
# The list of docs/python.md.
NEEDED = ("numpy", "constriction>=0.5,<0.6", "pillow", "click", "safetensors", "onnxruntime")
ISOLATED = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
}
_MB = 1e6
_WARM = """
import json, statistics, sys, time
import latentcodec
data, times = open(sys.argv[1], "rb").read(), []
for _ in range(8):
    started = time.perf_counter()
    latentcodec.decode(data).load()
    times.append(time.perf_counter() - started)
print(json.dumps(statistics.median(times[3:])))
"""
_IN_PAGE = """
    const [address, runs] = arguments, canvas = document.createElement("canvas"), times = [];
    const bytes = await (await fetch(address)).arrayBuffer();
    for (let run = 0; run <= runs; run++) {
      const started = performance.now();
      await lat.decodeToCanvas(bytes, canvas);
      times.push((performance.now() - started) / 1000);
    }
    return times;
"""


def environment(home: Path) -> Path:
    """The interpreter of a new environment that has the wheel, and no torch."""
    venv.create(home)
    with tempfile.TemporaryDirectory() as folder:
        build = ["wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, str(_ROOT)]
        _run([sys.executable, "-m", "pip", "--quiet", *build])
        (wheel,) = Path(folder).glob("*.whl")
        print_row("the wheel", f"{wheel.stat().st_size / _MB:.1f} MB", "40 MB")
        install = [sys.executable, "-m", "pip", "--quiet", "--python", str(home), "install"]
        _run([*install, *NEEDED])
        _run([*install, "--no-deps", str(wheel)])
    return python_of(home)


def python_of(home: Path) -> Path:
    return home / ("Scripts" if os.name == "nt" else "bin") / Path(sys.executable).name


def site_packages(home: Path) -> Path:
    paths = {"base": str(home), "platbase": str(home)}
    return Path(sysconfig.get_path("purelib", "venv", vars=paths))


def print_packages(home: Path) -> None:
    """What each package takes, with what pip compiles."""
    sizes: Counter[str] = Counter()
    folder = site_packages(home)
    for path in folder.rglob("*"):
        if path.is_file():
            sizes[path.relative_to(folder).parts[0].split(".")[0]] += path.stat().st_size
    largest = ", ".join(f"{name} {size / _MB:.0f}" for name, size in sizes.most_common(5))
    print_row("site-packages without torch", f"{sum(sizes.values()) / _MB:.0f} MB", "120 MB")
    click.echo(f"of which, MB: {largest}", err=True)


def _run(command: list[str], variables: dict[str, str] | None = None) -> str:
    """What a command prints. Ends the program where it fails."""
    found = subprocess.run(
        command, env=os.environ | (variables or {}), capture_output=True, text=True
    )
    if found.returncode:
        sys.exit(f"{' '.join(command)} ends with {found.returncode}: {found.stderr}")
    return found.stdout


class Ways:
    """The interpreters, with what each is given."""

    def __init__(self, light: Path, lat: Path) -> None:
        self._lat = lat
        alone = {"PYTHONPATH": "", "LATENTCODEC_RUNTIME": "onnx"}
        torch = {"LATENTCODEC_RUNTIME": "torch"}
        self._given = {
            "onnx": (light, alone),
            "torch": (Path(sys.executable), torch),
            "torch float32": (
                Path(sys.executable),
                torch | {"LATENTCODEC_PRECISION": "float32"},
            ),
        }

    def cold(self, way: str) -> float:
        """Seconds of `latentcodec decode`, with the start of the process."""
        python, variables = self._given[way]
        back = str(self._lat.with_suffix(".png"))
        started = time.perf_counter()
        _run([str(python), "-m", "latentcodec", "decode", str(self._lat), back], variables)
        return time.perf_counter() - started

    def warm(self, way: str) -> float:
        """Seconds of a decode by a process that has decoded before."""
        python, variables = self._given[way]
        return float(json.loads(_run([str(python), "-c", _WARM, str(self._lat)], variables)))

    def print_rows(self, runs: int) -> None:
        """Medians of both, of runs in turns, and of the ratios of each turn."""
        for kind, measure, wanted, ways in (
            ("cold", self.cold, 0.5, ("torch",)),
            ("warm", self.warm, 1.2, ("torch", "torch float32")),
        ):
            turns = [{way: measure(way) for way in ("onnx", *ways)} for _ in range(runs)]
            for way in ("onnx", *ways):
                median = statistics.median(turn[way] for turn in turns)
                print_row(f"{kind} decode, {way}", f"{1000 * median:.0f} ms")
            for way in ways:
                ratio = statistics.median(turn["onnx"] / turn[way] for turn in turns)
                print_row(f"{kind} decode, onnx / {way}", f"{ratio:.2f}", f"{wanted}")


def lay_out(light: Path, lat: Path, site: Path) -> None:
    """What `latentcodec web` writes, by the wheel, and the size of a page with one model."""
    _run([str(light), "-m", "latentcodec", "web", str(site), str(lat)], {"PYTHONPATH": ""})
    model = model_of(lat.read_bytes(), lat.name).short_hash.hex()
    parts = {
        "runtime": _bytes(site.glob("runtime/*")),
        "model": _bytes(site.glob(f"models/{model}/*")),
        "module": _bytes([site / "latentcodec.js"]),
    }
    for name, size in parts.items():
        print_row(f"page: {name}", f"{size / _MB:.2f} MB")
    print_row("page: all of it", f"{sum(parts.values()) / _MB:.2f} MB", "9 MB")


def _bytes(paths: Iterable[Path]) -> int:
    return sum(path.stat().st_size for path in paths)


def print_browser(site: Path, name: str, runs: int) -> None:
    """Times in Chromium, of one thread and of as many as there are cores."""
    (site / "empty.html").write_text('<!doctype html><link rel="icon" href="data:,">')
    for threads, headers in (("one thread", {}), ("isolated page", ISOLATED)):
        with served(site, headers) as address, chromium() as browser:
            browser.set_script_timeout(600)
            browser.get(f"{address}empty.html")
            times = call(browser, _IN_PAGE, f"/pictures/{name}", runs)
            if not isinstance(times, list):
                sys.exit(f"the page says: {times['error']}: {times['message']}")
        print_row(f"Chromium, {threads}: first picture, from here", f"{times[0]:.2f} s")
        median = statistics.median(times[1:])
        print_row(f"Chromium, {threads}: later pictures", f"{median:.2f} s", "1.5 s")


def print_row(what: str, found: str, wanted: str = "") -> None:
    click.echo(f"| {what} | {found} | {wanted} |")


@click.command()
@click.option("--runs", default=7, show_default=True, help="Turns of each measurement.")
@click.option("--venv", "kept", type=click.Path(path_type=Path), help="The environment.")
def main(runs: int, kept: Path | None) -> None:
    """Print a table."""
    click.echo(f"{machine()}\n\n| what | measured | wanted at most |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        home = kept or folder / "venv"
        light = python_of(home) if home.exists() else environment(home)
        print_packages(home)
        lat = folder / "photo.lat"
        lat.write_bytes(latentcodec.encode(PHOTO))
        lay_out(light, lat, folder / "site")
        Ways(light, lat).print_rows(runs)
        print_browser(folder / "site", lat.name, runs)


if __name__ == "__main__":
    main()
