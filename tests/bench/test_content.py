"""Tables by what the images show."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("scipy", reason="the extra `bench` is not installed")

from latentcodec.bench.codecs import find
from latentcodec.bench.content import content_tables, read_labels
from latentcodec.bench.images import LABELS_FILE, list_images
from latentcodec.bench.rows import Row
from latentcodec.errors import LatError
from tests.bench.test_curves import rows_of
from tests.paths import KODAK, ROOT


def labels_of(tmp_path: Path, text: str) -> dict[str, list[str]]:
    path = tmp_path / LABELS_FILE
    path.write_text(text, encoding="utf-8")
    return read_labels(path)


def measured(names: tuple[str, ...]) -> list[Row]:
    """Rows of a codec that saves half on `a` and `b` and nothing on `c`."""
    rows = rows_of("jpeg", {"a": 1.0, "b": 1.0, "c": 1.0})
    for name in names:
        rows += rows_of(name, {"a": 0.5, "b": 0.5, "c": 1.0})
    return rows


def test_each_label_has_the_bd_rate_of_its_images(tmp_path: Path) -> None:
    labels = labels_of(tmp_path, "image,labels\na,night\nb,night text\nc,text\nd,water\n")
    codecs = [find(name) for name in ("lat", "jpeg", "webp")]
    psnr, ssimulacra2 = content_tables(labels, codecs, measured(("lat", "webp")))
    assert psnr.headings == ["codec", "night (2)", "text (2)"], "no image shows water"
    assert [row[0] for row in psnr.rows] == ["latentcodec", "WebP, method 6, 4:2:0"]
    assert psnr.rows[0][1:] == ["-50.0 %", "-25.0 %"]
    assert ssimulacra2.rows[0][1:] == ["-50.0 %", "-25.0 %"]
    assert "RGB PSNR" in psnr.title and "SSIMULACRA2" in ssimulacra2.title


def test_no_labels_and_no_anchor_have_no_tables(tmp_path: Path) -> None:
    rows = measured(("lat",))
    assert content_tables({}, [find("lat"), find("jpeg")], rows) == []
    labels = labels_of(tmp_path, "image,labels\na,night\n")
    without = [row for row in rows if row.codec != "jpeg"]
    assert content_tables(labels, [find("lat")], without) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "needs the columns image,labels"),
        ("name,kind\na,b\n", "needs the columns image,labels"),
        ("image,labels\na\n", "no image and labels in line 2"),
        ("image,labels\na,b,c\n", "no image and labels in line 2"),
        ('image,labels\n"a,b\n', "cannot be read as labels"),
    ],
)
def test_says_what_is_no_file_of_labels(text: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(LatError, match=says):
        labels_of(tmp_path, text)


@pytest.mark.parametrize("folder", [KODAK, ROOT / "benchmarks" / "data" / "graphics"])
def test_every_image_of_the_sets_has_a_label(folder: Path) -> None:
    labels = read_labels(folder / LABELS_FILE)
    named = {image for images in labels.values() for image in images}
    assert named == {path.name for path in list_images(folder)}
