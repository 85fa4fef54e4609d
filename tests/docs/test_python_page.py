"""docs/python.md: everything on it is run, in its order."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import latentcodec
from tests.page_followed import blocks, follow, text_of

pytest.importorskip("zarr")


@pytest.mark.slow
def test_every_snippet(reader: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert len(blocks("python.md")) > 7
    follow("python.md")
    printed = capsys.readouterr().out
    assert "the file ends within a chunk" in printed
    assert "(96, 64) RGB 60.0" in printed
    assert latentcodec.read_info("small.lat").quality == 30
    assert Image.open("small.png").size == (96, 64)
    assert np.asarray(Image.open("photo.png")).shape == (64, 96, 3)
    assert len([path for path in Path("slide.zarr/c").rglob("*") if path.is_file()]) == 2


def test_everything_public_is_on_the_page() -> None:
    text = text_of("python.md")
    for name in set(latentcodec.__all__) - {"__version__"}:
        assert re.search(rf"\b{name}\b", text), name
