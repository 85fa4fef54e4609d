"""The README as an index of packages shows it, where relative links lead nowhere."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
_LEADS_ANYWHERE = ("https://", "http://", "#")


def index_readme(text: str, source: str | None) -> str:
    """Relative links made absolute below `source`, the address of the repository; without one,
    links become their words and pictures are left out."""

    def absolute(link: re.Match[str]) -> str:
        picture, words, target = link.groups()
        if target.startswith(_LEADS_ANYWHERE):
            return link[0]
        if source is None:
            return "" if picture else words
        return (
            f"{picture}[{words}]({source.rstrip('/')}/{'raw' if picture else 'blob'}/main/{target})"
        )

    return re.sub(r"\n{3,}", "\n\n", _LINK.sub(absolute, text))


class CustomMetadataHook(MetadataHookInterface):
    """Sets the readme; the address is `Source` of [project.urls], where there is one."""

    def update(self, metadata: dict[str, Any]) -> None:
        text = Path(self.root, "README.md").read_text(encoding="utf-8")
        source = metadata.get("urls", {}).get("Source")
        metadata["readme"] = {
            "content-type": "text/markdown",
            "text": index_readme(text, source),
        }
