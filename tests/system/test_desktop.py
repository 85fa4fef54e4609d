"""What a desktop has of `.lat` files: `latentcodec desktop`, `view` and `thumbnail`."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import latentcodec
from latentcodec.cli import desktop
from tests.command_line import call, done, fails, one_sentence

WRITTEN = {
    *("mime/packages/latentcodec.xml", "thumbnailers/latentcodec.thumbnailer"),
    *("applications/latentcodec.desktop", "man/man1/latentcodec.1"),
    *("bash-completion/completions/latentcodec", "zsh/site-functions/_latentcodec"),
    *("fish/vendor_completions.d/latentcodec.fish", "latentcodec/latentcodec.magic"),
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a user's data are, with something of another program in it."""
    data = tmp_path / "data of a user"
    monkeypatch.setenv("XDG_DATA_HOME", str(data))
    (data / "thumbnailers").mkdir(parents=True)
    (data / "thumbnailers/other.thumbnailer").write_text("[Thumbnailer Entry]")
    return data


def _files(home: Path) -> set[str]:
    """All but what update-mime-database and its like make of them."""
    made = ("mimeinfo.cache", "applications/mimeinfo.cache")
    found = (path for path in home.rglob("*") if path.is_file())
    names = {path.relative_to(home).as_posix() for path in found}
    made_for_mime = {name for name in names if name.startswith("mime/") and "packages" not in name}
    return names - made_for_mime - set(made)


def _keys(path: Path) -> dict[str, str]:
    lines = path.read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def test_what_is_installed_is_uninstalled_and_nothing_else(home: Path) -> None:
    for _ in range(2):
        told = done("desktop install").stdout.splitlines()
        assert {line.removesuffix(": written") for line in told} == {
            str(home / name) for name in WRITTEN
        }
        assert _files(home) == WRITTEN | {"thumbnailers/other.thumbnailer"}
    assert len(done("desktop uninstall").stdout.splitlines()) == len(WRITTEN)
    assert _files(home) == {"thumbnailers/other.thumbnailer"}
    assert done("desktop uninstall").stdout == ""


def test_without_the_variable_it_is_the_folder_of_the_specification(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    done("desktop install")
    assert _files(tmp_path / ".local/share") == WRITTEN
    done("desktop uninstall")


def test_a_folder_that_cannot_be_written_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "file"))
    result = call("desktop", "install")
    assert result.exit_code == 1 and "file" in one_sentence(result.stderr)


@pytest.mark.slow
def test_the_thumbnailer_runs(home: Path, tmp_path: Path, photo: np.ndarray) -> None:
    """Its Exec line, with what a file manager puts in; the picture lies on its side."""
    image = Image.fromarray(photo[:100, :300])
    exif = image.getexif()
    exif[0x112] = 6
    source = tmp_path / "photo of it.lat"
    source.write_bytes(latentcodec.encode(image, quality=30))
    image.save(tmp_path / "turned.png", exif=exif)
    source.write_bytes(latentcodec.encode(tmp_path / "turned.png", quality=30))
    done("desktop install")
    entry = _keys(home / "thumbnailers/latentcodec.thumbnailer")
    assert entry["MimeType"] == "image/x-lat;" and Path(entry["TryExec"]).is_file()
    fields = {"%i": str(source), "%o": str(tmp_path / "thumb.png"), "%s": "128"}
    words = [fields.get(word, word) for word in shlex.split(entry["Exec"])]
    subprocess.run(words, check=True, capture_output=True)
    with Image.open(tmp_path / "thumb.png") as thumb:
        assert (thumb.format, thumb.size, dict(thumb.getexif())) == ("PNG", (43, 128), {})
        shown = np.asarray(thumb.convert("RGB"), int)
    wanted = np.asarray(image.transpose(Image.Transpose.ROTATE_270).resize((43, 128)), int)
    assert np.abs(shown - wanted).mean() < 8
    if shutil.which("desktop-file-validate"):
        path = home / "applications/latentcodec.desktop"
        subprocess.run(["desktop-file-validate", str(path)], check=True)
    done("desktop uninstall")


def test_a_thumbnail_is_never_larger_than_the_picture(folder: Path) -> None:
    result = call("thumbnail", folder / "photo.lat", folder / "out.png", "--size", 256)
    assert result.exit_code == 0
    assert Image.open(folder / "out.png").size == (56, 40)
    photo = folder / "photo.png"
    assert fails(folder, "thumbnail", photo, folder / "out.png").startswith(f"{photo}: this is not")


@pytest.mark.parametrize(
    ("word", "quoted"),
    [
        ("/plain", '"/plain"'),
        ("/a b/100 %/c", '"/a b/100 %%/c"'),
        ('/my "own"/$x', r'"/my \\"own\\"/\\$x"'),
        ("/c\\d", r'"/c\\\\d"'),
    ],
)
def test_names_of_programs_are_quoted(word: str, quoted: str) -> None:
    """As the Desktop Entry Specification has it: as an argument, and that as a string."""
    assert desktop._quoted(word) == quoted


@pytest.fixture
def viewer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A desktop whose viewer notes what it was given; the folder of temporary files is new."""
    if os.name != "posix" or shutil.which("sh") is None:
        pytest.skip("the viewer is a script of sh")
    for name in ("xdg-open", "open"):
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(f'#!/bin/sh\necho "$1" >> "{tmp_path}/shown"\n')
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    return tmp_path / "shown"


def test_view_decodes_and_opens_the_viewer(folder: Path, viewer: Path) -> None:
    result = call("view", folder / "photo.lat", folder / "photo.lat")
    assert result.exit_code == 0, result.stderr
    shown: list[Path] = []
    for _ in range(600):  # the viewer is not waited for
        if len(shown) == 2:
            break
        time.sleep(0.1)
        shown = [Path(line) for line in viewer.read_text().splitlines()] if viewer.exists() else []
    assert [path.name for path in shown] == ["photo.png"] * 2 and shown[0] != shown[1]
    for path in shown:
        assert path.is_relative_to(viewer.parent / "temporary")
        assert Image.open(path).size == (56, 40)


def test_view_says_what_is_wrong(
    folder: Path, viewer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = call("view", folder / "photo.png")
    assert result.exit_code == 1
    assert one_sentence(result.stderr).endswith("photo.png: this is not a .lat file")
    assert not viewer.exists()
    monkeypatch.setenv("PATH", str(folder / "no programs"))
    result = call("view", folder / "photo.lat")
    assert result.exit_code == 1
    assert "no viewer could be started" in one_sentence(result.stderr)
