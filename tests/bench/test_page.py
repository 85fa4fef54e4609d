"""The report in a real browser: curves are drawn, the table sorts, the slider moves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from tests.paths import KODAK, ROOT

pytest.importorskip("selenium", reason="selenium is not installed")
pytest.importorskip("pytorch_msssim", reason="the extra `bench` is not installed")

from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

from latentcodec.cli import main
from tests.bench.chromium import assert_quiet, chromium, shoot

pytestmark = pytest.mark.slow

PUBLISHED = ROOT / "benchmarks" / "reference" / "kodak_rd.json"


@pytest.fixture(scope="module")
def browser() -> Iterator[webdriver.Chrome]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two crops of photographs, 256x192 px."""
    folder = tmp_path_factory.mktemp("photos")
    for name in ("kodim05", "kodim23"):
        with Image.open(KODAK / f"{name}.png") as image:
            image.crop((250, 60, 506, 252)).save(folder / f"{name}.png")
    return folder


@pytest.fixture(scope="module")
def report(photos: Path) -> Path:
    """The page of a small benchmark of three codecs."""
    out = photos.parent / "report"
    arguments = ["bench", str(photos), "--out", str(out), "--codecs", "lat,jpeg,avif"]
    arguments += ["--points", "4", "--timed-images", "1", "--runs", "1"]
    arguments += ["--published", str(PUBLISHED), "--published-names", "AV1,ELIC"]
    run = CliRunner().invoke(main, arguments)
    assert run.exit_code == 0, run.output
    return out / "report.html"


@pytest.fixture
def page(browser: webdriver.Chrome, report: Path) -> Iterator[webdriver.Chrome]:
    """The report, freshly opened; no test may leave an error on the console."""
    browser.get(report.as_uri())
    yield browser
    assert_quiet(browser)


def drawn(page: webdriver.Chrome) -> dict[str, str]:
    """The path of every curve that is shown, by label."""
    paths = page.find_elements(By.CSS_SELECTOR, "#chart path.curve")
    return {str(p.get_attribute("data-label")): str(p.get_attribute("d")) for p in paths}


def test_curves_are_drawn_and_follow_the_controls(page: webdriver.Chrome) -> None:
    first = drawn(page)
    assert sorted(first) == [
        "AV1 (published)",
        "AVIF tune iq, speed 6, 4:2:0",
        "ELIC (published)",
        "JPEG 4:2:0, optimised, progressive",
        "latentcodec",
    ]
    assert all("NaN" not in path for path in first.values())
    assert first["latentcodec"].count("L") == 3
    assert page.execute_script(
        "return [...document.querySelectorAll('#chart path.curve')]"
        ".every(p => p.getBoundingClientRect().width > 100)"
    )
    dashed = page.find_elements(By.CSS_SELECTOR, "#chart path.curve[stroke-dasharray]")
    assert {path.get_attribute("data-label") for path in dashed} == {
        "AV1 (published)",
        "ELIC (published)",
    }
    shoot(page, "report")
    page.find_element(By.ID, "log").click()
    assert drawn(page)["latentcodec"] != first["latentcodec"]
    Select(page.find_element(By.ID, "metric")).select_by_value("ssimulacra2")
    assert len(drawn(page)) == 3
    Select(page.find_element(By.ID, "image")).select_by_value("kodim23.png")
    assert len(drawn(page)) == 3
    page.find_elements(By.CSS_SELECTOR, "#legend button")[0].click()
    assert "latentcodec" not in drawn(page)


def test_hover_gives_size_and_setting(page: webdriver.Chrome) -> None:
    marker = page.find_elements(By.CSS_SELECTOR, "#chart path.marker")[-1]
    tip = page.find_element(By.ID, "tip")
    assert not tip.is_displayed()
    ActionChains(page).move_to_element(marker).perform()
    assert tip.is_displayed()
    lines = tip.text.splitlines()
    assert lines[0] == "latentcodec"
    assert lines[1] == "setting 100"
    assert "bytes" in lines[2] and "bpp" in lines[2]
    shoot(page, "hover")


def test_page_says_how_sure_it_is(page: webdriver.Chrome) -> None:
    tables = page.find_elements(By.CSS_SELECTOR, "#statistics table")
    assert len(tables) == 2
    rows = tables[1].text.splitlines()
    assert rows[0] == "against PSNR PSNR-Y MS-SSIM SSIMULACRA2"
    assert rows[1].startswith("JPEG 4:2:0") and "of 2" in rows[1]


def test_table_sorts_both_ways(page: webdriver.Chrome) -> None:
    def column() -> list[float]:
        cells = page.find_elements(By.CSS_SELECTOR, "#table td:nth-child(2)")
        return [float(cell.text.split()[0]) for cell in cells]

    for order in (False, True):
        page.find_elements(By.CSS_SELECTOR, "#table th")[1].click()
        assert column() == sorted(column(), reverse=order)
    assert len(column()) == 3


def pixels_of(browser: webdriver.Chrome, tmp_path: Path) -> np.ndarray:
    path = tmp_path / "stage.png"
    browser.find_element(By.CSS_SELECTOR, ".stage").screenshot(str(path))
    return np.asarray(Image.open(path).convert("RGB")).astype(int)


def assert_slider_moves(browser: webdriver.Chrome, tmp_path: Path) -> None:
    """Drag the divider from the middle to the right, and see the picture below it appear."""
    stage = browser.find_element(By.CSS_SELECTOR, ".stage")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", stage)
    divider = browser.find_element(By.CSS_SELECTOR, ".divider")
    width = stage.rect["width"]
    start = divider.rect["x"]
    before = pixels_of(browser, tmp_path)
    ActionChains(browser).drag_and_drop_by_offset(divider, round(width * 0.4), 0).perform()
    assert divider.rect["x"] - start == pytest.approx(width * 0.4, abs=2)
    clip = browser.find_element(By.CSS_SELECTOR, ".layer.right").value_of_css_property("clip-path")
    assert float(clip.split()[-1].rstrip("px)")) == pytest.approx(width * 0.9, abs=2)
    after = pixels_of(browser, tmp_path)
    left, right = round(width * 0.6), round(width * 0.85)  # clear of divider and handle
    changed = np.abs(after - before)[: len(before) // 3, left:right]
    assert changed.max() > 8, "what lay right of the divider is now the other picture"
    untouched = np.abs(after - before)[: len(before) // 3, : round(width * 0.4)]
    assert untouched.max() == 0


def test_slider_moves_and_zooms(page: webdriver.Chrome, tmp_path: Path) -> None:
    names = [option.text for option in Select(page.find_element(By.ID, "slider-right")).options]
    assert names == [
        "Original",
        "latentcodec",
        "JPEG 4:2:0, optimised, progressive",
        "AVIF tune iq, speed 6, 4:2:0",
    ]
    Select(page.find_element(By.ID, "slider-right")).select_by_visible_text(names[2])
    assert_slider_moves(page, tmp_path)
    for name in names:  # every embedded picture is one that the browser can show
        Select(page.find_element(By.ID, "slider-left")).select_by_visible_text(name)
        size = page.execute_async_script(
            "const done = arguments[0], image = document.querySelector('.layer.left img');"
            "image.decode().then(() => done([image.naturalWidth, image.naturalHeight]))"
        )
        assert size == [256, 192]
    picture = page.find_element(By.CSS_SELECTOR, ".layer.left img")
    page.find_elements(By.CSS_SELECTOR, "button.zoom")[3].click()
    assert "scale(4)" in str(picture.get_attribute("style"))
    shoot(page, "zoomed")
    Select(page.find_element(By.ID, "slider-image")).select_by_visible_text("kodim23.png")
    tag = page.find_element(By.CSS_SELECTOR, ".tag.right").text
    assert "setting" in tag and "bytes" in tag


def test_comparison_page(browser: webdriver.Chrome, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = ["compare", str(photos / "kodim05.png"), "--out", str(out)]
    run = CliRunner().invoke(main, [*arguments, "--against", "jpeg,webp"])
    assert run.exit_code == 0, run.output
    browser.get((out / "comparison.html").as_uri())
    Select(browser.find_element(By.ID, "slider-right")).select_by_index(2)
    assert_slider_moves(browser, tmp_path)
    shoot(browser, "comparison")
    assert_quiet(browser)


def test_pages_need_nothing_from_elsewhere(report: Path) -> None:
    text = report.read_text(encoding="utf-8")
    for word in ("http://", "https://", "src=", "@import", "url("):
        assert word not in text.replace("http://www.w3.org/2000/svg", "")
