"""The example page in a real browser, from a server and from one file."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import latentcodec
from latentcodec.cli import main
from latentcodec.format import container
from latentcodec.pipeline.decoder import family_of
from latentcodec.pipeline.latent_tiles import decode_latents
from latentcodec.runtime import model_store
from tests.paths import KODAK
from tests.web.conftest import AWKWARD_NAME
from tests.web.served import call, given, served

pytest.importorskip("selenium", reason="selenium is not installed")

from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from tests.bench.chromium import assert_quiet, shoot

pytestmark = pytest.mark.slow

_WAIT_S = 300
_DROP = """
    const [name, bytes] = arguments;
    const files = new DataTransfer();
    files.items.add(new File([Uint8Array.from(bytes)], name));
    for (const type of ["dragover", "drop"]) {
      document.getElementById("drop").dispatchEvent(
        new DragEvent(type, {dataTransfer: files, bubbles: true, cancelable: true}));
    }
"""
_SHOWN = """
    const {canvas} = document.getElementById("picture");
    const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let text = "";
    for (const byte of data) text += String.fromCharCode(byte);
    return [canvas.width, canvas.height, btoa(text)];
"""


@pytest.fixture
def shown(browser: Any, address: str) -> Iterator[Any]:
    """The page of the gallery, freshly opened; no test may leave an error on the console."""
    browser.get(address + "index.html")
    yield browser
    assert_quiet(browser)


def text_of(page: Any, name: str) -> str:
    element = page.find_element(By.ID, name)
    return element.text if element.is_displayed() else ""


def wait_for_picture(page: Any, name: str) -> str:
    """The facts, once the picture and its JPEG are there."""
    WebDriverWait(page, _WAIT_S).until(
        lambda page: (
            text_of(page, "problem")
            or (name in text_of(page, "lat-tag") and text_of(page, "jpeg-tag"))
        )
    )
    assert text_of(page, "problem") == ""
    return text_of(page, "facts")


def wait_for_problem(page: Any) -> str:
    WebDriverWait(page, _WAIT_S).until(lambda page: text_of(page, "problem"))
    assert not page.find_element(By.ID, "viewer").is_displayed()
    return text_of(page, "problem")


def canvas_of(page: Any) -> np.ndarray:
    width, height, text = page.execute_script(_SHOWN)
    return given(text).reshape(height, width, 4).astype(int)


def drop(page: Any, name: str, data: bytes) -> None:
    page.execute_script(_DROP, name, list(data))


def test_the_gallery(shown: Any, lats: Path) -> None:
    facts = wait_for_picture(shown, "alpha.lat")
    assert "56 x 40 px, RGB with alpha, with a colour profile" in facts
    assert "USER" in facts
    buttons = shown.find_elements(By.CSS_SELECTOR, "#gallery button")
    assert [button.text for button in buttons] == ["alpha.lat", "wide.lat", AWKWARD_NAME]
    buttons[1].click()
    assert "1100 x 24 px" in wait_for_picture(shown, "wide.lat")
    shoot(shown, "web-gallery")
    data = (lats / "wide.lat").read_bytes()
    expected = np.asarray(latentcodec.decode(data)).astype(int)
    assert np.abs(canvas_of(shown)[..., :3] - expected).max() <= 1
    buttons[2].click()
    facts = wait_for_picture(shown, AWKWARD_NAME)
    assert "64 x 48 px, RGB" in facts and "AE01" in facts and "Quality\n50" in facts


def test_a_dropped_file_beside_its_jpeg(shown: Any, small: Path) -> None:
    wait_for_picture(shown, "alpha.lat")
    with Image.open(KODAK / "kodim23.png") as photo:
        crop = photo.crop((250, 100, 570, 340))
    data = latentcodec.encode(crop, model=latentcodec.register_weights(small), quality=50)
    drop(shown, "parrots.lat", data)
    facts = wait_for_picture(shown, "parrots.lat")
    assert f"{len(data):,} bytes, {8 * len(data) / (320 * 240):.3f} bits per pixel" in facts
    assert not shown.find_elements(By.CSS_SELECTOR, '#gallery [aria-pressed="true"]')
    tag = text_of(shown, "jpeg-tag")
    size = int(tag.split(": ")[1].split()[0].replace(",", ""))
    assert size <= len(data) < 1.2 * size or "its smallest" in tag
    divider = shown.find_element(By.ID, "divider")
    stage = shown.find_element(By.ID, "stage")
    start = divider.rect["x"]
    wide = stage.rect["width"]
    move = ActionChains(shown).move_to_element(stage).click_and_hold()
    move.move_by_offset(round(0.3 * wide), 0).release().perform()
    assert divider.rect["x"] - start == pytest.approx(0.3 * wide, abs=3)
    clip = shown.find_element(By.ID, "jpeg").value_of_css_property("clip-path")
    assert float(clip.split()[-1].rstrip("%)")) == pytest.approx(80, abs=1)
    shoot(shown, "web-dropped")


def test_what_cannot_be_shown_is_one_sentence(shown: Any, lats: Path) -> None:
    wait_for_picture(shown, "alpha.lat")
    good = (lats / "rgb.lat").read_bytes()
    drop(shown, "cut.lat", good[:-9])
    assert "the file ends within a chunk" in wait_for_problem(shown)
    drop(shown, "photo.png", b"\x89PNG")
    WebDriverWait(shown, _WAIT_S).until(
        lambda page: text_of(page, "problem") == "this is not a .lat file"
    )
    shoot(shown, "web-problem")
    header = dataclasses.replace(container.read_header(good), model_code="ZZ99")
    file = dataclasses.replace(container.read(good), header=header)
    drop(shown, "other.lat", container.write(file))
    WebDriverWait(shown, _WAIT_S).until(
        lambda page: (
            "model ZZ99" in text_of(page, "problem")
            and "this page does not have" in text_of(page, "problem")
        )
    )
    drop(shown, "rgb.lat", good)  # and the page goes on
    assert "64 x 48 px" in wait_for_picture(shown, "rgb.lat")


def test_a_browser_without_simd(browser: Any, address: str) -> None:
    source = "WebAssembly.validate = () => false;"
    script = browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": source})
    try:
        browser.get(address + "index.html")
        assert wait_for_problem(browser) == (
            "this browser has no WebAssembly with SIMD, which is needed to decode .lat files"
        )
    finally:
        browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)
    assert_quiet(browser)


def test_two_lines_of_html(browser: Any, address: str, site: Path) -> None:
    """<lat-image>, of a picture, of one that is missing, and of another afterwards."""
    (site / "own.html").write_text(
        '<!doctype html><link rel="icon" href="data:,">'
        '<script type="module" src="latentcodec.js"></script>'
        '<lat-image src="lats/rgb.lat" alt="a parrot"></lat-image>'
    )
    browser.get(address + "own.html")
    state = """
        const {canvas, shadowRoot} = document.querySelector("lat-image");
        const problem = shadowRoot.querySelector("p");
        const said = problem.hidden ? "" : problem.textContent;
        return [canvas.width, canvas.hidden, canvas.ariaLabel, said];
    """

    def until(width: int, label: str, said: str) -> None:
        WebDriverWait(browser, _WAIT_S).until(
            lambda page: page.execute_script(state) == [width, not width, label, said]
        )

    until(64, "a parrot", "")
    assert_quiet(browser)
    set_it = "document.querySelector('lat-image').setAttribute(...arguments);"
    browser.execute_script(set_it, "src", "none.lat")
    until(0, "a parrot", f"{address}none.lat cannot be loaded: the server says 404")
    browser.get_log("browser")  # has the 404
    browser.execute_script(set_it, "alt", "other")
    browser.execute_script(set_it, "src", "lats/odd.lat")
    until(33, "other", "")
    assert_quiet(browser)


def test_a_model_that_is_not_on_the_server(
    browser: Any, address: str, site: Path, small: Path
) -> None:
    entry = model_store.by_name(latentcodec.register_weights(small))
    graph = site / "models" / entry.short_hash.hex() / "h_s.onnx.planes.gz"
    moved = graph.rename(graph.with_suffix(".away"))
    browser.execute_cdp_cmd("Network.clearBrowserCache", {})  # another test may have loaded it
    try:
        browser.get(address + "index.html")
        assert "h_s.onnx.planes.gz cannot be loaded: the server says 404" in wait_for_problem(
            browser
        )
    finally:
        moved.rename(graph)
    browser.get_log("browser")


@pytest.mark.parametrize(
    "changed",
    [lambda data: data[:-1000], lambda data: data[:999] + b"other" + data[1004:], lambda _: b""],
    ids=["cut", "changed", "empty"],
)
def test_a_damaged_runtime(
    browser: Any, address: str, site: Path, changed: Callable[[bytes], bytes]
) -> None:
    binary = site / "runtime" / "ort.wasm.xz"
    right = binary.read_bytes()
    binary.write_bytes(changed(right))
    try:
        browser.get(address + "index.html")
        assert "runtime/ort.wasm.xz is damaged" in wait_for_problem(browser)
    finally:
        binary.write_bytes(right)
    assert_quiet(browser)


def test_a_decoder_of_xz_that_is_not_on_the_server(browser: Any, address: str, site: Path) -> None:
    script = site / "runtime" / "xz.js"
    moved = script.rename(script.with_suffix(".away"))
    try:
        browser.get(address + "index.html")
        assert "runtime/xz.js cannot be loaded" in wait_for_problem(browser)
    finally:
        moved.rename(script)
    browser.get_log("browser")


def test_one_file_from_the_file_system(
    browser: Any, site: Path, lats: Path, tmp_path: Path
) -> None:
    page = tmp_path / "a page.html"
    arguments = ["web", str(lats / "odd.lat"), str(lats / "alpha.lat"), "--single", str(page)]
    run = CliRunner().invoke(main, arguments)
    assert run.exit_code == 0, run.output
    browser.get(page.as_uri())
    assert "33 x 17 px" in wait_for_picture(browser, "odd.lat")
    expected = np.asarray(latentcodec.decode((lats / "odd.lat").read_bytes())).astype(int)
    assert np.abs(canvas_of(browser)[..., :3] - expected).max() <= 1
    shoot(browser, "web-single")
    browser.find_elements(By.CSS_SELECTOR, "#gallery button")[1].click()
    wait_for_picture(browser, "alpha.lat")
    assert_quiet(browser)


def test_nothing_is_asked_of_other_servers(site: Path) -> None:
    for path in [*site.glob("*.js"), site / "index.html", site / "page.css"]:
        text = path.read_text(encoding="utf-8")
        text = text.replace("https://www.apache.org/licenses/LICENSE-2.0", "")
        for word in ("http://", "https://", "@import", "url("):
            assert word not in text, path.name


def test_threads_where_the_page_is_isolated(browser: Any, site: Path, lats: Path) -> None:
    headers = {
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Embedder-Policy": "require-corp",
    }
    with served(site, headers) as url:
        browser.get(url + "index.html")
        assert browser.execute_script("return self.crossOriginIsolated")
        wait_for_picture(browser, "alpha.lat")
        found = call(browser, "return give(await lat.decodeLatents('/lats/best.lat'));")
        file = container.read((lats / "best.lat").read_bytes())
        wanted = decode_latents(file, family_of(file.header))
        assert np.array_equal(given(found, "<i4"), wanted.ravel())
    assert_quiet(browser)
