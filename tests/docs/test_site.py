"""The site: it builds without a warning, is complete, and fetches nothing from elsewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import click
import pytest

import latentcodec
from latentcodec.cli import main
from tests.paths import ROOT

pytestmark = pytest.mark.slow

pytest.importorskip("material", reason="the extra `docs` is not installed")
pytest.importorskip("mkdocstrings", reason="the extra `docs` is not installed")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site")
    options = ["--strict", "--config-file", str(ROOT / ".mkdocs.yml"), "--site-dir", str(out)]
    run = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", *options], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    return out


class Page(HTMLParser):
    """What a page loads by itself, where it leads, and what in it can be linked to."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.words: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.ids.add(found.get("id") or "")
        for name in ("src", "srcset", "href", "poster", "data"):
            if value := found.get(name):
                (self.links if tag in ("a", "area") else self.loads).append(value)

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_every_page_is_there(site: Path) -> None:
    pages = {path.relative_to(site).as_posix() for path in site.rglob("*.html")}
    sources = {path.relative_to(ROOT / "docs") for path in (ROOT / "docs").rglob("*.md")}
    wanted = {path.with_suffix(".html").as_posix() for path in sources}
    assert pages == wanted | {"reference/cli.html", "404.html"}
    first = Page(site / "index.html")
    assert {"reference/cli.html", "reference/api.html", "format.html"} <= set(first.links)


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    for path in site.rglob("*.html"):
        page = Page(path)
        assert page.loads
        for address in page.loads:
            assert not re.match(r"(\w+:)?//", address), f"{path.name}: {address}"
            if path.name != "404.html":
                assert (path.parent / address.partition("#")[0]).exists(), address
    for path in site.rglob("*.css"):
        style = path.read_text(encoding="utf-8")
        assert not re.search(r"""@import|url\(["']?(https?:)?//""", style), path.name


def test_the_commands_are_all_there(site: Path) -> None:
    page = Page(site / "reference" / "cli.html")
    context = click.Context(main)
    for name in main.list_commands(context):
        assert name in page.ids
        command = main.get_command(context, name)
        assert command is not None
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert parameter.opts[-1] in " ".join(page.words)


def test_the_public_names_are_all_there(site: Path) -> None:
    page = Page(site / "reference" / "api.html")
    others = ("torch.LatDataset", "ray.Encoder", "spark.encode_files", "zarr.LatCodec")
    for name in {*latentcodec.__all__, *others, "numcodecs.LatCodec"} - {"__version__"}:
        assert f"latentcodec.{name}" in page.ids
