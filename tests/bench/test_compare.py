"""`latentcodec compare`: one photograph, one size, a page and a strip."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from latentcodec.cli import main
from tests.paths import KODAK


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    with Image.open(KODAK / "kodim23.png") as image:
        image.crop((250, 60, 570, 340)).save(path)
    return path


@pytest.mark.slow
def test_writes_page_and_strip(
    photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = ["compare", str(photo), "--bpp", "0.4", "--against", "jpeg,avif,lat:nope"]
    run = CliRunner().invoke(main, [*arguments, "--corner", "9999", "0"])
    assert run.exit_code == 0, run.output
    assert "lat:nope is skipped: there is no model" in run.stderr
    sizes = [int(size.replace(",", "")) for size in re.findall(r"([\d,]+) bytes", run.stdout)]
    assert len(sizes) == 3
    assert max(sizes) <= 1.02 * min(sizes)
    page = (tmp_path / "photo-comparison/comparison.html").read_text(encoding="utf-8")
    assert page.count("data:image/webp;base64,") == 2  # the original and what latentcodec decodes
    assert "data:image/jpeg;base64," in page and "data:image/avif;base64," in page
    strip = Image.open(tmp_path / "photo-comparison/comparison.png")
    assert strip.size == (4 * 512 + 3 * 8, 512 + 52)
    # The corner was moved so that the crop is inside.
    original = np.asarray(Image.open(photo).convert("RGB"))[:256, -256:]
    assert (np.asarray(strip)[52::2, :512:2] == original).all()


@pytest.mark.slow
def test_there_is_always_a_page(photo: Path, tmp_path: Path) -> None:
    """WebP has no pictures of 16,384 px."""
    wide, out = Image.new("RGBA", (16384, 16), (90, 120, 150, 128)), tmp_path / "out"
    with Image.open(photo) as image:  # of one colour, files would have no sizes to choose from
        for left in range(256, wide.width, image.width):
            wide.paste(image, (left, 0))
    wide.save(photo)
    arguments = ["compare", str(photo), "--against", "jpeg,webp", "--corner", "0", "0"]
    run = CliRunner().invoke(main, [*arguments, "--out", str(out)])
    assert run.exit_code == 0, run.output
    told = run.stderr.splitlines()
    assert [line.startswith("Warning: ") for line in told] == [True] * 2, run.stderr
    assert "photo.png has transparency, which not every codec holds: it is put on white" in told[0]
    assert told[1].startswith("Warning: WebP, method 6, 4:2:0 failed at")
    assert len(re.findall(r"[\d,]+ bytes", run.stdout)) == 2
    page = (out / "comparison.html").read_text(encoding="utf-8")
    assert page.count("data:image/png;base64,") == 2 and "data:image/jpeg;base64," in page
    assert Image.open(out / "comparison.png").convert("RGB").getpixel((4, 60)) == (172, 187, 202)


def test_says_what_is_wrong(photo: Path, tmp_path: Path) -> None:
    def exit_of(*arguments: str) -> tuple[int, str]:
        run = CliRunner().invoke(main, ["compare", *arguments, "--out", str(tmp_path / "out")])
        return run.exit_code, run.output

    assert exit_of(str(tmp_path / "none.png"))[0] == 2
    code, text = exit_of(str(photo), "--against", "gif")
    assert code == 2 and "no codec 'gif'" in text
    code, text = exit_of(str(photo), "--model", "nope")
    assert code == 1 and "there is no model 'nope'" in text
    (tmp_path / "text.png").write_text("no picture", encoding="utf-8")
    code, text = exit_of(str(tmp_path / "text.png"))
    assert code == 1 and text.count("\n") == 1
    assert not (tmp_path / "out").exists()
