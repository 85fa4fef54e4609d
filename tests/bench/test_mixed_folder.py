"""One folder of files of every kind, converted there and back with one command each."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from tests.paths import KODAK, ROOT


@pytest.fixture(scope="module")
def script() -> Iterator[ModuleType]:
    """benchmarks/mixed_folder.py"""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "benchmarks")
        import mixed_folder

        yield mixed_folder
    for name in ("mixed_folder", "mixed_files", "ink_profile"):
        del sys.modules[name]


@pytest.mark.slow
def test_every_kind_of_file(script: ModuleType, tmp_path: Path) -> None:
    from mixed_files import KINDS

    photos = sorted(KODAK.glob("*.png"))[::5]
    made = script.make(tmp_path / "mixed", photos, len(KINDS), (48, 100))
    assert {one.kind for one in made} == {*KINDS, None}
    assert script.convert_and_check(tmp_path, made) == []


def test_the_checks_can_fail(script: ModuleType, tmp_path: Path) -> None:
    photos = sorted(KODAK.glob("*.png"))[:1]
    made = [one for one in script.make(tmp_path, photos, 2, (48, 60)) if one.kind]
    source = tmp_path / made[1].path
    back = tmp_path / "back.png"
    kind = made[1].kind
    bare = Image.fromarray(np.asarray(Image.open(source)))  # without its metadata
    bare.save(back)
    wrong = script.check_picture(kind, source, back)[1]
    assert any("camera" in text for text in wrong)
    assert any("ICC" in text for text in wrong)
    assert any("XMP" in text for text in wrong)
    plain = dataclasses.replace(kind, keeps=())
    assert script.check_picture(plain, source, back)[1] == []
    bare.transpose(Image.Transpose.ROTATE_180).save(back)
    assert "PSNR" in script.check_picture(plain, source, back)[1][0]
    bare.convert("L").save(back)
    assert "instead of" in script.check_picture(plain, source, back)[1][0]
    ended = script.Command(0, "2 files: 2 written; 1 kB", "", 1.0)
    assert script.check_reports(made, ended, ended)[0] == "encode ended with 0, not 1"
    assert len(script.check_files(made, tmp_path, tmp_path / "none")) > 2
