"""The packages that are given away: what is in them, and that the wheel works where it is alone."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest
from hatch_build import index_readme
from PIL import Image

import latentcodec
from latentcodec.web import ort_web
from tests.paths import ROOT

pytestmark = pytest.mark.slow

INFO = f"latentcodec-{latentcodec.__version__}.dist-info"
# Of the checkout, what no sdist has: the state of a run is of no use to who builds a release.
EXCLUDED = {f"benchmarks/results/training/hyper-{name}.safetensors" for name in ("base", "ssim")}


def built(out: Path, *options: str) -> Path:
    """The wheel that the packages' build tool makes in a new folder."""
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), *options]
    subprocess.run([*command, ROOT], check=True, capture_output=True)
    (wheel,) = out.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of `make wheel`, which is built from the sdist."""
    return built(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def alone(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment with this wheel, and the dependencies that are here."""
    home = tmp_path_factory.mktemp("alone")
    venv.create(home)
    paths = {"base": str(home), "platbase": str(home)}
    site, scripts = (
        Path(sysconfig.get_path(name, "venv", vars=paths)) for name in ("purelib", "scripts")
    )
    # These come after its own packages, and what is installed there as editable does not count.
    here = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (site / "dependencies.pth").write_text("\n".join(here), encoding="utf-8")
    pip = [sys.executable, "-m", "pip", "--python", str(home), "install", "--no-deps", "--no-index"]
    subprocess.run([*pip, wheel], check=True, capture_output=True)
    return scripts


def run(*command: object, cwd: Path) -> str:
    unled = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        list(map(str, command)), cwd=cwd, env=unled, check=True, capture_output=True, text=True
    ).stdout


def test_the_wheel_has_the_package_and_nothing_else(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    package = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "latentcodec").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".tmp"
    }
    info = ("METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE")
    assert inside == package | {f"{INFO}/{name}" for name in info}
    assert {"py.typed", "weights/manifest.json", "weights/hyper-base.safetensors"} <= {
        name.removeprefix("latentcodec/") for name in inside
    }


def facts_of(wheel: Path) -> Message:
    return Parser().parsestr(zipfile.ZipFile(wheel).read(f"{INFO}/METADATA").decode())


def test_the_metadata(wheel: Path) -> None:
    facts = facts_of(wheel)
    assert facts["License-Expression"] == "Apache-2.0"
    assert set(facts.get_all("Provides-Extra", [])) >= {"onnx", "bench", "docs", "dev"}
    needed = [line for line in facts.get_all("Requires-Dist", []) if "extra" not in line]
    assert {re.split(r"[^\w-]", line)[0] for line in needed} == {
        *("torch", "numpy", "constriction", "pillow", "click", "safetensors"),
    }


def test_an_index_page_has_no_link_that_leads_nowhere(wheel: Path) -> None:
    text = zipfile.ZipFile(wheel).read(f"{INFO}/METADATA").decode()
    assert facts_of(wheel)["Description-Content-Type"] == "text/markdown"
    assert "# latentcodec\n" in text and "](docs/" not in text
    links = re.findall(r"\]\(([^)]*)\)", text.partition("# latentcodec\n")[2])
    assert all(link.startswith("https://") for link in links), links


def test_with_an_address_links_lead_there() -> None:
    text = "See [it](docs/a.md#b), ![curve](docs/c.png), [this](#part) and [that](https://x.org)."
    assert index_readme(text, "https://host/me/it/") == (
        "See [it](https://host/me/it/blob/main/docs/a.md#b), "
        "![curve](https://host/me/it/raw/main/docs/c.png), [this](#part) and [that](https://x.org)."
    )
    assert index_readme(text, None) == "See it, , [this](#part) and [that](https://x.org)."


def test_the_sdist_is_the_checkout_and_its_tests_run(wheel: Path, tmp_path: Path) -> None:
    """Those of a folder of tests, those of pages and of scripts, where it is unpacked, and all that
    name what it has not."""
    (sdist,) = wheel.parent.glob("*.tar.gz")
    shutil.unpack_archive(sdist, tmp_path)
    (root,) = tmp_path.iterdir()
    if (ROOT / ".git").exists() and shutil.which("git"):
        git = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
        )
        missing = {
            name
            for name in git.stdout.split("\0")
            if name and (ROOT / name).exists() and not (root / name).exists()
        }
        assert missing <= EXCLUDED
    chosen = ["tests/format", "tests/docs/test_pages.py", "tests/bench/test_statistics.py"]
    for path in sorted((root / "tests").rglob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        if any(name in text for name in EXCLUDED) and path.name != Path(__file__).name:
            chosen.append(path.relative_to(root).as_posix())
    assert "tests/training/test_checkpoint.py" in chosen
    subprocess.run(
        [sys.executable, "-m", "pytest", "-m", "not slow", *chosen],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root)},
        check=True,
        capture_output=True,
    )


def test_the_sdist_makes_the_wheel_of_the_tree(wheel: Path, tmp_path: Path) -> None:
    """From both, the same files with the same bytes (RECORD has their hashes)."""
    from_tree = built(tmp_path, "--wheel")
    first, second = (zipfile.ZipFile(path) for path in (wheel, from_tree))
    assert sorted(first.namelist()) == sorted(second.namelist())
    assert first.read(f"{INFO}/RECORD") == second.read(f"{INFO}/RECORD")


def test_the_page_states_its_size(wheel: Path) -> None:
    page = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    stated = re.search(r"a wheel of ([\d.]+) MB", page)
    assert stated is not None
    if not ort_web.is_packaged():
        pytest.skip("a wheel without ONNX Runtime Web is smaller: make web-runtime")
    assert wheel.stat().st_size / 1e6 == pytest.approx(float(stated[1]), abs=0.1)
    assert f"dist/{wheel.name.split('-py3')[0]}-*.whl" in page


def test_it_works_alone(alone: Path, crop: Image.Image, tmp_path: Path) -> None:
    where = run(
        *(alone / "python", "-c", "import latentcodec; print(latentcodec.__file__)"), cwd=tmp_path
    )
    assert Path(where.strip()).is_relative_to(alone.parent)
    crop.save(tmp_path / "photo.png")
    program = alone / "latentcodec"
    run(program, "encode", "photo.png", cwd=tmp_path)
    run(program, "decode", "photo.lat", "back.png", cwd=tmp_path)
    here = [sys.executable, "-m", "latentcodec", "encode", "photo.png", "-o", "here.lat"]
    subprocess.run(here, cwd=tmp_path, check=True, capture_output=True)
    assert (tmp_path / "photo.lat").read_bytes() == (tmp_path / "here.lat").read_bytes()
    assert Image.open(tmp_path / "back.png").size == crop.size
