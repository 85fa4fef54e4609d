"""The pages for a start: what they say is done, and what they state is so."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latentcodec.format import container
from latentcodec.web import ort_web
from tests.page_followed import follow, text_of


@pytest.mark.slow
def test_quick_start(reader: Path, photo: np.ndarray) -> None:
    Image.fromarray(photo[:192, 300:556]).save("photo.png")  # as large as JPEG's tables want it
    follow("index.md")
    assert Path("small.lat").stat().st_size <= 10_000
    assert Path("photo-comparison/comparison.html").is_file()
    assert Image.open("back.png").size == (256, 192)
    assert Image.open("grey.png").mode == "L"


@pytest.mark.slow
def test_questions(reader: Path) -> None:
    follow("faq.md")
    assert Path("photo-comparison/comparison.html").is_file()


def test_limits_are_those_of_the_container() -> None:
    of_pictures = text_of("limits.md").partition("## Of the quality")[0]
    rows = dict(re.findall(r"^\| ([^|]+) \| (\d+)\b", of_pictures, re.MULTILINE))
    assert {name: int(value) for name, value in rows.items()} == {
        "a side": container.MAX_SIDE_PX,
        "the picture": container.MAX_PIXELS,
        "bits per channel": 8,
        "EXIF, ICC profile, XMP, IPTC data, texts": container.MAX_METADATA_BYTES,
        "a preview": container.MAX_PREVIEW_BYTES,
    }


@pytest.mark.slow
@pytest.mark.skipif(not ort_web.is_packaged(), reason="ONNX Runtime Web is not here")
def test_browsers(reader: Path) -> None:
    follow("web.md")
    assert Path("site/pictures/photo.lat").read_bytes() == Path("photo.lat").read_bytes()
    assert Path("photo.html").stat().st_size > 1_000_000
