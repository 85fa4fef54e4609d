"""HTML to pixels by headless Chromium."""

from __future__ import annotations

import base64
import contextlib
import io
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image

# How the edges of text are drawn, in the words of fontconfig, which Chromium asks. `subpixel`
# colours them for the red, green and blue thirds of an LCD's pixels.
_ANTIALIASING = {
    "grey": {"hintstyle": "hintslight", "rgba": "none"},
    "hinted": {"hintstyle": "hintfull", "rgba": "none"},
    "subpixel": {"hintstyle": "hintslight", "rgba": "rgb"},
}
_FONTCONFIG = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>
<include>/etc/fonts/fonts.conf</include><match target="pattern">{}</match></fontconfig>"""
_ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",  # which root cannot have; the pages are the project's own
    "--disable-gpu",
    "--hide-scrollbars",
    "--allow-file-access-from-files",  # the fonts
)


class NoBrowser(Exception):
    """Pages cannot be drawn here, and why."""


class Browser:
    """One Chromium, which draws text in one way."""

    def __init__(self, driver: Any, folder: Path) -> None:
        self._driver = driver
        self._page = folder / "page.html"

    def render(self, html: str, width: int, height: int, ratio: float) -> Image.Image:
        """The top left of a page, `width` times `height` px, `ratio` of them to a CSS px.

        Raises:
            OSError: The browser fails.
        """
        from selenium.common.exceptions import WebDriverException

        self._page.write_text(html, encoding="utf-8")
        try:
            png = self._screenshot(width, height, ratio)
        except WebDriverException as error:
            raise OSError(f"Chromium fails ({str(error).splitlines()[0]})") from None
        return Image.open(io.BytesIO(png)).convert("RGB")

    def _screenshot(self, width: int, height: int, ratio: float) -> bytes:
        view = {"width": round(width / ratio), "height": round(height / ratio)}
        self._command(
            "Emulation.setDeviceMetricsOverride", **view, deviceScaleFactor=ratio, mobile=False
        )
        self._driver.get(self._page.as_uri())
        self._command("Runtime.evaluate", expression="document.fonts.ready", awaitPromise=True)
        shot = self._command("Page.captureScreenshot", format="png")
        return base64.b64decode(shot["data"])

    def _command(self, name: str, **parameters: Any) -> Any:
        return self._driver.execute_cdp_cmd(name, parameters)


@contextlib.contextmanager
def browsers() -> Iterator[list[Browser]]:
    """One Chromium for each way of drawing text.

    Raises:
        NoBrowser: Chromium, its driver or selenium is not here, or does not start.
    """
    try:
        from selenium.common.exceptions import WebDriverException
    except ImportError:
        raise NoBrowser("the Python package selenium is not installed") from None
    with contextlib.ExitStack() as stack:
        try:
            started = [_start(stack, edits) for edits in _ANTIALIASING.values()]
        except WebDriverException as error:
            raise NoBrowser(f"Chromium does not start ({str(error).splitlines()[0]})") from None
        yield started


def _start(stack: contextlib.ExitStack, edits: dict[str, str]) -> Browser:
    from selenium import webdriver

    names = ("chromium", "chromium-browser", "google-chrome")
    binary = next(filter(None, map(shutil.which, names)), None)
    driver_path = shutil.which("chromedriver")
    if binary is None or driver_path is None:
        raise NoBrowser("Chromium and chromedriver are not installed")
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    lcd = "--enable-lcd-text" if edits["rgba"] == "rgb" else "--disable-lcd-text"
    for argument in (*_ARGUMENTS, lcd):
        options.add_argument(argument)
    lines = (
        f'<edit name="{name}" mode="assign"><const>{value}</const></edit>'
        for name, value in edits.items()
    )
    (folder / "fonts.conf").write_text(_FONTCONFIG.format("".join(lines)), encoding="utf-8")
    environment = {**os.environ, "FONTCONFIG_FILE": str(folder / "fonts.conf")}
    service = webdriver.ChromeService(driver_path, env=environment)
    driver = webdriver.Chrome(options=options, service=service)
    stack.callback(driver.quit)
    return Browser(driver, folder)
