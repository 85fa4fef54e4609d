"""What a system wants of a program: a quick start, completion, a manual page, file types."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner

import latentcodec
from latentcodec.cli import main
from tests.paths import ROOT

SYSTEM = ROOT / "latentcodec/cli/desktop_files"
MIME = "{http://www.freedesktop.org/standards/shared-mime-info}"


def printed(*arguments: str, **environment: str) -> str:
    result = CliRunner().invoke(main, arguments, env=environment, prog_name="latentcodec")
    assert result.exit_code == 0, result.stderr
    return result.stdout


def test_what_needs_no_picture_imports_no_torch(tmp_path: Path) -> None:
    (tmp_path / "grey.lat").write_bytes(latentcodec.encode(np.zeros((8, 8), np.uint8)))
    code = (
        "import sys\n"
        "from latentcodec.cli import main\n"
        "for line in ('--help', 'encode --help', 'decode --help', 'info grey.lat', 'encode',\n"
        "             'encode a.png b.png', 'encode a.png -q 0', 'encode a.png --strip x',\n"
        "             'decode a.lat', 'completion bash', 'man', 'nosuch'):\n"
        "    try:\n"
        "        main(line.split(), 'latentcodec')\n"
        "    except SystemExit:\n"
        "        heavy = {'torch', 'numpy', 'PIL', 'constriction'} & set(sys.modules)\n"
        "        assert not heavy, (line, heavy)\n"
        "from latentcodec.images import picture\n"
        "assert {'numpy', 'PIL'} < set(sys.modules)  # they would have been seen\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(shell: str) -> None:
    script = printed("completion", shell)
    assert f"_LATENTCODEC_COMPLETE={shell}_complete" in script
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=script, text=True, check=True)


def test_bash_completes(tmp_path: Path) -> None:
    program = tmp_path / "latentcodec"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m latentcodec "$@"\n')
    program.chmod(0o755)
    if not shutil.which("bash"):
        pytest.skip("there is no bash")

    def completed(line: str) -> list[str]:
        words = line.split(" ")
        script = (
            f"{printed('completion', 'bash')}\n"
            f"COMP_WORDS=({' '.join(words[:-1])} '{words[-1]}') COMP_CWORD={len(words) - 1}\n"
            '_latentcodec_completion latentcodec 2>/dev/null; echo "${COMPREPLY[@]}"\n'
        )
        path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
        run = subprocess.run(
            ["bash", "-c", script], env=os.environ | {"PATH": path}, capture_output=True, text=True
        )
        return run.stdout.split()

    assert completed("latentcodec enc") == ["encode"]
    assert completed("latentcodec encode --target-p") == ["--target-psnr"]


def test_the_manual_page() -> None:
    page = printed("man")
    lines = page.splitlines()
    assert lines[0].startswith(".TH LATENTCODEC 1")
    assert {".SH NAME", ".SH SYNOPSIS", ".SH COMMANDS", ".SH EXIT STATUS"} <= set(lines)
    for name in main.list_commands(click.Context(main)):
        assert f'.SS "latentcodec {name} ' in page
    assert ".B \\-q, \\-\\-quality FLOAT RANGE" in lines
    for line in lines:  # a line that begins with a dot is a macro
        assert not line.startswith(("'", "\\b")) and "\b" not in line
        assert not line.startswith(".") or line.split()[0][1:] in (
            *("TH", "SH", "SS", "PP", "TP", "B", "I", "nf", "fi"),
        )
    if shutil.which("groff"):
        run = subprocess.run(
            ["groff", "-man", "-ww", "-Tutf8"], input=page, capture_output=True, text=True
        )
        assert (run.returncode, run.stderr) == (0, "")
        assert "LATENTCODEC(1)" in run.stdout


def test_file_knows_the_magic(tmp_path: Path) -> None:
    if not shutil.which("file"):
        pytest.skip("there is no file(1)")
    path = tmp_path / "photo"
    path.write_bytes(latentcodec.encode(np.zeros((20, 300), np.uint8), quality=35))
    magic = ["file", "--brief", "-m", str(SYSTEM / "latentcodec.magic")]
    run = subprocess.run([*magic, str(path)], capture_output=True, text=True, check=True)
    assert run.stdout == "latentcodec image, version 1, 300 x 20, grey, quality 35\n"
    run = subprocess.run([*magic, "--mime-type", str(path)], capture_output=True, text=True)
    assert run.stdout == "image/x-lat\n"


def test_the_mime_type() -> None:
    tree = ElementTree.parse(SYSTEM / "latentcodec.xml")
    kind = tree.getroot().find(f"{MIME}mime-type")
    assert kind is not None and kind.get("type") == "image/x-lat"
    glob, match = kind.find(f"{MIME}glob"), kind.find(f"{MIME}magic/{MIME}match")
    assert glob is not None and glob.get("pattern") == "*.lat"
    assert match is not None and match.get("offset") == "0"
    value = str(match.get("value")).encode().decode("unicode_escape").encode("latin-1")
    assert value == b"\x93LAT"
