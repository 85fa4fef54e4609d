"""`latentcodec compare --blind`: the page in a real browser, and what the command refuses."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from PIL import Image

from tests.command_line import call
from tests.paths import KODAK

pytest.importorskip("selenium", reason="selenium is not installed")
pytest.importorskip("scipy", reason="the extra `bench` is not installed")
pytest.importorskip("pytorch_msssim", reason="the extra `bench` is not installed")

from scipy import stats
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By

from tests.bench.chromium import assert_quiet, chromium, shoot

pytestmark = pytest.mark.slow

OWN, JPEG, WEBP = "latentcodec", "JPEG 4:2:0, optimised, progressive", "WebP, method 6, 4:2:0"


@pytest.fixture(scope="module")
def browser() -> Iterator[webdriver.Chrome]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """The page of three photographs and two rivals, which is six pairs."""
    folder = tmp_path_factory.mktemp("blind") / "photos"
    folder.mkdir()
    for name in ("kodim05", "kodim15", "kodim23"):
        with Image.open(KODAK / f"{name}.png") as image:
            image.crop((250, 60, 506, 252)).save(folder / f"{name}.png")
    out = folder.parent / "out"
    run = call("compare", "--blind", folder, "--against", "jpeg,webp,lat:nope", "--out", out)
    assert run.exit_code == 0, run.output
    return out / "blind.html", run


@pytest.fixture
def page(browser: webdriver.Chrome, written: tuple[Path, Result]) -> Iterator[webdriver.Chrome]:
    browser.get(written[0].as_uri())
    yield browser
    assert_quiet(browser)


def data_of(path: Path, element: str) -> Any:
    found = re.search(rf'<script id="{element}"[^>]*>(.*?)</script>', path.read_text("utf-8"), re.S)
    assert found
    return json.loads(found[1])


def votes_in(page: webdriver.Chrome) -> list[dict[str, str]]:
    return json.loads(str(page.execute_script("return document.getElementById('votes').text")))


def sources(page: webdriver.Chrome) -> list[str]:
    pictures = page.find_elements(By.CSS_SELECTOR, "#pair img")
    return [str(picture.get_attribute("src")) for picture in pictures]


def codecs_shown(page: webdriver.Chrome, path: Path) -> list[str]:
    """Whose pictures are at the left and at the right, which only the page's data knows."""
    by_source = {
        picture["src"]: picture["codec"]
        for pair in data_of(path, "data")["pairs"]
        for picture in pair["pictures"]
    }
    return [by_source[source] for source in sources(page)]


def press(page: webdriver.Chrome, key: str) -> None:
    ActionChains(page).send_keys(key).perform()


def test_pairs_have_one_size_and_every_metric(written: tuple[Path, Result]) -> None:
    data = data_of(written[0], "data")
    assert (len(data["images"]), len(data["pairs"]), len(data["metrics"])) == (3, 6, 4)
    for pair in data["pairs"]:
        first, second = pair["pictures"]
        assert (first["codec"], second["codec"]) in ((OWN, JPEG), (OWN, WEBP))
        assert max(first["bpp"], second["bpp"]) <= 1.02 * min(first["bpp"], second["bpp"])
        assert all(len(picture["metrics"]) == 4 for picture in pair["pictures"])
        assert 20 < first["metrics"][0] < 50
    assert data_of(written[0], "votes") == []
    assert (
        "lat:nope is skipped" in written[1].stderr and "kodim05.png: 2 pairs" in written[1].stdout
    )
    assert written[1].stdout.endswith("blind.html\n")


def test_nothing_tells_whose_a_picture_is(page: webdriver.Chrome) -> None:
    assert page.find_element(By.ID, "progress").text == "0 of 6 pairs"
    text = page.find_element(By.TAG_NAME, "body").text
    for word in (OWN, "JPEG", "WebP", "kodim"):
        assert word not in text
    assert page.execute_script(
        "return Promise.all([...document.querySelectorAll('#pair img')].map((i) => i.decode()))"
        ".then(() => [...document.querySelectorAll('#pair img')].map((i) => i.naturalWidth))"
    ) == [256, 256]
    shoot(page, "blind")


def test_order_and_sides_are_random(page: webdriver.Chrome, written: tuple[Path, Result]) -> None:
    """Of 24 openings not all begin with the same pair, and our picture is on both sides."""
    first, sides = set(), set()
    for _ in range(24):
        page.get(written[0].as_uri())
        shown = codecs_shown(page, written[0])
        first.add(tuple(sorted(sources(page))))
        sides.add(shown.index(OWN))
    assert len(first) > 1 and sides == {0, 1}


def test_the_original_is_shown_while_asked_for(
    page: webdriver.Chrome, written: tuple[Path, Result]
) -> None:
    before = sources(page)
    originals = {image["src"] for image in data_of(written[0], "data")["images"]}
    ActionChains(page).key_down("o").perform()
    during = sources(page)
    ActionChains(page).key_up("o").perform()
    assert during[0] == during[1] and during[0] in originals
    assert sources(page) == before
    button = page.find_element(By.ID, "original")
    ActionChains(page).click_and_hold(button).perform()
    assert sources(page) == during
    ActionChains(page).release().perform()
    assert sources(page) == before


def vote(page: webdriver.Chrome, path: Path) -> dict[str, list[float]]:
    """Vote on every pair: for us against JPEG, but once for no difference; for WebP against us.

    Returns the scores by rival.
    """
    scores: dict[str, list[float]] = {JPEG: [], WEBP: []}
    for _ in range(6):
        shown = codecs_shown(page, path)
        rival = next(codec for codec in shown if codec != OWN)
        if rival == JPEG and not scores[JPEG]:
            press(page, "e")
            scores[JPEG].append(0.5)
        else:
            wanted = OWN if rival == JPEG else WEBP
            button = "left" if shown[0] == wanted else "right"
            if scores[rival]:
                page.find_element(By.ID, button).click()
            else:
                press(page, "a" if button == "left" else "b")
            scores[rival].append(float(wanted == OWN))
    return scores


def test_votes_are_kept_and_summed_up_with_an_interval(
    page: webdriver.Chrome, written: tuple[Path, Result]
) -> None:
    scores = vote(page, written[0])
    votes = votes_in(page)
    assert len(votes) == 6
    assert {frozenset((vote["left"], vote["right"])) for vote in votes} == {
        frozenset((OWN, JPEG)),
        frozenset((OWN, WEBP)),
    }
    shoot(page, "blind-result")
    assert not page.find_element(By.ID, "voting").is_displayed()
    tables = page.find_elements(By.CSS_SELECTOR, "#result table")
    cells = {
        (texts := [cell.text for cell in row.find_elements(By.TAG_NAME, "td")])[0]: texts[1:]
        for table in tables
        for row in table.find_elements(By.TAG_NAME, "tr")[1:]
    }
    assert cells[JPEG][:4] == ["3", "2", "0", "1"] and scores[JPEG] == [0.5, 1.0, 1.0]
    assert cells[WEBP][:4] == ["3", "0", "3", "0"]
    low, high = stats.binomtest(0, 3).proportion_ci(method="wilson")
    assert cells[WEBP][4] == f"0.0 % ({100 * low:.1f} to {100 * high:.1f})"
    assert cells[JPEG][4].startswith("83.3 % (")
    # Five votes chose a picture; how often PSNR would have chosen the same.
    pairs = data_of(written[0], "data")["pairs"]
    decided = [vote for vote in votes if vote["choice"] != "equal"]
    agreed = 0
    for one in decided:
        first, second = (picture["metrics"][0] for picture in pairs[int(one["pair"])]["pictures"])
        agreed += (one[one["choice"]] == OWN) == (first > second)
    low, high = stats.binomtest(agreed, 5).proportion_ci(method="wilson")
    share = f"{20 * agreed:.1f} % ({100 * low:.1f} to {100 * high:.1f})"
    assert cells["RGB PSNR, dB"] == ["5", share]


def test_the_saved_page_goes_on_with_its_votes(
    page: webdriver.Chrome, written: tuple[Path, Result], tmp_path: Path
) -> None:
    press(page, "a")
    press(page, "e")
    voted = votes_in(page)
    folder = {"behavior": "allow", "downloadPath": str(tmp_path)}
    page.execute_cdp_cmd("Browser.setDownloadBehavior", folder)
    page.find_element(By.ID, "save").click()
    saved = tmp_path / "blind-votes.html"
    for _ in range(600):
        if saved.exists():
            break
        time.sleep(0.1)
    assert data_of(saved, "votes") == voted
    assert data_of(saved, "data") == data_of(written[0], "data")
    page.get(saved.as_uri())
    assert page.find_element(By.ID, "progress").text == "2 of 6 pairs"
    for _ in range(4):
        press(page, "b")
    assert sorted(int(vote["pair"]) for vote in votes_in(page)) == list(range(6))
    assert "6 votes" in page.find_element(By.CSS_SELECTOR, "#result h2").text


def test_the_result_can_be_asked_for_early(page: webdriver.Chrome) -> None:
    press(page, "e")
    page.find_element(By.ID, "reveal").click()
    assert "1 votes" in page.find_element(By.CSS_SELECTOR, "#result h2").text
    press(page, "a")
    assert len(votes_in(page)) == 1, "the end is the end"


def test_says_what_is_wrong(tmp_path: Path) -> None:
    photo = KODAK / "kodim23.png"
    for arguments, says in (
        (("--blind", photo), "--blind needs a folder"),
        ((tmp_path,), "which needs --blind"),
        (("--blind", tmp_path, "--corner", 0, 0), "--corner is of the strip"),
    ):
        run = call("compare", *arguments, "--out", tmp_path / "out")
        assert (run.exit_code, says in run.output) == (2, True), run.output
    run = call("compare", "--blind", tmp_path, "--out", tmp_path / "out")
    assert (run.exit_code, "has no images" in run.stderr) == (1, True)
    # JPEG's tables alone are larger than any file of ours of this.
    Image.new("RGB", (64, 64), "grey").save(tmp_path / "small.png")
    low = ("--against", "jpeg", "--bpp", 0.01)
    run = call("compare", "--blind", tmp_path, *low, "--out", tmp_path / "out")
    assert (run.exit_code, "there is no pair to compare" in run.stderr) == (1, True)
    assert "small.png is not compared with JPEG" in run.stdout
    assert not (tmp_path / "out").exists()
