"""Text of one side of the split: the project's own pages and sources, and made-up numbers."""

from __future__ import annotations

import dataclasses
import re
import textwrap
from pathlib import Path
from random import Random

from graphics_set.split import Split

_ROOT = Path(__file__).resolve().parent.parent.parent
_SENTENCE = range(30, 400)  # characters
_LEAST_SOURCE = 1500  # bytes of a source file
_LABEL = 28  # characters at most
_NUMBERS = ("{:,.0f}", "{:.2f}", "{:.1f} %", "{:,.1f}", "${:,.2f}", "{:.3g}")


@dataclasses.dataclass(frozen=True)
class Corpus:
    """`pages`: Markdown in ASCII by name; `sentences` of them; `sources`: Python by name."""

    pages: dict[str, str]
    sentences: list[str]
    sources: dict[str, str]

    @classmethod
    def of(cls, split: Split) -> Corpus:
        """The pages in docs and the files in latentcodec that are on this side."""
        pages = {
            path.stem: _ascii(path)
            for path in sorted((_ROOT / "docs").glob("*.md"))
            if split.has_page(path.stem)
        }
        sources = {
            str(path.relative_to(_ROOT)): _ascii(path)
            for path in sorted((_ROOT / "latentcodec").rglob("*.py"))
            if split.has_module(path.stem) and path.stat().st_size >= _LEAST_SOURCE
        }
        return cls(pages, [s for page in pages.values() for s in _sentences(page)], sources)

    def sentence(self, random: Random) -> str:
        """One sentence."""
        return random.choice(self.sentences)

    def paragraph(self, random: Random, characters: int) -> str:
        """Sentences in a row, at least so many characters."""
        text = ""
        while len(text) < characters:
            text += self.sentence(random) + " "
        return text.strip()

    def label(self, random: Random, words: int = 3) -> str:
        """At most so many words, such as a button or an axis has."""
        sentence = self.sentence(random).rstrip(".").split()
        count = random.randint(1, words)
        start = random.randrange(max(1, len(sentence) - count))
        text = " ".join(sentence[start : start + count]).strip(",;:()\"'")
        return (text[:1].upper() + text[1:])[:_LABEL] or "Value"

    def lines(self, random: Random, count: int) -> str:
        """Consecutive lines of a source file, again from its beginning where it ends."""
        source = self.sources[random.choice(sorted(self.sources))].splitlines()
        start = random.randrange(len(source))
        return "\n".join((source[start:] + source * (count // len(source) + 1))[:count])

    def paragraphs(self, random: Random, letters: int, lines: int) -> str:
        """Lines of at most so many letters."""
        text = self.paragraph(random, letters * lines)
        return "\n".join(textwrap.wrap(text, letters)[:lines])


def number(random: Random) -> str:
    """As tables and dashboards show them."""
    return random.choice(_NUMBERS).format(random.lognormvariate(4, 2.5))


def _ascii(path: Path) -> str:
    """All fonts of the set have these letters, so that no other font steps in."""
    return path.read_text(encoding="utf-8").encode("ascii", "ignore").decode()


def _sentences(page: str) -> list[str]:
    page = re.sub(r"```.*?```", "", page, flags=re.DOTALL)
    prose = [part for part in page.split("\n\n") if not part.startswith(("|", "    ", "#"))]
    plain = re.sub(r"\[([^]]*)\]\([^)]*\)|[`*]", r"\1", " ".join(" ".join(prose).split()))
    parts = re.split(r"(?<=[.:;]) +(?=[A-Z])", plain)
    return [part for part in parts if len(part) in _SENTENCE]
