"""The rivals, codecs from other packages, and files of one size."""

from __future__ import annotations

import io
import os
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image, features

from latentcodec.bench import rivals
from latentcodec.bench.codecs import find, names
from latentcodec.bench.matching import match_sizes
from latentcodec.bench.rows import Row, read_rows
from latentcodec.bench.selection import QUICK, THOROUGH
from latentcodec.bench.styles import styles
from latentcodec.cli import main
from latentcodec.errors import LatError
from tests.paths import KODAK, ROOT

PAGE = (ROOT / "docs/benchmark.md").read_text(encoding="utf-8")
ALL = (
    *("lat", "jpeg", "jpeg:444", "jpegli", "webp", "avif", "avif:10", "avif:psnr:444:10"),
    *("jpeg2000", "jxl", "heic", "heic:psnr:444:fast"),
)


@pytest.fixture(scope="module")
def crop() -> Image.Image:
    """A crop of a photograph, 256x192 px."""
    with Image.open(KODAK / "kodim23.png") as image:
        return Image.fromarray(np.asarray(image.crop((250, 60, 506, 252))))


@pytest.mark.parametrize("name", ALL)
def test_every_codec_round_trips_and_rises(name: str, crop: Image.Image) -> None:
    codec = find(name)
    if reason := codec.missing():
        pytest.skip(reason)
    assert codec.name == name
    assert len(codec.settings) == 10
    assert codec.version()
    sizes, errors = [], []
    for setting in (codec.settings[1], codec.settings[5], codec.settings[9]):
        data = codec.encode(crop, setting)
        decoded = codec.decode(data)
        assert (decoded.mode, decoded.size) == ("RGB", crop.size)
        sizes.append(len(data))
        errors.append(np.square(np.asarray(decoded, int) - np.asarray(crop, int)).mean())
    assert sizes == sorted(sizes)
    assert errors == sorted(errors, reverse=True)
    fine = codec.fine_settings
    assert len(codec.encode(crop, fine[0])) < sizes[2]


def test_jpeg_between_whole_qualities_is_libjpegs_own(crop: Image.Image) -> None:
    jpeg = find("jpeg")
    for quality in (10, 50, 90):
        nearly = jpeg.encode(crop, quality + 1e-9)
        assert nearly == jpeg.encode(crop, quality)
    assert len(jpeg.encode(crop, 30)) < len(jpeg.encode(crop, 30.5)) < len(jpeg.encode(crop, 31))


@pytest.mark.parametrize(
    "name", ["jpeg:411", "webp:7", "avif:11", "avif:x", "avif:2:3", "jxl:0", "heic:1", "jpegli:444"]
)
def test_options_that_mean_nothing(name: str) -> None:
    with pytest.raises(LatError, match=name):
        find(name)


def test_options_come_in_any_order_and_are_said(crop: Image.Image) -> None:
    first, second = find("avif:psnr:444:9"), find("avif:9:444:psnr")
    assert first.label == second.label == "AVIF tune psnr, speed 9, 4:4:4"
    assert first.encode(crop, 40) == second.encode(crop, 40)
    assert find("heic:444").label == "HEIC by x265, preset slow, tune ssim, 4:4:4"
    with pytest.raises(LatError, match=r"a tune \(iq, psnr, ssim\), a subsampling .*\(0 to 10\)"):
        find("avif:12")


@pytest.mark.parametrize(
    ("name", "options"),
    [("avif", {"speed": 6, "autotiling": False, "max_threads": 2}), ("heic", {})],
)
def test_defaults_are_those_of_pillow(
    name: str, options: dict[str, object], crop: Image.Image
) -> None:
    """So that the label of a default says what Pillow does where it is told nothing."""
    codec = find(name)
    if reason := codec.missing():
        pytest.skip(reason)
    buffer = io.BytesIO()
    crop.save(buffer, {"avif": "AVIF", "heic": "HEIF"}[name], quality=50, **options)
    assert codec.encode(crop, 50) == buffer.getvalue()


@pytest.mark.parametrize("name", ["avif", "avif:psnr:444:8"])
def test_avif_is_the_same_on_any_number_of_cores(
    name: str, crop: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Left to itself, libavif cuts tiles by the number of cores, and one thread codes otherwise."""
    encoded = set()
    for count in (1, 2, 5):
        monkeypatch.setattr(rivals, "cores", lambda count=count: count)
        encoded.add(find(name).encode(crop, 40))
    assert len(encoded) == 1


def test_what_is_measured_when_nothing_is_named() -> None:
    chosen = [find(name) for name in (*QUICK, *THOROUGH)]
    assert len({codec.label for codec in chosen}) == len(chosen)
    looks = styles([codec.name for codec in chosen])
    assert len({(look.color, look.marker) for look in looks.values()}) == len(chosen)
    assert len({look.marker for look in looks.values()}) == len(chosen)
    assert not {"avif:2", "jxl:9"} & set(QUICK), "the slow ones are for --thorough"


def test_an_option_that_a_library_lacks_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ValueError("Invalid codec-specific option")

    monkeypatch.setattr(Image.Image, "save", refuse)
    assert "cannot write it: Invalid codec-specific option." in str(find("avif").missing())


def test_missing_formats_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "check", lambda feature: feature != "avif")
    assert "built without AVIF" in str(find("avif").missing())
    assert find("webp").missing() is None
    monkeypatch.setitem(sys.modules, "pyjpegli", None)
    assert "pyjpegli is not installed" in str(find("jpegli").missing())
    monkeypatch.setitem(sys.modules, "pillow_jxl", None)
    assert "pillow-jxl-plugin is not installed" in str(find("jxl").missing())
    assert "no model 'nope'" in str(find("lat:nope").missing())


@pytest.fixture
def cwebp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The example of the documentation, installed, with stand-ins for the commands it runs."""
    code = re.search(r"```python\n(.*?)```", PAGE, re.S)
    entry = re.search(r'```toml\n\[project.entry-points."(.*?)"\]\n(.*?) = "(.*?)"', PAGE, re.S)
    assert code and entry
    (tmp_path / "cwebp_codec.py").write_text(code[1], encoding="utf-8")
    metadata = tmp_path / "cwebp_codec-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Name: cwebp-codec\nVersion: 1.0\n", encoding="utf-8")
    (metadata / "entry_points.txt").write_text(
        f"[{entry[1]}]\n{entry[2]} = {entry[3]}\nbad = nowhere:make\n", encoding="utf-8"
    )
    head = f"#!{sys.executable}\nimport sys\nfrom PIL import Image\nargs = sys.argv\n"
    version = "if '-version' in args:\n    print('9.9.9')\n    sys.exit()\n"
    save = "Image.open(args[{}]).save(args[-1], {})\n"
    commands = {
        "cwebp": head + version + save.format(-3, "quality=float(args[3]), method=int(args[5])"),
        "dwebp": head + save.format(2, ""),
    }
    for name, text in commands.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.syspath_prepend(tmp_path)


def test_codec_of_another_package(cwebp: None, crop: Image.Image) -> None:
    assert {"lat", "heic", "cwebp"} <= set(names())
    codec = find("cwebp:4")
    assert (codec.name, codec.label, codec.missing()) == ("cwebp:4", "cwebp, method 4", None)
    assert codec.version() == "cwebp 9.9.9"
    data = codec.encode(crop, 30)
    assert data[:4] == b"RIFF"
    assert codec.decode(data).size == crop.size
    with pytest.raises(LatError, match="codec bad of nowhere:make cannot be loaded"):
        find("bad")


@pytest.mark.slow
def test_codec_of_another_package_in_the_benchmark(
    cwebp: None, crop: Image.Image, tmp_path: Path
) -> None:
    pytest.importorskip("pytorch_msssim", reason="the extra `bench` is not installed")
    (tmp_path / "photos").mkdir()
    crop.save(tmp_path / "photos/photo.png")
    arguments = ["bench", str(tmp_path / "photos"), "--out", str(tmp_path / "out")]
    arguments += ["--codecs", "cwebp,webp", "--points", "3", "--timed-images", "0"]
    run = CliRunner().invoke(main, arguments)
    assert run.exit_code == 0, run.output
    assert "| cwebp, method 6 | -" in run.stdout
    assert "the anchor jpeg was not measured" in run.stdout
    rows = read_rows(Row, tmp_path / "out/rd.csv")
    assert [row.version for row in rows if row.codec == "cwebp"] == ["cwebp 9.9.9"] * 3


@pytest.mark.slow
def test_sizes_meet_within_two_percent(crop: Image.Image) -> None:
    chosen = [find(name) for name in ("lat", "jpeg", "webp", "avif") if not find(name).missing()]
    matches = match_sizes(chosen, crop, 0.6 * 256 * 192 / 8)
    sizes = [len(match.data) for match in matches]
    assert max(sizes) <= 1.02 * min(sizes)
    assert np.mean(sizes) == pytest.approx(0.6 * 256 * 192 / 8, rel=0.15)
    for match in matches:
        assert match.data == match.codec.encode(crop, match.setting)
        assert 20 < match.psnr < 50
