"""HTML to pixels by headless Chromium."""

from __future__ import annotations

import base64
import io
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image


def chromium() -> tuple[str, str] | None:
    """The paths of Chromium and its driver, or None."""
    names = ("chromium", "chromium-browser", "google-chrome")
    browser = next(filter(None, map(shutil.which, names)), None)
    driver = shutil.which("chromedriver")
    return (browser, driver) if browser and driver else None


# How text is drawn: Chromium asks fontconfig. "subpixel" colours the edges for LCDs.
SMOOTHINGS = {
    "grey": {"hintstyle": "hintslight", "rgba": "none"},
    "hinted": {"hintstyle": "hintfull", "rgba": "none"},
    "subpixel": {"hintstyle": "hintslight", "rgba": "rgb"},
}
_FONTCONFIG = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>
<include>/etc/fonts/fonts.conf</include><match target="pattern">{}</match></fontconfig>"""


class Browser:
    """One headless Chromium that draws text in one of SMOOTHINGS."""

    def __init__(self, smoothing: str) -> None:
        from selenium import webdriver

        found = chromium()
        if found is None:
            raise FileNotFoundError("chromium and chromedriver are not installed")
        options = webdriver.ChromeOptions()
        options.binary_location = found[0]
        lcd = "--enable-lcd-text" if smoothing == "subpixel" else "--disable-lcd-text"
        for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", lcd):
            options.add_argument(argument)
        self._folder = tempfile.TemporaryDirectory()
        edits = "".join(
            f'<edit name="{name}" mode="assign"><const>{value}</const></edit>'
            for name, value in SMOOTHINGS[smoothing].items()
        )
        fonts = Path(self._folder.name, "fonts.conf")
        fonts.write_text(_FONTCONFIG.format(edits), encoding="utf-8")
        environment = {**os.environ, "FONTCONFIG_FILE": str(fonts)}
        service = webdriver.ChromeService(found[1], env=environment)
        self._driver: Any = webdriver.Chrome(options=options, service=service)

    def render(self, html: str, width: int, height: int, ratio: float) -> Image.Image:
        """The top of a page in `width` times `height` px of the device, `ratio` to a CSS px."""
        page = Path(self._folder.name, "page.html")
        page.write_text(html, encoding="utf-8")
        metrics = {"width": round(width / ratio), "height": round(height / ratio)}
        self._driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {**metrics, "deviceScaleFactor": ratio, "mobile": False},
        )
        self._driver.get(page.as_uri())
        shot = self._driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})
        return Image.open(io.BytesIO(base64.b64decode(shot["data"]))).convert("RGB")

    def close(self) -> None:
        """End the browser."""
        self._driver.quit()
        self._folder.cleanup()
