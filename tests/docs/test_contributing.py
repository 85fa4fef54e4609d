"""docs/CONTRIBUTING.md and what goes with it: files that exist, layers that are tested."""

from __future__ import annotations

import re

import latentcodec
from tests.page_followed import text_of
from tests.paths import ROOT
from tests.test_structure import MAY_IMPORT


def rows(heading: str) -> list[list[str]]:
    """The cells of the table under a heading."""
    section = text_of("CONTRIBUTING.md").split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


def test_the_layers_are_those_that_are_tested() -> None:
    stated = {
        package.strip("`"): tuple(re.findall(r"`(\w+)`", below))
        for package, _, below in rows("Where a line belongs")
        if re.fullmatch(r"`\w+`", package)
    }
    assert stated == MAY_IMPORT


def test_the_files_to_touch_exist() -> None:
    table = rows("To add something")
    assert len(table) > 4
    for what, files in table:
        named = re.findall(r"`([\w/]+\.py|[\w/]+/)`", files)
        assert named, what
        for file in named:
            assert (ROOT / file).exists(), file


def test_the_workflow_runs_the_tests_on_every_python() -> None:
    workflow = (ROOT / ".github" / "workflows" / "test.yml").read_text(encoding="utf-8")
    versions = re.findall(r'"(3\.\d+)"', workflow)
    assert versions == ["3.10", "3.11", "3.12", "3.13"]
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'requires-python = ">={versions[0]}"' in project
    assert "make test" in workflow
    assert "make test" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_what_is_checked_before_a_commit_is_what_make_checks() -> None:
    hooks = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8").replace("$(BIN)", ".venv/bin")
    commands = re.findall(r"entry: (\.venv/bin/\w+(?: \w+(?: --check)?)?)", hooks)
    assert len(commands) == 3
    for command in commands:
        assert command in makefile


def test_the_version_is_that_of_the_package() -> None:
    assert f"## {latentcodec.__version__}" in text_of("CHANGELOG.md")
    assert "\nversion =" not in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
