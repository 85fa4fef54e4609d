"""A batch never ends for one file, and passes over none in silence."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import types
import zlib
from pathlib import Path

import pytest
from PIL import Image

from latentcodec import __main__
from latentcodec.images import plugins
from latentcodec.pipeline import rate_control
from tests.command_line import call, done, one_sentence, typed


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two photographs in a folder, which is that of the caller."""
    monkeypatch.chdir(tmp_path)
    folder = Path("photos")
    folder.mkdir()
    for name in ("a.png", "b.jpg"):
        Image.linear_gradient("L").resize((24, 16)).save(folder / name)
    return folder


def test_what_is_left_out_is_counted_by_suffix(photos: Path) -> None:
    for name in ("x.txt", "y.TXT", "z.nef", "README", "old.lat"):
        (photos / name).write_text("no picture")
    text = done("encode -r photos -o out").stdout
    assert text.splitlines()[-1] == "left out: 2 .txt, 1 without extension, 1 .nef"
    summary = json.loads(done("encode -r photos -o out --json").stdout.splitlines()[-1])["summary"]
    assert summary["left_out"] == {".txt": 2, "without extension": 1, ".nef": 1}
    assert "left out" not in done("encode -r photos -o out --quiet").stdout
    for path in photos.glob("[ab].*"):
        path.unlink()
    assert "left out: 2 .txt" in typed("encode -r photos -o out").stderr


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names are of Unix")
def test_a_pipe_in_a_folder_is_passed_over_and_counted(photos: Path) -> None:
    os.mkfifo(photos / "q.png")
    assert "left out: 1 pipe or device" in done("encode -r photos -o out").stdout


def test_heic_is_read_where_its_package_is_installed(photos: Path) -> None:
    heif = pytest.importorskip("pillow_heif")
    heif.from_pillow(Image.new("RGB", (24, 16))).save(photos / "IMG.HEIC")
    done("encode -r photos -o out")
    assert Path("out/IMG.lat").exists()


BITFIELDS = (  # 16 bits a pixel with masks of 2, 3 and 1 bits
    b"BM"
    + (14 + 52 + 32).to_bytes(4, "little")
    + bytes(4)
    + (14 + 52).to_bytes(4, "little")
    + b"".join(one.to_bytes(4, "little") for one in (40, 4, 4, 1 | 16 << 16, 3, 32, 2835, 2835))
    + bytes(8)
    + b"".join(one.to_bytes(4, "little") for one in (0x30, 0xE, 0x1))
    + bytes(32)
)


def _checksum(chunk: bytes) -> bytes:
    return zlib.crc32(chunk).to_bytes(4, "big")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("bitfields.bmp", "cannot be read: Unsupported BMP bitfields layout"),
        ("cut.png", "is a damaged image: "),
        ("cut.jpg", "is a damaged image: "),
        ("wrong.png", "is not an image that Pillow can read: not a PNG file"),
        ("no-header.png", "is not an image that Pillow can read: broken PNG file"),
        ("depth.png", "is not an image that Pillow can read: its header has no size or no mode"),
    ],
)
def test_what_is_damaged_and_what_is_of_an_unknown_kind(photos: Path, name: str, says: str) -> None:
    """The reason is Pillow's; whether somebody has to find the file again is ours."""
    png, jpg = ((photos / other).read_bytes() for other in ("a.png", "b.jpg"))
    contents = {
        "bitfields.bmp": BITFIELDS,
        "cut.png": png[: len(png) // 2],
        "cut.jpg": jpg[: len(jpg) // 2],
        "wrong.png": jpg[:3] + b"no picture",
        "no-header.png": png[:16] + bytes(8) + png[24:],
        # 99 bits a sample, under a checksum that fits.
        "depth.png": png[:24]
        + b"\x63"
        + png[25:29]
        + _checksum(png[12:24] + b"\x63" + png[25:29])
        + png[33:],
    }
    (photos / name).write_bytes(contents[name])
    result = call("encode", photos / name, "-o", "x.lat")
    assert result.exit_code == 1 and says in one_sentence(result.stderr)
    assert not Path("x.lat").exists()


def test_an_error_names_the_package_that_would_help(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, package in (("a.heic", "pillow-heif"), ("a.jxl", "pillow-jxl-plugin")):
        (photos / name).write_bytes(b"of no kind")
        for found, is_named in ((None, True), (object(), False)):
            monkeypatch.setattr(plugins, "find_spec", lambda module, found=found: found)
            stderr = typed(f"encode photos/{name}").stderr
            assert "that Pillow can read" in stderr and (package in stderr) == is_named
    assert plugins.advice(".png") == ""


@pytest.mark.parametrize("named", ["x.heic", "x.png --format heic", "x.jxl"])
def test_what_is_not_written_names_the_package_that_would_help(
    photos: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    """As where the package is not installed, so that Pillow knows nothing of its extensions."""
    monkeypatch.setattr(plugins, "find_spec", lambda module: None)
    known = {".png": "PNG"}
    monkeypatch.setattr(Image, "registered_extensions", lambda: known)
    result = typed(f"decode x.lat {named}")
    package = "pillow-jxl-plugin" if "jxl" in named else "pillow-heif"
    assert result.exit_code == 2 and f"the package {package} writes them" in result.stderr


@pytest.mark.slow
def test_names_that_the_output_cannot_spell(photos: Path) -> None:
    (photos / "a.png").rename(photos / "写真.png")
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252"}
    command = [sys.executable, "-m", "latentcodec", "encode", "-r", "photos", "-o", "out"]
    result = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert result.returncode == 0, result.stderr
    assert b"\\u5199\\u771f.lat" in result.stdout
    assert sorted(path.name for path in Path("out").iterdir()) == ["b.lat", "写真.lat"]


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("[enforce fail at alloc_cpu.cpp:127] err == 0. can't allocate memory"),
        RuntimeError("could not create a primitive"),
    ],
)
def test_memory_that_is_short_ends_one_file(
    photos: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    whole = rate_control.encode

    def fails_once(*arguments: object, **options: object) -> object:
        monkeypatch.setattr(rate_control, "encode", whole)
        raise error

    monkeypatch.setattr(rate_control, "encode", fails_once)
    result = typed("encode -r photos -o out -j 1")
    assert result.exit_code == 1
    assert "photos/a.png: there is not enough memory for this picture" in result.stderr
    assert [path.name for path in Path("out").iterdir()] == ["b.lat"]


def test_mistakes_of_the_program_are_not_hidden(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*arguments: object, **options: object) -> object:
        raise RuntimeError("something else")

    monkeypatch.setattr(rate_control, "encode", fails)
    assert isinstance(typed("encode photos/a.png").exception, RuntimeError)


def test_ctrl_c_ends_with_130(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*arguments: object, **options: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr(rate_control, "encode", interrupted)
    assert typed("encode photos/a.png").exit_code == 130


def test_ctrl_c_while_the_program_loads_ends_with_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Interrupted(types.ModuleType):
        def __getattr__(self, name: str) -> object:
            raise KeyboardInterrupt

    monkeypatch.setitem(sys.modules, "latentcodec.cli", Interrupted("latentcodec.cli"))
    with pytest.raises(SystemExit) as ended:
        __main__.run()
    assert (ended.value.code, capsys.readouterr().err) == (130, "Interrupted\n")


def test_an_output_without_an_extension_is_a_folder(photos: Path) -> None:
    done("encode photos/a.png -o one")
    done("encode photos/a.png photos/b.jpg -o one")
    assert sorted(path.name for path in Path("one").iterdir()) == ["a.lat", "b.lat"]
    done("decode one/a.lat -o back --format jpg")
    assert Path("back/a.jpg").exists()
    done("encode photos/a.png -o two.lat")
    assert Path("two.lat").is_file()


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/stdout").exists(), reason="only Unix has it")
@pytest.mark.parametrize("how", ["-o /dev/stdout", "-o -"])
def test_standard_output_by_its_name(photos: Path, how: str) -> None:
    # Both in processes of their own, whose products are not quite those of a program.
    command = [sys.executable, "-m", "latentcodec", "encode", "photos/a.png"]
    subprocess.run([*command, "-o", "a.lat"], capture_output=True, check=True)
    result = subprocess.run([*command, *how.split()], capture_output=True, check=True)
    assert result.stdout == Path("a.lat").read_bytes()


def test_two_of_a_name(photos: Path) -> None:
    Image.new("L", (8, 8)).save(photos / "b.png")
    assert "is what" in typed("encode -r photos -o out").stderr
    done("encode -r photos -o both --keep-suffix")
    names = ["a.png.lat", "b.jpg.lat", "b.png.lat"]
    assert sorted(path.name for path in Path("both").iterdir()) == names
    done("decode -r both -o back")
    assert sorted(path.name for path in Path("back").iterdir()) == [
        name.replace(".lat", ".png") for name in names
    ]


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_broken_file_blocks_no_other_of_its_name(photos: Path, jobs: int) -> None:
    (photos / "b.jpg").write_bytes(b"broken")
    Image.new("L", (8, 8)).save(photos / "b.png")
    Image.new("L", (9, 9)).save(photos / "b.webp")
    result = typed(f"encode -r photos -o out -j {jobs}")
    assert result.exit_code == 1
    assert "b.jpg is not an image" in result.stderr
    assert "2 of 4 files failed" in result.stderr, "the third of the name still gives way"
    facts = json.loads(call("info", "--json", "out/b.lat").stdout)
    assert facts["width_px"] == 8


def test_decoding_beside_an_original_does_not_replace_it(photos: Path) -> None:
    done("encode -r photos")
    before = (photos / "a.png").read_bytes()
    result = typed("decode photos/a.lat photos/b.lat -o photos")
    assert result.exit_code == 1 and "may be its original" in result.stderr
    assert (photos / "a.png").read_bytes() == before
    assert (photos / "b.png").exists()
    done("decode photos/a.lat photos/a.png")  # named by the caller
    assert (photos / "a.png").read_bytes() != before


@pytest.mark.parametrize("suffix", ["jpg", "bmp", "ppm", "gif"])
def test_alpha_needs_a_background_where_a_format_has_none(photos: Path, suffix: str) -> None:
    """Half of the picture is clear: refused without one, and put on it with one."""
    image = Image.new("RGBA", (32, 16), (200, 30, 60, 255))
    image.paste((0, 0, 0, 0), (0, 0, 16, 16))
    image.save(photos / "clear.png")
    done("encode photos/clear.png x.lat -q 90")
    target = f"x.{suffix}"
    result = typed(f"decode x.lat {target}")
    assert result.exit_code == 1 and not Path(target).exists()
    assert "has no transparency: choose a background" in one_sentence(result.stderr)
    done(f"decode x.lat {target} --background #0000ff")
    with Image.open(target) as shown:
        red, green, blue = shown.convert("RGB").getpixel((4, 8))
    assert (red < 20, green < 20, blue > 235) == (True,) * 3
    assert typed(f"decode x.lat {target} --background nosuch").exit_code == 2


@pytest.mark.slow
def test_streams_that_are_closed(photos: Path) -> None:
    for line, name in (
        ("encode photos/a.png - >&-", "output"),
        ("encode - -o b.lat <&-", "input"),
        ("info - <&-", "input"),
    ):
        command = f"{sys.executable} -m latentcodec {line}"
        found = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
        assert found.returncode == 1
        assert f"standard {name} is closed" in one_sentence(found.stderr)


def test_a_motion_photo_in_a_folder_is_read(photos: Path) -> None:
    image = Image.new("RGB", (32, 24))
    image.save(photos / "c.mpo", save_all=True, append_images=[image])
    typed("encode -r photos -o out")
    assert Path("out/c.lat").is_file()


def test_integers_of_32_bits_are_refused(photos: Path) -> None:
    Image.new("I", (8, 8), 200).save(photos / "deep.tif")
    assert "32 bits per channel" in one_sentence(typed("encode photos/deep.tif").stderr)
