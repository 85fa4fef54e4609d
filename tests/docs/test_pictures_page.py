"""Every row of docs/pictures.md, done."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import latentcodec
from latentcodec.errors import LatError, LossWarning
from latentcodec.images.files import open_image
from tests.image_files import deep_png
from tests.paths import DOCS

PAGE = DOCS / "pictures.md"
SIZE = (24, 20)


def picture(mode: str) -> Image.Image:
    x, y = np.meshgrid(np.arange(SIZE[0]), np.arange(SIZE[1]))
    rgb = np.dstack([x * 10, y * 12, (x + y) * 5]).astype(np.uint8)
    return Image.fromarray(rgb).convert(mode)


def alpha() -> Image.Image:
    return Image.linear_gradient("L").resize(SIZE)


def file(image: Image.Image, form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format=form, **options)
    return buffer.getvalue()


def with_alpha(mode: str) -> bytes:
    image = picture(mode)
    image.putalpha(alpha())
    return file(image, "PNG")


def lab() -> bytes:
    return file(Image.new("LAB", SIZE, (120, 140, 110)), "TIFF")


def deep_grey() -> bytes:
    return file(Image.fromarray(np.arange(480, dtype=np.uint16).reshape(20, 24) * 130), "PNG")


FILES: dict[str, Callable[[], bytes]] = {
    "RGB, 8 bits": lambda: file(picture("RGB"), "PNG"),
    "grey, 8 bits": lambda: file(picture("L"), "PNG"),
    "black and white, 1 bit": lambda: file(picture("1"), "PNG"),
    "palette": lambda: file(picture("P"), "PNG"),
    "palette with transparency": lambda: file(
        picture("P"), "PNG", transparency=picture("P").getpixel((0, 0))
    ),
    "RGB with alpha": lambda: with_alpha("RGB"),
    "grey with alpha": lambda: with_alpha("L"),
    "alpha that is opaque everywhere": lambda: file(picture("RGBA"), "PNG"),
    "grey, 16 bits": deep_grey,
    "RGB, 16 bits (PNG)": lambda: deep_png(2, 3),
    "CMYK": lambda: file(picture("CMYK"), "TIFF"),
    "CIE L\\*a\\*b\\*": lab,
    "several frames or pages": lambda: file(
        picture("RGB"), "TIFF", save_all=True, append_images=[picture("RGB").rotate(180)]
    ),
    "a phone's JPEG with a preview (MPO)": lambda: file(
        picture("RGB"), "MPO", save_all=True, append_images=[picture("RGB").resize((8, 8))]
    ),
    "integers of 32 bits": lambda: file(Image.new("I", SIZE), "TIFF"),
    "floating point": lambda: file(Image.new("F", SIZE), "TIFF"),
}
ROWS = [
    [cell.strip() for cell in line.strip("|\n").split(" | ")]
    for line in PAGE.read_text().splitlines()
    if line.startswith("|") and not line.startswith(("|---", "| kind"))
]


def test_the_page_has_these_rows() -> None:
    assert [row[0] for row in ROWS] == list(FILES)


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_a_row_is_true(row: list[str], tmp_path: Path) -> None:
    name, stored, mode, strict = row[0], row[1], row[2], row[-1]
    path = tmp_path / "picture"
    path.write_bytes(FILES[name]())
    if stored == "refused":
        with pytest.raises(LatError):
            latentcodec.encode(open_image(path))
        return
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        data = latentcodec.encode(open_image(path))
    losses = [w for w in said if w.category is LossWarning]
    assert len(losses) == ("with a warning" in stored)
    assert latentcodec.decode(data).mode == mode
    if strict == "refused":
        with pytest.raises(LatError):
            latentcodec.encode(open_image(path, strict=True), strict=True)
    else:
        assert latentcodec.encode(open_image(path, strict=True), strict=True) == data
