"""What `latentcodec web` lays out, served, and a browser that looks at it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

import latentcodec
from latentcodec.cli import main
from latentcodec.runtime import model_store
from latentcodec.web import ort_web
from tests.golden.write import FOLDER as GOLDEN
from tests.golden.write import pictures
from tests.runtime.small_models import weights_of
from tests.web.served import served

if TYPE_CHECKING:
    from selenium import webdriver

AWKWARD_NAME = "größer & 50%<b>.lat"
SCRIPT_S = 300  # of a script on a busy machine


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A weights file of a small `hyper`, which is a model of this process."""
    path = tmp_path_factory.mktemp("small") / "small.safetensors"
    path.write_bytes(weights_of("hyper"))
    yield path
    model_store._own.clear()


@pytest.fixture(scope="session")
def lats(small: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of the small model, of every kind that the golden files have."""
    model = latentcodec.register_weights(small)
    folder = tmp_path_factory.mktemp("lats")
    for name, picture, quality in pictures():
        data = latentcodec.encode(picture, model=model, quality=quality)
        (folder / f"{name}.lat").write_bytes(data)
    return folder


@pytest.fixture(scope="session")
def site(small: Path, lats: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the command lays out, with those files and a golden one in the gallery."""
    if not ort_web.is_packaged():
        pytest.skip("ONNX Runtime Web is not here: make web-runtime")
    folder = tmp_path_factory.mktemp("site")
    (golden,) = GOLDEN.glob("AE*/rgb.lat")
    named = tmp_path_factory.mktemp("named") / AWKWARD_NAME
    named.write_bytes(golden.read_bytes())
    shown = [lats / "alpha.lat", lats / "wide.lat", named]
    run = CliRunner().invoke(main, ["web", str(folder), *map(str, shown), "--weights", str(small)])
    assert run.exit_code == 0, run.output
    (folder / "empty.html").write_text('<!doctype html><link rel="icon" href="data:,">')
    (folder / "assets").symlink_to(Path(ort_web.__file__).with_name("assets"))
    (folder / "lats").symlink_to(lats)
    (folder / "golden").symlink_to(GOLDEN)
    return folder


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    with served(site) as url:
        yield url


@pytest.fixture(scope="session")
def browser() -> Iterator[webdriver.Chrome]:
    from tests.bench.chromium import chromium

    with chromium() as started:
        started.set_script_timeout(SCRIPT_S)
        yield started


@pytest.fixture
def page(browser: webdriver.Chrome, address: str) -> Iterator[webdriver.Chrome]:
    """An empty page of the server, whose decoder tests share; none may leave an error."""
    if browser.current_url != address + "empty.html":
        browser.get(address + "empty.html")
    yield browser
    assert browser.get_log("browser") == []
