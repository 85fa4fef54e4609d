"""Text: sentences and code of the project's own pages, names and numbers."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from random import Random

from .split import Split

ROOT = Path(__file__).resolve().parent.parent.parent
_LEAST_SENTENCE = 30


@dataclasses.dataclass(frozen=True)
class Words:
    """`pages`: Markdown by stem; `sentences` of them; `code`: Python sources by stem."""

    pages: dict[str, str]
    sentences: list[str]
    code: dict[str, str]

    @classmethod
    def of(cls, split: Split) -> Words:
        """Everything in docs and latentcodec that is on this side of the split."""
        pages = {
            path.stem: path.read_text(encoding="utf-8")
            for path in sorted((ROOT / "docs").glob("*.md"))
            if split.page(path.stem)
        }
        code = {
            path.stem: path.read_text(encoding="utf-8")
            for path in sorted((ROOT / "latentcodec").rglob("*.py"))
            if split.module(path.stem) and path.stat().st_size > 1500
        }
        return cls(pages, _sentences(pages), code)

    def sentence(self, random: Random) -> str:
        """One sentence in ASCII."""
        return random.choice(self.sentences)

    def paragraph(self, random: Random, characters: int) -> str:
        """Sentences in a row, at least so many characters."""
        text = ""
        while len(text) < characters:
            text += self.sentence(random) + " "
        return text.strip()

    def label(self, random: Random, most: int = 3) -> str:
        """A few words, such as a button or an axis has."""
        words = self.sentence(random).rstrip(".").split()
        count = random.randint(1, most)
        start = random.randrange(max(1, len(words) - count))
        text = " ".join(words[start : start + count]).strip(",;:()\"'")
        return (text[:1].upper() + text[1:])[:28] or "Value"

    def lines(self, random: Random, count: int) -> str:
        """Consecutive lines of a source file."""
        source = self.code[random.choice(sorted(self.code))].splitlines()
        start = random.randrange(max(1, len(source) - count))
        return "\n".join(source[start : start + count])


def number(random: Random) -> str:
    """As tables and dashboards show them."""
    value = random.lognormvariate(4, 2.5)
    form = random.choice(("{:,.0f}", "{:.2f}", "{:.1f} %", "{:,.1f}", "${:,.2f}", "{:.3g}"))
    return form.format(value)


def _sentences(pages: dict[str, str]) -> list[str]:
    text = "\n\n".join(re.sub(r"```.*?```", "", page, flags=re.DOTALL) for page in pages.values())
    prose = [part for part in text.split("\n\n") if not part.lstrip().startswith(("|", "    ", "#"))]
    plain = re.sub(r"\[([^]]*)\]\([^)]*\)|[`*_]", r"\1", " ".join(" ".join(prose).split()))
    plain = plain.encode("ascii", "ignore").decode()
    parts = re.split(r"(?<=[.:;]) +(?=[A-Z])", plain)
    return [part for part in parts if _LEAST_SENTENCE <= len(part) <= 400]
