""".github/SECURITY.md and docs/reliability.md: promises have their tests, statements are so."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.page_followed import text_of
from tests.paths import ROOT

PAGE = text_of("reliability.md")


def rows(heading: str) -> list[list[str]]:
    """The cells of the table under a heading of the page, less its first line."""
    section = f"\n{PAGE}".split(f"\n{heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_every_promise_has_a_check_that_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    promises = rows("# Reliability")
    assert len(promises) >= 9
    for promise, check in promises:
        for command in re.findall(r"`([^`]+)`", check):
            words = command.split()
            if words[0] == "make":
                assert f"\n{words[1]}:" in makefile, promise
            elif words[0] == "python":
                path = words[2].replace(".", "/") if words[1] == "-m" else words[1]
                assert (ROOT / path).is_dir() or (ROOT / path).with_suffix(".py").is_file(), promise
            else:
                assert (ROOT / command).is_file(), promise


def test_the_links_of_the_security_policy_exist() -> None:
    policy = ROOT / ".github" / "SECURITY.md"
    links = re.findall(r"\]\(([^)]+)\)", policy.read_text(encoding="utf-8"))
    assert links
    for link in links:
        assert (policy.parent / link).is_file(), link


def test_the_table_of_dependencies_is_that_of_the_package() -> None:
    tomllib = pytest.importorskip("tomllib")  # since Python 3.11
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    stated = {name: ranges.strip("`") for name, ranges, _ in rows("## Dependencies")}
    found = [re.fullmatch(r"([\w-]+)(.*)", one) for one in project["dependencies"]]
    assert stated == {one[1]: one[2] for one in found if one}


# Every file that is opened to be written, every program that is started and every connection, in a
# process that decodes whatever it is given: with the command where an output is named, else with
# `latentcodec.decode`.
_WATCHED = """
import os, sys
seen = []
def watch(event, arguments):
    if event == "open":
        path, mode, flags = arguments
        writes = flags & (os.O_WRONLY | os.O_RDWR)
        if writes and path != os.devnull and not isinstance(path, int):  # a descriptor: seen before
            seen.append(f"wrote {path}")
    elif event.startswith(("subprocess.", "os.system", "os.exec", "os.posix_spawn", "socket.")):
        seen.append(event)
    elif event in ("os.mkdir", "os.remove", "os.rename", "os.link", "os.symlink", "os.chmod"):
        seen.append(f"{event} {arguments[0]}")
sys.addaudithook(watch)
from latentcodec.cli import main
import latentcodec
sources = sys.argv[1:]
if sources[0] == "decode":
    main(sources, standalone_mode=False)
else:
    for path in sources:
        try:
            latentcodec.decode(open(path, "rb").read())
        except latentcodec.LatError:
            pass
print(*seen, sep="\\n")
"""


def watched(*arguments: object) -> list[str]:
    """What a process did besides reading."""
    result = subprocess.run(
        [sys.executable, "-B", "-c", _WATCHED, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()


@pytest.mark.slow
def test_decoding_writes_nothing_starts_nothing_and_asks_nobody() -> None:
    files = sorted((ROOT / "tests" / "malformed").glob("*.lat"))
    files += sorted((ROOT / "tests" / "golden" / "v1").glob("*/alpha.lat"))
    assert len(files) > 40
    assert [line for line in watched(*files) if line] == []


@pytest.mark.slow
def test_the_command_writes_its_output_alone(folder: Path) -> None:
    target = folder / "new.png"
    did = watched("decode", folder / "photo.lat", target, "--quiet")
    assert did, "the watch sees nothing"
    for line in did:
        assert re.search(
            rf"{re.escape(str(folder))}/(\.new\.png\.[0-9a-f]{{16}}\.tmp|new\.png)?$", line
        ), line
    assert target.is_file()
